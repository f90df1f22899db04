//! A traced program as plain Python data.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use zeroproof::Reduction;
use zeroproof::batch::{Kind, NodeId, Program};

/// The name of a reduction mode in programs.
fn mode_name(mode: Reduction) -> &'static str {
    match mode {
        Reduction::Strict => "strict",
        Reduction::DropNull => "drop_null",
        Reduction::DropNonreal => "drop_nonreal",
    }
}

/// A step: its kind, what belongs to the kind, and the operands.
fn step<'py>(py: Python<'py>, program: &Program, node: NodeId) -> PyResult<Bound<'py, PyAny>> {
    let operands = PyTuple::new(py, program.operands(node))?;
    match program.kind(node) {
        Kind::Constant(value) => ("constant", value).into_bound_py_any(py),
        // Elements come before the steps, and a program has no others.
        Kind::Argument(element) => ("argument", element).into_bound_py_any(py),
        Kind::Elementwise(op) => ("op", op.name(), operands).into_bound_py_any(py),
        Kind::Power(n) => ("power", n, operands).into_bound_py_any(py),
        Kind::Fold(op, mode) => ("fold", op.name(), mode_name(mode), operands).into_bound_py_any(py),
        Kind::Condition(predicate) => ("condition", predicate.name(), operands).into_bound_py_any(py),
        Kind::Select => ("select", operands).into_bound_py_any(py),
    }
}

/// The arguments: names, shapes, and whether every sample has its own.
pub(crate) fn arguments<'py>(py: Python<'py>, program: &Program) -> PyResult<Bound<'py, PyList>> {
    let arguments = program.arguments().iter().map(|argument| {
        let shape = PyTuple::new(py, &argument.shape)?;
        (&argument.name, shape, argument.per_sample).into_bound_py_any(py)
    });
    PyList::new(py, arguments.collect::<PyResult<Vec<_>>>()?)
}

/// The nodes after the arguments' elements, in order.
pub(crate) fn steps<'py>(py: Python<'py>, program: &Program) -> PyResult<Bound<'py, PyList>> {
    // Appended one by one, which the interpreter refuses with an error if there is no memory.
    let list = PyList::empty(py);
    for node in program.element_count()..program.len() {
        list.append(step(py, program, node as NodeId)?)?;
    }
    Ok(list)
}
