//! The operators of tracers and traced conditions.

use super::conditions::logical;
use super::objects::{TracedCondition, Tracer, UNKNOWN, is_traced};
use super::recording::record;
use crate::arrays::{is_array, operator_of, with_array};
use crate::number::integer_exponent;
use crate::operand::operand;
use crate::scalar::no_modulus;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use zeroproof::Op;
use zeroproof::batch::{Kind, Predicate};

/// The error for asking a tracer for `what`.
#[cold]
fn unknown<T>(what: &str, hint: &str) -> PyResult<T> {
    Err(PyTypeError::new_err(format!("{what} of a tracer {UNKNOWN}{hint}")))
}

const CONDITIONS: &str = "; conditions for tr_where are made by tr_less, tr_equal, tr_is_real and their like";
const FUNCTIONS: &str = "; the functions of math have counterparts such as tr_sin";

/// What nodes have and tracers have not: values, and what a backward pass leaves.
const VALUES: [&str; 3] = ["value", "tag", "item"];
const GRAPH: [&str; 9] = [
    "gradient",
    "gradient_status",
    "requires_grad",
    "is_leaf",
    "op",
    "inputs",
    "backward",
    "zero_grad",
    "detach",
];

/// `op(a, b)` for an operator, one of them the tracer.
fn binary<'py>(op: Op, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let known = |object: &Bound<'py, PyAny>| -> PyResult<bool> {
        Ok(is_traced(object) || operand(object)?.is_some())
    };
    if known(a)? && known(b)? {
        record(Kind::Elementwise(op), &[a, b])
    } else {
        with_array(operator_of(op), a, b)
    }
}

#[pymethods]
impl Tracer {
    fn __add__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Add, slf, other)
    }

    fn __radd__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Add, other, slf)
    }

    fn __sub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Sub, slf, other)
    }

    fn __rsub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Sub, other, slf)
    }

    fn __mul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Mul, slf, other)
    }

    fn __rmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Mul, other, slf)
    }

    fn __truediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Div, slf, other)
    }

    fn __rtruediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Div, other, slf)
    }

    fn __mod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Remainder, slf, other)
    }

    fn __rmod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(Op::Remainder, other, slf)
    }

    fn __pow__<'py>(
        slf: &Bound<'py, Self>,
        n: &Bound<'py, PyAny>,
        modulus: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        no_modulus(modulus)?;
        match integer_exponent(n)? {
            Some(0) => record(Kind::Elementwise(Op::Unit), &[slf]),
            Some(n) => record(Kind::Power(n), &[slf]),
            None => binary(Op::Pow, slf, n),
        }
    }

    fn __rpow__<'py>(
        slf: &Bound<'py, Self>,
        base: &Bound<'py, PyAny>,
        modulus: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        no_modulus(modulus)?;
        binary(Op::Pow, base, slf)
    }

    fn __neg__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        record(Kind::Elementwise(Op::Neg), &[slf])
    }

    fn __abs__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        record(Kind::Elementwise(Op::Abs), &[slf])
    }

    fn __pos__<'py>(slf: Bound<'py, Self>) -> Bound<'py, Self> {
        slf
    }

    fn __bool__(&self) -> PyResult<bool> {
        unknown("the truth", CONDITIONS)
    }

    fn __float__(&self) -> PyResult<f64> {
        unknown("the number", FUNCTIONS)
    }

    fn __int__(&self) -> PyResult<i64> {
        unknown("the number", "")
    }

    fn __index__(&self) -> PyResult<i64> {
        Err(PyTypeError::new_err(format!(
            "the number of a tracer {UNKNOWN}; an array is read at a place that is computed by \
             tr_take(array, index)"
        )))
    }

    fn __len__(&self) -> PyResult<usize> {
        Err(PyTypeError::new_err("a tracer stands for one number of each sample and has no length"))
    }

    fn __iter__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err("a tracer stands for one number of each sample and has no elements"))
    }

    fn __richcmp__(&self, _other: &Bound<'_, PyAny>, _op: CompareOp) -> PyResult<bool> {
        unknown("a comparison", CONDITIONS)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        slf.as_ptr() as usize >> 4
    }

    fn __getattr__(&self, name: &str) -> PyResult<Py<PyAny>> {
        if VALUES.contains(&name) {
            unknown(&format!("the {name}"), CONDITIONS)
        } else if GRAPH.contains(&name) {
            Err(PyTypeError::new_err(format!(
                "a tracer has no {name}: the function is traced once and replayed on all samples; \
                 value_and_grad and jacobian of the tr_vmap object differentiate it"
            )))
        } else {
            Err(PyAttributeError::new_err(format!("'Tracer' object has no attribute '{name}'")))
        }
    }

    fn __repr__(&self) -> String {
        format!("Tracer(node {})", self.node)
    }
}

/// `predicate(a, b)` for an operator; an array is left to NumPy, which comes back for each element.
fn combine<'py>(
    predicate: Predicate,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    for object in [a, b] {
        if is_array(object)? {
            return Ok(py.NotImplemented().into_bound(py));
        }
    }
    logical(predicate, &[a, b])
}

#[pymethods]
impl TracedCondition {
    fn __and__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        combine(Predicate::And, slf, other)
    }

    fn __rand__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        combine(Predicate::And, other, slf)
    }

    fn __or__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        combine(Predicate::Or, slf, other)
    }

    fn __ror__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        combine(Predicate::Or, other, slf)
    }

    fn __invert__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        logical(Predicate::Not, &[slf])
    }

    fn __bool__(&self) -> PyResult<bool> {
        let hint = "; combine conditions with &, | and ~, or with tr_and, tr_or and tr_not";
        Err(PyTypeError::new_err(format!("whether a traced condition holds {UNKNOWN}{hint}")))
    }

    fn __richcmp__(&self, _other: &Bound<'_, PyAny>, _op: CompareOp) -> PyResult<bool> {
        self.__bool__()
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        slf.as_ptr() as usize >> 4
    }

    fn __repr__(&self) -> String {
        format!("TracedCondition(node {})", self.node)
    }
}
