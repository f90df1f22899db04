//! The bounded rules of the Saturating mode by themselves, as Python functions.

use crate::context::settings::bound_or_current;
use crate::flags;
use crate::number::{Double, expect_number};
use crate::values::TRScalar;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zeroproof::Op;

/// The bounded contributions of a singular op to its operands, by the rule that backward uses.
#[pyfunction]
#[pyo3(signature = (op, grad_output, a, b, bound))]
fn saturating_contributions(
    py: Python<'_>,
    op: &str,
    grad_output: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    bound: Option<Double>,
) -> PyResult<(TRScalar, TRScalar)> {
    let op = Op::ALL.iter().find(|known| known.name() == op);
    let op = *op.ok_or_else(|| PyTypeError::new_err("not an op of the table"))?;
    let [g, a, b] = [expect_number(grad_output)?, expect_number(a)?, expect_number(b)?];
    let bound = bound_or_current(py, bound)?;
    let contributions = || zeroproof::op::bounded::saturating_contributions(op, g, a, b, bound);
    let [to_a, to_b] = flags::keeping(contributions);
    Ok((to_a.into(), to_b.into()))
}

/// `sign(y)/√(y² + b²)`, 0 at 0 and for ±∞ and Φ; with the bound given, or the one in force.
#[pyfunction]
#[pyo3(signature = (y, bound))]
fn saturating_reciprocal(y: &Bound<'_, PyAny>, bound: Option<Double>) -> PyResult<TRScalar> {
    let (bound, y) = (bound_or_current(y.py(), bound)?, expect_number(y)?);
    Ok(flags::keeping(|| zeroproof::op::bounded::recip(y, bound)).into())
}

/// `x/(|x| + b)`, ±1 for ±∞ and 0 for Φ; with the bound given, or the one in force.
#[pyfunction]
#[pyo3(signature = (x, bound))]
fn saturate_value(x: &Bound<'_, PyAny>, bound: Option<Double>) -> PyResult<TRScalar> {
    let (bound, x) = (bound_or_current(x.py(), bound)?, expect_number(x)?);
    Ok(flags::keeping(|| zeroproof::op::bounded::saturate(x, bound)).into())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(saturating_contributions, module)?)?;
    module.add_function(wrap_pyfunction!(saturating_reciprocal, module)?)?;
    module.add_function(wrap_pyfunction!(saturate_value, module)?)
}
