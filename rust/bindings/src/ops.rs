//! The op table as Python functions. Each is public as `tr_NAME`; this module holds it as `_op_NAME`, which
//! answers in the kind of its operands, and as `_node_NAME`, which always records a node.

use crate::arrays::{broadcast, by_array_class, has_elements, refuse_masked};
use crate::docs::{Kind, docstring};
use crate::enums;
use crate::errors::push;
use crate::flags;
use crate::number::{element, exponent, number, taken_out};
use crate::operand::{Operand, expect_operand};
use crate::raw::{Arguments, method, new_object, set_functions};
use crate::record::{record_binary, record_reduction, record_unary};
use crate::scalar::computed;
use crate::tracer::objects::is_traced;
use crate::tracer::recording;
use crate::values::{TRNode, TRScalar};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::ffi::CStr;
use zeroproof::op::Arity;
use zeroproof::{Op, Reduction, TrScalar, batch};

/// Records an op.
type Recorder = fn(Python<'_>, Op, Operand, Operand) -> PyResult<TRNode>;

/// The op on values, as a TR scalar, or on nodes, as a node.
#[inline(always)]
fn in_kind<'py>(
    py: Python<'py>,
    op: Op,
    a: Operand,
    b: Operand,
    record: Recorder,
) -> PyResult<Bound<'py, PyAny>> {
    match (a, b) {
        (Operand::Value(a), Operand::Value(b)) => new_object(py, computed(op, a, b)),
        (a, b) => new_object(py, record(py, op, a, b)?),
    }
}

/// Records an op of one operand; the other is the exponent, or nothing.
#[inline(always)]
fn record_first(py: Python<'_>, op: Op, a: Operand, n: Operand) -> PyResult<TRNode> {
    let n = if let Operand::Value(n) = n { n as i32 } else { 0 };
    record_unary(py, op, a, n)
}

/// The op on operands that are neither tracers nor arrays, when its kind is not known beforehand.
fn on_operands<'py>(op: Op, operands: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    let a = expect_operand(&operands[0])?;
    let (b, record): (_, Recorder) = match op.arity() {
        Arity::Power => (Operand::Value(f64::from(exponent(&operands[1])?)), record_first),
        Arity::Binary => (expect_operand(&operands[1])?, record_binary),
        _ => (Operand::Value(0.0), record_first),
    };
    // Once: the code of all ops is in line.
    in_kind(operands[0].py(), op, a, b, record)
}

/// The op on operands at least one of which is a tracer.
fn on_tracers<'py>(op: Op, operands: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    let all: Vec<_> = operands.iter().collect();
    match op.arity() {
        Arity::Power => recording::record(batch::Kind::Power(exponent(all[1])?), &all[..1]),
        _ => recording::record(batch::Kind::Elementwise(op), &all),
    }
}

fn on_elements<'py>(op: Op, operands: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    if operands.iter().any(is_traced) { on_tracers(op, operands) } else { on_operands(op, operands) }
}

/// A call that failed, if it did so because of a tracer or an array among its arguments; else gives `error`
/// back. Arrays are for functions that answer in kind.
#[cold]
#[inline(never)]
fn otherwise<'py>(
    op: Op,
    kind: Kind,
    arguments: &Arguments<'_, 'py>,
    error: PyErr,
) -> PyResult<Bound<'py, PyAny>> {
    let given: Vec<_> = arguments.unnamed().into_iter().flatten().map(|argument| &**argument).collect();
    let operands = taken_out(&given)?;
    let expected = if op.arity() == Arity::Unary { 1 } else { 2 };
    let [first, ..] = &operands[..] else { return Err(error) };
    let py = first.py();
    if operands.len() != expected || !error.is_instance_of::<PyTypeError>(py) {
        return Err(error);
    }
    if kind == Kind::InKind
        && let Some(answer) = by_array_class(op.name(), &operands)?
    {
        return Ok(answer);
    }
    let mut arrays = false;
    for operand in &operands {
        arrays |= has_elements(operand)?;
    }
    if arrays && kind == Kind::InKind {
        broadcast(py, &operands, |elements| on_elements(op, elements))
    } else if operands.iter().any(is_traced) {
        on_tracers(op, &operands)
    } else if operands.iter().zip(given).any(|(operand, given)| !operand.is(given)) {
        on_operands(op, &operands)
    } else {
        Err(error)
    }
}

