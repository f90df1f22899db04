//! The op table as Python functions. Each is called `tr_NAME` where it is public; this module holds
//! it as `scalar_NAME`, on TR scalars, and as `node_NAME`, on nodes.

use crate::enums;
use crate::node::{TRNode, record_binary, record_reduction, record_unary};
use crate::number::{Operand, expect_operand, exponent};
use crate::raw::{method, new_object, set_functions};
use crate::scalar::TRScalar;
use crate::tracer;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::ffi::CStr;
use zeroproof::{Op, Reduction};

/// The op on values, as a TR scalar, or on nodes, as a node.
#[inline(always)]
fn scalar_or_node<'py>(
    py: Python<'py>,
    op: Op,
    a: Operand,
    b: Operand,
    record: fn(Python<'_>, Op, Operand, Operand) -> PyResult<TRNode>,
) -> PyResult<Bound<'py, PyAny>> {
    match (a, b) {
        (Operand::Value(a), Operand::Value(b)) => new_object(py, TRScalar::from(op.value(a, b))),
        (a, b) => new_object(py, record(py, op, a, b)?),
    }
}

/// Records an op of one operand; the other is the exponent, or nothing.
fn record_first(py: Python<'_>, op: Op, a: Operand, n: Operand) -> PyResult<TRNode> {
    let n = if let Operand::Value(n) = n { n as i32 } else { 0 };
    record_unary(py, op, a, n)
}

macro_rules! functions {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        fn on_scalars() -> Vec<pyo3::ffi::PyMethodDef> {
            vec![$(functions! { @scalar $arity $op $name $formula },)*]
        }

        fn on_nodes() -> Vec<pyo3::ffi::PyMethodDef> {
            vec![$(functions! { @node $arity $op $name $formula },)*]
        }
    };
    (@scalar Unary $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, /)" $formula
            "Takes a TRScalar or a number and returns a TRScalar; a node gives a node."
            |py, arguments| {
                let [a] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                scalar_or_node(py, Op::$op, expect_operand(a)?, Operand::Value(0.0), record_first)
            }
        }
    };
    (@scalar Binary $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, b, /)" $formula
            "Takes TRScalars or numbers and returns a TRScalar; a node gives a node."
            |py, arguments| {
                let [a, b] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                scalar_or_node(py, Op::$op, expect_operand(a)?, expect_operand(b)?, record_binary)
            }
        }
    };
    (@scalar Power $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, n, /)" $formula
            "Takes a TRScalar or a number, and an int; a node gives a node."
            |py, arguments| {
                let [a, n] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                let n = Operand::Value(f64::from(exponent(n)?));
                scalar_or_node(py, Op::$op, expect_operand(a)?, n, record_first)
            }
        }
    };
    (@node Unary $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, /)" $formula
            "Takes a TRNode, TRScalar or number and returns a TRNode."
            |py, arguments| {
                let [a] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                new_object(py, record_unary(py, Op::$op, expect_operand(a)?, 0)?)
            }
        }
    };
    (@node Binary $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, b, /)" $formula
            "Takes TRNodes, TRScalars or numbers and returns a TRNode."
            |py, arguments| {
                let [a, b] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                new_object(py, record_binary(py, Op::$op, expect_operand(a)?, expect_operand(b)?)?)
            }
        }
    };
    (@node Power $op:ident $name:ident $formula:literal) => {
        functions! { @define $op $name "(a, n, /)" $formula
            "Takes a TRNode, TRScalar or number, and an int; returns a TRNode."
            |py, arguments| {
                let [a, n] = arguments.exactly(concat!("tr_", stringify!($name)))?;
                new_object(py, record_unary(py, Op::$op, expect_operand(a)?, exponent(n)?)?)
            }
        }
    };
    (@define $op:ident $name:ident $signature:literal $formula:literal $takes:literal
        |$py:ident, $arguments:ident| $body:expr) => {
        method!(
            c_text(concat!("tr_", stringify!($name), "\0")),
            0,
            c_text(concat!("tr_", stringify!($name), $signature, "\n--\n\n", $formula, "\n\n", $takes, "\0")),
            |$py, _module, $arguments| $body,
            else |error, arguments| tracer::record_op(Op::$op, &arguments, error)
        )
    };
}

/// A literal that ends in its only NUL.
fn c_text(text: &'static str) -> &'static CStr {
    CStr::from_bytes_with_nul(text.as_bytes()).expect("names and docs hold no NUL")
}

zeroproof::for_each_elementwise_op! { functions }

/// Records a reduction of anything iterable.
fn reduce<'py>(
    values: &Bound<'py, PyAny>,
    op: Op,
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mode = mode.map_or(Ok(Reduction::Strict), enums::to_reduction)?;
    // Kept until the node is recorded: an iterator may be the only owner of what it yields.
    let objects: Vec<_> = values.try_iter()?.collect::<PyResult<_>>()?;
    record_reduction(values.py(), &objects, op, mode)
}

/// The sum of the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(name = "tr_sum", signature = (values, mode=None))]
fn node_sum<'py>(
    values: &Bound<'py, PyAny>,
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(values, Op::Sum, mode)
}

/// The mean of the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(name = "tr_mean", signature = (values, mode=None))]
fn node_mean<'py>(
    values: &Bound<'py, PyAny>,
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(values, Op::Mean, mode)
}

/// The norm ``√Σx²`` of the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(name = "tr_norm", signature = (values, mode=None))]
fn node_norm<'py>(
    values: &Bound<'py, PyAny>,
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(values, Op::Norm, mode)
}

/// ``ln Σeˣ`` over the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(name = "tr_logsumexp", signature = (values, mode=None))]
fn node_logsumexp<'py>(
    values: &Bound<'py, PyAny>,
    mode: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(values, Op::Logsumexp, mode)
}

/// The op table: (name, arity, formula, low, high, partials, reason, singular), where the op is smooth
/// between low and high and singular is (distance, bounded partials) or None.
#[pyfunction]
fn op_table(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = Op::ALL.iter().map(|op| {
        let arity = format!("{:?}", op.arity()).to_lowercase();
        let (low, high) = op.facts().map_or((-4.0, 4.0), |facts| facts.smooth_on);
        let (partials, reason) = op.facts().map_or(("", ""), |facts| (facts.partials, facts.reason));
        let singular = op.singular().map(|pole| (pole.distance, pole.bounded));
        (op.name(), arity, op.formula(), low, high, partials, reason, singular)
    });
    PyList::new(py, rows.collect::<Vec<_>>())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    set_functions(module, "scalar_", "zeroproof.core", on_scalars())?;
    set_functions(module, "node_", "zeroproof.autodiff.tr_ops_grad", on_nodes())?;
    module.add("node_sum", wrap_pyfunction!(node_sum, module)?)?;
    module.add("node_mean", wrap_pyfunction!(node_mean, module)?)?;
    module.add("node_norm", wrap_pyfunction!(node_norm, module)?)?;
    module.add("node_logsumexp", wrap_pyfunction!(node_logsumexp, module)?)?;
    module.add_function(wrap_pyfunction!(op_table, module)?)
}
