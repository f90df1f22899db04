//! Python numbers as doubles.

use crate::arena;
use crate::node::TRNode;
use crate::raw::payload;
use crate::scalar::TRScalar;
use crate::tracer;
use pyo3::Borrowed;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyComplex, PyFloat, PyInt, PyString, PyTuple};
use zeroproof::graph::Handle;
use zeroproof::{Op, TrScalar};

/// An operand of an arithmetic operation.
#[derive(Clone, Copy)]
pub(crate) enum Operand {
    /// A node.
    Node(Handle),
    /// A TR scalar or any number, as its double.
    Value(f64),
}

/// The objects that nearly all operands are, in the order of their frequency.
#[inline(always)]
fn common_operand(object: &Bound<'_, PyAny>) -> Option<Operand> {
    if let Some(node) = payload::<TRNode>(object) {
        return Some(Operand::Node(node.0));
    }
    common_number(object).map(Operand::Value)
}

#[inline(always)]
fn common_number(object: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(float) = object.cast_exact::<PyFloat>() {
        return Some(float.value());
    }
    payload::<TRScalar>(object).map(|scalar| scalar.0.to_ieee())
}

/// What an object is as an operand; `None` if it is no number.
#[inline(always)]
pub(crate) fn operand(object: &Bound<'_, PyAny>) -> PyResult<Option<Operand>> {
    match common_operand(object) {
        Some(operand) => Ok(Some(operand)),
        None => Ok(other_number(object)?.map(Operand::Value)),
    }
}

/// The double of a TR scalar, a Python number or a NumPy number; `None` for anything else. An
/// integer beyond the range of a double rounds to ±∞, as IEEE rounding has it.
#[inline(always)]
pub(crate) fn number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    match common_number(object) {
        Some(number) => Ok(Some(number)),
        None => other_number(object),
    }
}

fn integer(int: &Bound<'_, PyInt>) -> PyResult<f64> {
    match int.extract::<f64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(int.py()) => {
            Ok(if int.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY })
        }
        result => result,
    }
}

/// Integers, and whatever offers `__float__` or `__index__` and is a scalar: NumPy scalars and arrays
/// without dimensions, fractions, decimals.
#[inline(never)]
fn other_number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    let py = object.py();
    if let Ok(int) = object.cast::<PyInt>() {
        return integer(int).map(Some);
    }
    if let Ok(float) = object.cast::<PyFloat>() {
        return Ok(Some(float.value()));
    }
    // A node has a float, but taking it would lose the node's gradient without a word.
    if payload::<TRNode>(object).is_some()
        || object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyComplex>()
        || tracer::is_traced(object)
    {
        return Ok(None);
    }
    if let Some(dimensions) = object.getattr_opt("ndim")?
        && !dimensions.eq(0)?
    {
        return Ok(None);
    }
    // Of NumPy's kinds only the real ones; a complex number would lose its imaginary part.
    if let Some(dtype) = object.getattr_opt("dtype")?
        && let Some(kind) = dtype.getattr_opt("kind")?
        && !"fiubO".contains(&kind.str()?.to_string())
    {
        return Ok(None);
    }
    match object.extract::<f64>() {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            Ok(Some(if object.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY }))
        }
        Err(error) => Err(error),
    }
}

/// The operand, or a `TypeError` that says what is accepted.
#[inline(always)]
pub(crate) fn expect_operand(object: &Bound<'_, PyAny>) -> PyResult<Operand> {
    if let Some(operand) = common_operand(object) {
        return Ok(operand);
    }
    operand(object)?.ok_or_else(|| not_a_number(object, "a TRNode, a TRScalar or a number"))
}

/// The double, or a `TypeError` that says what is accepted.
pub(crate) fn expect_number(object: &Bound<'_, PyAny>) -> PyResult<f64> {
    number(object)?.ok_or_else(|| not_a_number(object, "a TRScalar or a number"))
}