macro_rules! elementwise {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        fn elementwise(kind: Kind) -> Vec<pyo3::ffi::PyMethodDef> {
            match kind {
                Kind::InKind => vec![$(elementwise! { @in_kind $arity $op $name },)*],
                Kind::Lifted => vec![$(elementwise! { @lifted $arity $op $name },)*],
            }
        }
    };
    (@in_kind Unary $op:ident $name:ident) => {
        elementwise! { @define InKind $op $name |py, arguments| {
            let [a] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            in_kind(py, Op::$op, expect_operand(a)?, Operand::Value(0.0), record_first)
        } }
    };
    (@in_kind Binary $op:ident $name:ident) => {
        elementwise! { @define InKind $op $name |py, arguments| {
            let [a, b] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            in_kind(py, Op::$op, expect_operand(a)?, expect_operand(b)?, record_binary)
        } }
    };
    (@in_kind Power $op:ident $name:ident) => {
        elementwise! { @define InKind $op $name |py, arguments| {
            let [a, n] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            let n = Operand::Value(f64::from(exponent(n)?));
            in_kind(py, Op::$op, expect_operand(a)?, n, record_first)
        } }
    };
    (@lifted Unary $op:ident $name:ident) => {
        elementwise! { @define Lifted $op $name |py, arguments| {
            let [a] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            new_object(py, record_unary(py, Op::$op, expect_operand(a)?, 0)?)
        } }
    };
    (@lifted Binary $op:ident $name:ident) => {
        elementwise! { @define Lifted $op $name |py, arguments| {
            let [a, b] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            new_object(py, record_binary(py, Op::$op, expect_operand(a)?, expect_operand(b)?)?)
        } }
    };
    (@lifted Power $op:ident $name:ident) => {
        elementwise! { @define Lifted $op $name |py, arguments| {
            let [a, n] = arguments.exactly(concat!("tr_", stringify!($name)))?;
            new_object(py, record_unary(py, Op::$op, expect_operand(a)?, exponent(n)?)?)
        } }
    };
    (@define $kind:ident $op:ident $name:ident |$py:ident, $arguments:ident| $body:expr) => {
        method!(
            c_text(concat!("tr_", stringify!($name), "\0")),
            0,
            docstring(Op::$op, Kind::$kind),
            |$py, _module, $arguments| $body,
            else |error, arguments| otherwise(Op::$op, Kind::$kind, &arguments, error)
        )
    };
}

/// A literal that ends in its only NUL.
fn c_text(text: &'static str) -> &'static CStr {
    CStr::from_bytes_with_nul(text.as_bytes()).expect("names hold no NUL")
}

zeroproof::for_each_elementwise_op! { elementwise }

/// Reduces anything iterable.
fn reduce<'py>(
    py: Python<'py>,
    name: &str,
    op: Op,
    kind: Kind,
    arguments: &Arguments<'_, 'py>,
    fold: fn(Reduction, &[TrScalar]) -> TrScalar,
) -> PyResult<Bound<'py, PyAny>> {
    let [values, mode] = match arguments.positional() {
        Some([values]) => [Some(*values), None],
        None => arguments.named(name, ["values", "mode"], 1)?,
    };
    let mode = mode.filter(|mode| !mode.is_none());
    let mode = mode.map_or(Ok(Reduction::Strict), |mode| enums::to_reduction(&mode))?;
    let values = values.expect("a required argument");
    refuse_masked(&values)?;
    // Kept until the node is recorded: an iterator may be the only owner of what it yields.
    let mut objects = vec![];
    for object in values.try_iter()? {
        let object = object?;
        push(&mut objects, element(&object)?.unwrap_or(object))?;
    }
    if kind == Kind::InKind
        && let Some(values) = numbers(&objects)?
    {
        return new_object(py, TRScalar(flags::keeping(|| fold(mode, &values))));
    }
    let expected = || {
        let mut operands = vec![];
        objects.iter().try_for_each(|object| push(&mut operands, expect_operand(object)?))?;
        Ok(operands)
    };
    match expected() {
        Ok(operands) => new_object(py, record_reduction(py, &operands, op, mode)?),
        Err(_) if objects.iter().any(is_traced) => {
            recording::record(batch::Kind::Fold(op, mode), &objects.iter().collect::<Vec<_>>())
        }
        Err(error) => Err(error),
    }
}

/// The values of objects that are all TR scalars or numbers.
fn numbers(objects: &[Bound<'_, PyAny>]) -> PyResult<Option<Vec<TrScalar>>> {
    let mut values = vec![];
    for object in objects {
        let Some(value) = number(object)? else { return Ok(None) };
        push(&mut values, value.into())?;
    }
    Ok(Some(values))
}

macro_rules! variadic {
    ($(($op:ident, $name:ident, $formula:literal))*) => {
        fn variadic(kind: Kind) -> Vec<pyo3::ffi::PyMethodDef> {
            match kind {
                Kind::InKind => vec![$(variadic! { @define InKind $op $name },)*],
                Kind::Lifted => vec![$(variadic! { @define Lifted $op $name },)*],
            }
        }
    };
    (@define $kind:ident $op:ident $name:ident) => {
        method!(
            c_text(concat!("tr_", stringify!($name), "\0")),
            0,
            docstring(Op::$op, Kind::$kind),
            |py, _module, arguments| {
                let name = concat!("tr_", stringify!($name));
                reduce(py, name, Op::$op, Kind::$kind, &arguments, |mode, values| mode.$name(values))
            }
        )
    };
}

zeroproof::for_each_variadic_op! { variadic }

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for (kind, prefix, home) in
        [(Kind::InKind, "_op_", "zeroproof.core"), (Kind::Lifted, "_node_", "zeroproof.autodiff.tr_ops_grad")]
    {
        set_functions(module, prefix, home, elementwise(kind))?;
        set_functions(module, prefix, home, variadic(kind))?;
    }
    Ok(())
}
