//! `TRScalar`.

use crate::enums;
use crate::number::{expect_number, exponent, number};
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use zeroproof::{Reduction, TrScalar, TrTag};

/// A transreal number: a finite double (REAL), +∞, −∞ or nullity Φ.
///
/// Immutable. Every operation is total and never raises for a value. Make one with
/// ``real(x)``, ``pinf()``, ``ninf()``, ``phi()`` or ``from_ieee(x)``.
#[pyclass(frozen, name = "TRScalar", module = "zeroproof.core")]
pub(crate) struct TRScalar(pub TrScalar);

impl From<f64> for TRScalar {
    fn from(value: f64) -> Self {
        Self(value.into())
    }
}

/// Applies `f` to this value and another operand; `NotImplemented` leaves the word to the other.
fn binary<'py>(
    this: &TRScalar,
    other: &Bound<'py, PyAny>,
    f: impl FnOnce(TrScalar, TrScalar) -> TrScalar,
) -> PyResult<Bound<'py, PyAny>> {
    let py = other.py();
    if other.is_exact_instance_of::<crate::node::TRNode>() {
        return Ok(py.NotImplemented().into_bound(py));
    }
    match number(other)? {
        Some(b) => Ok(Bound::new(py, TRScalar(f(this.0, b.into())))?.into_any()),
        None => Ok(py.NotImplemented().into_bound(py)),
    }
}

#[pymethods]
impl TRScalar {
    /// Every double has its TR value: infinities keep their sign and every NaN is Φ.
    #[new]
    #[pyo3(signature = (value, /))]
    fn new(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        expect_number(value).map(Self::from)
    }

    /// The number of a REAL, NaN for every other tag.
    #[getter]
    fn value(&self) -> f64 {
        if self.0.is_real() { self.0.to_ieee() } else { f64::NAN }
    }

    /// The class of the value.
    #[getter]
    fn tag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        enums::tag(py, self.0.tag())
    }

    // NumPy numbers on the left leave the operation to this class.
    #[classattr]
    fn __array_ufunc__() -> Option<bool> {
        None
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |a, b| a + b)
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |b, a| a + b)
    }

    fn __sub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |a, b| a - b)
    }

    fn __rsub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |b, a| a - b)
    }

    fn __mul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |a, b| a * b)
    }

    fn __rmul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |b, a| a * b)
    }

    fn __truediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |a, b| a / b)
    }

    fn __rtruediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(self, other, |b, a| a / b)
    }

    fn __neg__(&self) -> Self {
        Self(-self.0)
    }

    fn __pos__(&self) -> Self {
        Self(self.0)
    }

    fn __abs__(&self) -> Self {
        Self(self.0.abs())
    }

    fn __pow__(&self, n: &Bound<'_, PyAny>, modulus: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        no_modulus(modulus)?;
        Ok(Self(self.0.pow_int(exponent(n)?)))
    }

    fn __bool__(&self) -> bool {
        self.0.is_truthy()
    }

    fn __float__(&self) -> f64 {
        self.0.to_ieee()
    }

    fn __hash__(&self) -> u64 {
        hash(self.0)
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        if other.is_exact_instance_of::<crate::node::TRNode>() {
            return Ok(py.NotImplemented().into_bound(py));
        }
        compare(self.0, number(other)?, op, py)
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        text(self.0, py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("TRScalar({})", text(self.0, py)?))
    }

    fn __format__(&self, py: Python<'_>, spec: &str) -> PyResult<String> {
        format(self.0, spec, py)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, (f64,)) {
        (py.get_type::<Self>().into_any(), (self.0.to_ieee(),))
    }
}

/// Refuses `pow(a, n, modulus)`.
pub(crate) fn no_modulus(modulus: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    match modulus {
        None => Ok(()),
        Some(_) => Err(pyo3::exceptions::PyTypeError::new_err("pow() with a modulus is not defined here")),
    }
}

fn hash(value: TrScalar) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The transreal comparison with a number, `NotImplemented` for what is none.
pub(crate) fn compare<'py>(
    this: TrScalar,
    other: Option<f64>,
    op: CompareOp,
    py: Python<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(other) = other.map(TrScalar::from) else {
        return Ok(py.NotImplemented().into_bound(py));
    };
    let result = match op {
        CompareOp::Eq => this == other,
        CompareOp::Ne => this != other,
        CompareOp::Lt => this < other,
        CompareOp::Le => this.tag() != TrTag::Phi && this <= other,
        CompareOp::Gt => this > other,
        CompareOp::Ge => this.tag() != TrTag::Phi && this >= other,
    };
    Ok(result.into_pyobject(py)?.to_owned().into_any())
}