fn not_a_number(object: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let class = object.get_type().name().map(|n| n.to_string()).unwrap_or_default();
    let hint = match object.getattr_opt("ndim") {
        Ok(Some(_)) => "; apply the function to the array's elements one by one".to_owned(),
        _ if class == "TRNode" => {
            "; take its value, or use the function of the same name in tr_ops_grad".to_owned()
        }
        _ if tracer::is_traced(object) => format!(", whose value {}", tracer::UNKNOWN),
        _ => String::new(),
    };
    PyTypeError::new_err(format!("expected {expected}, not {class}{hint}"))
}

/// An integer exponent that fits in 32 bits.
pub(crate) fn exponent(object: &Bound<'_, PyAny>) -> PyResult<i32> {
    integer_exponent(object)?.ok_or_else(|| {
        PyTypeError::new_err("the exponent must be an int; tr_pow takes any number, and a node or a tracer")
    })
}

/// An exponent of an integer type, which fits in 32 bits; `None` for anything else.
pub(crate) fn integer_exponent(object: &Bound<'_, PyAny>) -> PyResult<Option<i32>> {
    let exponent = match object.cast_exact::<PyInt>() {
        Ok(int) => int.extract::<i32>(),
        Err(_) if common_operand(object).is_some() => return Ok(None),
        Err(_) => match object.py().import("operator")?.call_method1("index", (object,)) {
            Ok(index) => index.extract::<i32>(),
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    let exponent = exponent.ok().filter(|n| *n != i32::MIN);
    exponent
        .map(Some)
        .ok_or_else(|| PyOverflowError::new_err("the exponent must lie between -2147483647 and 2147483647"))
}

/// The name in Python's `operator` module of an op that has an operator.
pub(crate) fn operator_of(op: Op) -> &'static str {
    match op {
        Op::Div => "truediv",
        op => op.name(),
    }
}

/// An operation between a node or TR scalar and a NumPy array: element by element, in an array of
/// objects. `NotImplemented` if neither side is an array. `operator` is a name of Python's module.
#[cold]
pub(crate) fn with_array<'py>(
    operator: &str,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    let numpy = py.import("numpy")?;
    let array = numpy.getattr("ndarray")?;
    // An array of one object and no dimensions, for NumPy to broadcast.
    let boxed = |object: &Bound<'py, PyAny>| -> PyResult<Bound<'py, PyAny>> {
        let boxed = numpy.call_method1("empty", (PyTuple::empty(py), "O"))?;
        boxed.set_item(PyTuple::empty(py), object)?;
        Ok(boxed)
    };
    // NumPy would warn of the infinities that are values here.
    let quiet = numpy.call_method("errstate", (), Some(&[("all", "ignore")].into_py_dict(py)?))?;
    let apply = |a, b| {
        quiet.call_method0("__enter__")?;
        let result = py.import("operator")?.call_method1(operator, (a, b));
        quiet.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
        result
    };
    match (a.is_instance(&array)?, b.is_instance(&array)?) {
        (false, true) => apply(boxed(a)?, b.clone()),
        (true, false) => apply(a.clone(), boxed(b)?),
        _ => Ok(py.NotImplemented().into_bound(py)),
    }
}

/// A double argument: any number, one beyond the range as ±∞, so that range checks see it.
#[derive(Clone, Copy)]
pub(crate) struct Double(pub f64);

impl<'py> FromPyObject<'_, 'py> for Double {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        expect_number(&object).map(Self)
    }
}

/// What a value is compared with.
pub(crate) enum Comparand<'py> {
    /// A TR value.
    Value(TrScalar),
    /// A number whose comparison with a float Python decides, exactly: an int, a fraction.
    Number(Bound<'py, PyAny>),
    /// Something that is no number.
    Other,
}

/// What an object is to be compared with.
pub(crate) fn comparand<'py>(object: &Bound<'py, PyAny>) -> PyResult<Comparand<'py>> {
    Ok(match common_operand(object) {
        Some(Operand::Node(node)) => {
            Comparand::Value(arena::with(object.py(), |arena| arena.graph.value(node)))
        }
        Some(Operand::Value(value)) => Comparand::Value(value.into()),
        None => match other_number(object)? {
            Some(number) if number.is_nan() => Comparand::Value(TrScalar::PHI),
            Some(_) => Comparand::Number(object.clone()),
            None => Comparand::Other,
        },
    })
}
