//! A traced program as plain Python data, and back.

use crate::errors::runtime_error;
use pyo3::IntoPyObjectExt;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};
use zeroproof::batch::{Argument, Invalid, Kind, NodeId, Predicate, Program};
use zeroproof::{Op, Reduction};

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

/// The program of such data, each number of which is checked.
pub(crate) fn program(
    arguments: &Bound<'_, PyAny>,
    steps: &Bound<'_, PyAny>,
    outputs: &Bound<'_, PyAny>,
) -> PyResult<Program> {
    let mut room = MOST_ELEMENTS;
    let mut found = vec![];
    for (place, argument) in items(arguments, "arguments")?.iter().enumerate() {
        let argument = self::argument(&argument, &format!("arguments[{place}]"))?;
        // An extent may be 0 while others are large.
        let size = argument.shape.iter().try_fold(1usize, |size, &extent| size.checked_mul(extent));
        room = size.and_then(|size| room.checked_sub(size)).ok_or_else(|| {
            PyValueError::new_err(format!("arguments[{place}]: a program takes fewer than 2^31 numbers"))
        })?;
        found.push(argument);
    }
    let mut program = Program::try_new(found).map_err(runtime_error)?;
    for (place, step) in items(steps, "steps")?.iter().enumerate() {
        let described = || format!("steps[{place}]");
        let (kind, operands) = self::node(&step).map_err(|error| at(&described(), error))?;
        program.push_checked(kind, &operands).map_err(|invalid| refused(&described(), invalid))?;
    }
    set_outputs(&mut program, outputs)?;
    Ok(program)
}

/// Has these nodes as the program's outputs.
pub(crate) fn set_outputs(program: &mut Program, outputs: &Bound<'_, PyAny>) -> PyResult<()> {
    let outputs = nodes(outputs).map_err(|error| at("outputs", error))?;
    program
        .set_outputs_checked(outputs)
        .map_err(|(place, invalid)| refused(&format!("outputs[{place}]"), invalid))
}

/// The most numbers that a program takes.
const MOST_ELEMENTS: usize = (1 << 31) - 1;

fn argument(given: &Bound<'_, PyAny>, place: &str) -> PyResult<Argument> {
    let parts = items(given, place)?;
    let [name, shape, per_sample] = &parts.iter().collect::<Vec<_>>()[..] else {
        return Err(PyValueError::new_err(format!("{place}: expected a name, a shape and a bool")));
    };
    let shape = items(shape, place)?.iter().map(|extent| integer(&extent)).collect::<PyResult<_>>();
    Ok(Argument {
        name: text(name).map_err(|error| at(place, error))?,
        shape: shape.map_err(|error| at(place, error))?,
        per_sample: per_sample.cast::<PyBool>().map_err(|_| wrong(place, "a bool", per_sample))?.is_true(),
    })
}

/// What a step is, and its operands.
fn node(given: &Bound<'_, PyAny>) -> PyResult<(Kind, Vec<NodeId>)> {
    let parts: Vec<_> = items(given, "a step")?.iter().collect();
    let kind = parts.first().ok_or_else(|| PyValueError::new_err("a step has a kind"))?;
    let kind = text(kind)?;
    Ok(match (&kind[..], &parts[1..]) {
        ("constant", [value]) => {
            let value = value.cast_exact::<PyFloat>().map_err(|_| wrong("a constant", "a float", value))?;
            (Kind::Constant(value.value()), vec![])
        }
        ("op", [name, operands]) => (Kind::Elementwise(op(name)?), nodes(operands)?),
        ("power", [n, operands]) => (Kind::Power(integer(n)?), nodes(operands)?),
        ("fold", [name, mode, operands]) => (Kind::Fold(op(name)?, reduction(mode)?), nodes(operands)?),
        ("condition", [name, operands]) => (Kind::Condition(predicate(name)?), nodes(operands)?),
        ("select", [operands]) => (Kind::Select, nodes(operands)?),
        ("constant" | "op" | "power" | "fold" | "condition" | "select", parts) => {
            let count = parts.len();
            return Err(PyValueError::new_err(format!("a step {kind} does not have {count} entries")));
        }
        _ => return Err(PyValueError::new_err(format!("there is no step {kind:?}"))),
    })
}

fn op(name: &Bound<'_, PyAny>) -> PyResult<Op> {
    let name = text(name)?;
    let found = Op::ALL.iter().copied().find(|op| op.name() == name);
    found.ok_or_else(|| PyValueError::new_err(format!("there is no operation {name:?}")))
}

fn reduction(name: &Bound<'_, PyAny>) -> PyResult<Reduction> {
    let name = text(name)?;
    let found = Reduction::ALL.into_iter().find(|mode| mode_name(*mode) == name);
    found.ok_or_else(|| PyValueError::new_err(format!("there is no reduction {name:?}")))
}

fn predicate(name: &Bound<'_, PyAny>) -> PyResult<Predicate> {
    let name = text(name)?;
    let found = Predicate::ALL.into_iter().find(|predicate| predicate.name() == name);
    found.ok_or_else(|| PyValueError::new_err(format!("there is no condition {name:?}")))
}

fn nodes(given: &Bound<'_, PyAny>) -> PyResult<Vec<NodeId>> {
    items(given, "operands")?.iter().map(|node| integer(&node)).collect()
}

/// The items of a list or tuple, of which nobody has another copy that could change.
fn items<'py>(given: &Bound<'py, PyAny>, place: &str) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(tuple) = given.cast::<PyTuple>() {
        return Ok(tuple.clone());
    }
    given.cast::<PyList>().map(|list| list.to_tuple()).map_err(|_| wrong(place, "a list", given))
}

fn text(given: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = given.cast::<PyString>().map_err(|_| wrong("a name", "a string", given))?;
    Ok(text.to_str()?.to_owned())
}

/// An int, True and False apart, in the range of the type.
fn integer<'py, T: FromPyObjectOwned<'py>>(given: &Bound<'py, PyAny>) -> PyResult<T> {
    let int = given.cast_exact::<PyInt>().map_err(|_| wrong("a number", "an int", given))?;
    int.as_any().extract().map_err(|_| PyValueError::new_err("an int is out of range"))
}

fn wrong(place: &str, wanted: &str, given: &Bound<'_, PyAny>) -> PyErr {
    let class = given.get_type().name().map_or_else(|_| "what it is".into(), |name| name.to_string());
    PyValueError::new_err(format!("{place}: expected {wanted}, not {class}"))
}

/// The same error, with the place in front.
fn at(place: &str, error: PyErr) -> PyErr {
    Python::attach(|py| match error.is_instance_of::<PyValueError>(py) {
        true => PyValueError::new_err(format!("{place}: {}", error.value(py))),
        false => error,
    })
}

fn refused(place: &str, invalid: Invalid) -> PyErr {
    match invalid {
        Invalid::Refused(error) => runtime_error(error),
        invalid => PyValueError::new_err(format!("{place}: {invalid}")),
    }
}