/// A REAL as Python writes a float; `+∞`, `−∞` and `Φ` otherwise.
pub(crate) fn text(value: TrScalar, py: Python<'_>) -> PyResult<String> {
    if value.is_real() { Ok(PyFloat::new(py, value.to_ieee()).repr()?.to_string()) } else { Ok(value.to_string()) }
}

/// A REAL as a float with this format; the symbols of the others take its width and alignment.
pub(crate) fn format(value: TrScalar, spec: &str, py: Python<'_>) -> PyResult<String> {
    if spec.is_empty() {
        return text(value, py);
    }
    let number = PyFloat::new(py, value.to_ieee()).call_method1("__format__", (spec,))?.to_string();
    if value.is_real() {
        return Ok(number);
    }
    let (symbol, width) = (value.to_string(), number.chars().count());
    let number = number.trim_end_matches('%');
    let padded = number.len() != number.trim().len() || width > "-inf%".len();
    Ok(match (padded, number.starts_with(' '), number.ends_with(' ')) {
        (false, ..) => symbol,
        (true, true, true) => format!("{symbol:^width$}"),
        (true, false, true) => format!("{symbol:<width$}"),
        (true, ..) => format!("{symbol:>width$}"),
    })
}

/// A REAL value: a finite number.
///
/// Raises:
///     ValueError: for an infinity or a NaN; ``from_ieee`` takes those.
#[pyfunction]
fn real(value: &Bound<'_, PyAny>) -> PyResult<TRScalar> {
    let number = expect_number(value)?;
    TrScalar::real(number).map(TRScalar).ok_or_else(|| {
        PyValueError::new_err(format!(
            "real() takes a finite number, not {number}; from_ieee() takes every double"
        ))
    })
}

/// Positive infinity.
#[pyfunction]
fn pinf() -> TRScalar {
    TRScalar(TrScalar::PINF)
}

/// Negative infinity.
#[pyfunction]
fn ninf() -> TRScalar {
    TRScalar(TrScalar::NINF)
}

/// Nullity, the value of 0/0.
#[pyfunction]
fn phi() -> TRScalar {
    TRScalar(TrScalar::PHI)
}

/// The doubles of a sequence of numbers and TR scalars.
fn doubles(values: &Bound<'_, PyAny>) -> PyResult<Vec<TrScalar>> {
    values.try_iter()?.map(|value| Ok(expect_number(&value?)?.into())).collect()
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident |$values:ident, $mode:ident| $body:expr;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (values, mode=None))]
            fn $name(values: &Bound<'_, PyAny>, mode: Option<&Bound<'_, PyAny>>) -> PyResult<TRScalar> {
                let $mode = mode.map_or(Ok(Reduction::Strict), enums::to_reduction)?;
                let $values = &doubles(values)?[..];
                Ok(TRScalar($body))
            }
        )*

        fn register_reductions(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}

reductions! {
    /// The sum of the values that ``mode`` keeps, folded in order; the empty sum is 0.
    ///
    /// Args:
    ///     values: TR scalars or numbers.
    ///     mode: ``ReductionMode``, STRICT unless given.
    scalar_sum |values, mode| mode.sum(values);
    /// The mean of the values that ``mode`` keeps; nothing kept is 0/0 = Φ.
    scalar_mean |values, mode| mode.mean(values);
    /// The product of the values that ``mode`` keeps; the empty product is 1.
    scalar_prod |values, mode| mode.prod(values);
    /// The smallest of the values that ``mode`` keeps; Φ if nothing is kept.
    scalar_min |values, mode| mode.min(values).unwrap_or(TrScalar::PHI);
    /// The largest of the values that ``mode`` keeps; Φ if nothing is kept.
    scalar_max |values, mode| mode.max(values).unwrap_or(TrScalar::PHI);
}

/// The TR scalars of a flat list of doubles.
#[pyfunction]
fn scalars_from_doubles<'py>(py: Python<'py>, values: Vec<f64>) -> PyResult<Bound<'py, PyList>> {
    let scalars: Vec<_> = values.into_iter().map(|v| Bound::new(py, TRScalar::from(v))).collect::<Result<_, _>>()?;
    PyList::new(py, scalars)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TRScalar>()?;
    for function in [
        wrap_pyfunction!(real, module)?,
        wrap_pyfunction!(pinf, module)?,
        wrap_pyfunction!(ninf, module)?,
        wrap_pyfunction!(phi, module)?,
        wrap_pyfunction!(scalars_from_doubles, module)?,
    ] {
        module.add_function(function)?;
    }
    register_reductions(module)
}
