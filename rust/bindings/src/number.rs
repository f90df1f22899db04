//! Python numbers as doubles.

use crate::raw::payload;
use crate::tracer::objects::{UNKNOWN, is_traced};
use crate::values::{TRNode, TRScalar};
use pyo3::Borrowed;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyString};

/// The double of a float or a TR scalar.
#[inline(always)]
pub(crate) fn common_number(object: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(float) = object.cast_exact::<PyFloat>() {
        return Some(float.value());
    }
    payload::<TRScalar>(object).map(|scalar| scalar.0.to_ieee())
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

/// What an array of one object and no dimensions holds, as ``np.asarray`` makes of a node: the operand that
/// is meant. `None` for anything else, also for an array in an array, and a masked one.
pub(crate) fn element<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if is_scalar(object) {
        return Ok(None);
    }
    let attribute = |name: &str| object.getattr_opt(name);
    let Some(kind) = attribute("dtype")?.map_or(Ok(None), |dtype| dtype.getattr_opt("kind"))? else {
        return Ok(None);
    };
    let Some(dimensions) = attribute("ndim")? else { return Ok(None) };
    if !kind.eq("O")? || !dimensions.eq(0)? || attribute("mask")?.is_some() {
        return Ok(None);
    }
    let item = object.call_method0("item")?;
    let is_array = item.is_instance(&object.get_type())?;
    Ok(if is_array { None } else { Some(item) })
}

/// Operands, each taken out of the array if it is one of one object and no dimensions. They own what they
/// are: an array may be given another object at any time.
pub(crate) fn taken_out<'py>(operands: &[&Bound<'py, PyAny>]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let taken_out =
        |operand: &&Bound<'py, PyAny>| Ok(element(operand)?.unwrap_or_else(|| (*operand).clone()));
    operands.iter().map(taken_out).collect()
}

/// Whether it is a number or a node at first sight.
fn is_scalar(object: &Bound<'_, PyAny>) -> bool {
    is_number(object) || object.is_exact_instance_of::<PyInt>() || is_traced(object)
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
pub(crate) fn other_number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
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
        || is_traced(object)
    {
        return Ok(None);
    }
    if let Some(dimensions) = object.getattr_opt("ndim")?
        && !dimensions.eq(0)?
    {
        return Ok(None);
    }
    // Of NumPy's kinds only the real ones; a complex number would lose its imaginary part, and an array of
    // one object is what that object is.
    if let Some(dtype) = object.getattr_opt("dtype")?
        && let Some(kind) = dtype.getattr_opt("kind")?
    {
        match kind.extract()? {
            "f" | "i" | "u" | "b" => (),
            "O" => return element(object)?.map_or(Ok(None), |item| number(&item)),
            _ => return Ok(None),
        }
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

/// The double, or a `TypeError` that says what is accepted.
pub(crate) fn expect_number(object: &Bound<'_, PyAny>) -> PyResult<f64> {
    number(object)?.ok_or_else(|| not_a_number(object, "a TRScalar or a number"))
}

/// The error for an object that is none of the things expected.
pub(crate) fn not_a_number(object: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let class = object.get_type().name().map(|n| n.to_string()).unwrap_or_default();
    let hint = match object.getattr_opt("ndim") {
        Ok(Some(_)) => "; apply the function to the array's elements one by one".to_owned(),
        _ if class == "TRNode" => "; take its value".to_owned(),
        _ if is_traced(object) => format!(", whose value {UNKNOWN}"),
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

/// Whether it is a node, a TR scalar or a float.
fn is_number(object: &Bound<'_, PyAny>) -> bool {
    payload::<TRNode>(object).is_some() || common_number(object).is_some()
}

/// An exponent of an integer type, which fits in 32 bits; `None` for anything else.
pub(crate) fn integer_exponent(object: &Bound<'_, PyAny>) -> PyResult<Option<i32>> {
    let exponent = match object.cast_exact::<PyInt>() {
        Ok(int) => int.extract::<i32>(),
        Err(_) if is_number(object) => return Ok(None),
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

/// A double argument: any number, one beyond the range as ±∞, so that range checks see it.
#[derive(Clone, Copy)]
pub(crate) struct Double(pub f64);

impl<'py> FromPyObject<'_, 'py> for Double {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        expect_number(&object).map(Self)
    }
}
