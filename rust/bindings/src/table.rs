//! The facts of the op table, for what is made from them in Python.

use crate::enums;
use crate::flags;
use crate::number::expect_number;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use zeroproof::Op;
use zeroproof::op::{Notation, PoleAt};

/// How it is written: ``(kind, sign)``.
fn notation(notation: Notation) -> (&'static str, &'static str) {
    match notation {
        Notation::Infix(sign) => ("infix", sign),
        Notation::Prefix(sign) => ("prefix", sign),
        Notation::Call(sign) => ("call", sign),
    }
}

/// Where a pole lies: the place of an operand, or ``"base"`` or ``"computed"``.
fn pole_at<'py>(py: Python<'py>, at: PoleAt) -> PyResult<Bound<'py, PyAny>> {
    Ok(match at {
        PoleAt::Operand(place) => place.into_pyobject(py)?.into_any(),
        PoleAt::BaseByExponent => "base".into_pyobject(py)?.into_any(),
        PoleAt::Computed => "computed".into_pyobject(py)?.into_any(),
    })
}

fn row<'py>(py: Python<'py>, op: Op) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    row.set_item("code", op as u8)?;
    row.set_item("name", op.name())?;
    row.set_item("arity", format!("{:?}", op.arity()).to_lowercase())?;
    row.set_item("formula", op.formula())?;
    let facts = op.facts();
    row.set_item("domain", facts.map(|facts| facts.domain))?;
    row.set_item("units", facts.and_then(|facts| facts.units))?;
    row.set_item("partials", facts.map(|facts| facts.partials))?;
    row.set_item("second_partials", op.second_formula())?;
    row.set_item("reason", facts.map(|facts| facts.reason))?;
    row.set_item("notation", facts.map(|facts| notation(facts.notation)))?;
    row.set_item("smooth_on", facts.map(|facts| facts.smooth_on))?;
    row.set_item("period", facts.and_then(|facts| facts.period))?;
    row.set_item("has_kinks", facts.is_some_and(|facts| facts.kink.is_some()))?;
    let pole = op.singular().map(|pole| {
        let dict = PyDict::new(py);
        dict.set_item("at", pole_at(py, pole.at)?)?;
        dict.set_item("is_real_there", pole.is_real_there)?;
        dict.set_item("distance", pole.distance)?;
        dict.set_item("bounded", pole.bounded)?;
        Ok::<_, PyErr>(dict)
    });
    row.set_item("pole", pole.transpose()?)?;
    Ok(row)
}

/// The op table: a dict of all facts for each op, by code. What an op has not is None.
#[pyfunction]
fn op_table(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    PyList::new(py, Op::ALL.iter().map(|&op| row(py, op)).collect::<PyResult<Vec<_>>>()?)
}

/// Whether the partials of an op are subgradients or jump at these operands.
#[pyfunction]
fn is_at_kink(op: &Bound<'_, PyAny>, operands: Vec<Bound<'_, PyAny>>) -> PyResult<bool> {
    let operands = operands.iter().map(expect_number).collect::<PyResult<Vec<_>>>()?;
    let kink = enums::to_op(op)?.facts().and_then(|facts| facts.kink);
    Ok(kink.is_some_and(|is_kink| flags::keeping(|| is_kink(&operands))))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(op_table, module)?)?;
    module.add_function(wrap_pyfunction!(is_at_kink, module)?)
}
