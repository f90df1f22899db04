//! The op table as Python functions: `scalar_NAME` on TR scalars, `node_NAME` on nodes.

use crate::node::{TRNode, record_binary, record_reduction, record_unary};
use crate::number::{Operand, expect_operand, exponent};
use crate::scalar::TRScalar;
use pyo3::prelude::*;
use pyo3::types::PyList;
use zeroproof::{Op, Reduction};

/// A TR scalar if every operand is a value, a node if one is a node.
fn scalar_or_node<'py>(
    py: Python<'py>,
    op: Op,
    operands: [Operand; 2],
    record: impl FnOnce([Operand; 2]) -> TRNode,
) -> PyResult<Bound<'py, PyAny>> {
    match operands {
        [Operand::Value(a), Operand::Value(b)] => {
            Ok(Bound::new(py, TRScalar::from(op.value(a, b)))?.into_any())
        }
        operands => Ok(Bound::new(py, record(operands))?.into_any()),
    }
}

macro_rules! functions {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        mod on_scalars {
            use super::*;
            $(functions! { @scalar $arity $op $name $formula })*
        }

        mod on_nodes {
            use super::*;
            $(functions! { @node $arity $op $name $formula })*
        }

        fn register_elementwise(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(
                module.add(concat!("scalar_", stringify!($name)), wrap_pyfunction!(on_scalars::$name, module)?)?;
                module.add(concat!("node_", stringify!($name)), wrap_pyfunction!(on_nodes::$name, module)?)?;
            )*
            Ok(())
        }
    };
    (@scalar Unary $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes a TRScalar or a number and returns a TRScalar; a node gives a node.")]
        #[pyfunction]
        pub(super) fn $name<'py>(a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
            let py = a.py();
            let operands = [expect_operand(a)?, Operand::Value(0.0)];
            scalar_or_node(py, Op::$op, operands, |[a, _]| record_unary(py, Op::$op, a, 0))
        }
    };
    (@scalar Binary $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes TRScalars or numbers and returns a TRScalar; a node gives a node.")]
        #[pyfunction]
        pub(super) fn $name<'py>(a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
            let py = a.py();
            let operands = [expect_operand(a)?, expect_operand(b)?];
            scalar_or_node(py, Op::$op, operands, |[a, b]| record_binary(py, Op::$op, a, b))
        }
    };
    (@scalar Power $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes a TRScalar or a number and an int; a node gives a node.")]
        #[pyfunction]
        pub(super) fn $name<'py>(a: &Bound<'py, PyAny>, n: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
            let (py, n) = (a.py(), exponent(n)?);
            let operands = [expect_operand(a)?, Operand::Value(f64::from(n))];
            match operands {
                [Operand::Value(a), Operand::Value(n)] => {
                    Ok(Bound::new(py, TRScalar::from(Op::$op.value(a, n)))?.into_any())
                }
                [a, _] => Ok(Bound::new(py, record_unary(py, Op::$op, a, n))?.into_any()),
            }
        }
    };
    (@node Unary $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes a TRNode, TRScalar or number and returns a TRNode.")]
        #[pyfunction]
        pub(super) fn $name(a: &Bound<'_, PyAny>) -> PyResult<TRNode> {
            Ok(record_unary(a.py(), Op::$op, expect_operand(a)?, 0))
        }
    };
    (@node Binary $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes TRNodes, TRScalars or numbers and returns a TRNode.")]
        #[pyfunction]
        pub(super) fn $name(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<TRNode> {
            Ok(record_binary(a.py(), Op::$op, expect_operand(a)?, expect_operand(b)?))
        }
    };
    (@node Power $op:ident $name:ident $formula:literal) => {
        #[doc = concat!($formula, "\n\nTakes a TRNode, TRScalar or number and an int; returns a TRNode.")]
        #[pyfunction]
        pub(super) fn $name(a: &Bound<'_, PyAny>, n: &Bound<'_, PyAny>) -> PyResult<TRNode> {
            Ok(record_unary(a.py(), Op::$op, expect_operand(a)?, exponent(n)?))
        }
    };
}
zeroproof::for_each_elementwise_op! { functions }

/// The sum of the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(signature = (values, mode=None))]
fn node_sum(values: &Bound<'_, PyAny>, mode: Option<&Bound<'_, PyAny>>) -> PyResult<TRNode> {
    record_reduction(values, Op::Sum, mode.map_or(Ok(Reduction::Strict), crate::enums::to_reduction)?)
}

/// The mean of the nodes that ``mode`` keeps; the others are silenced.
///
/// Args:
///     values: TRNodes, TRScalars or numbers.
///     mode: ``ReductionMode``, STRICT unless given.
#[pyfunction]
#[pyo3(signature = (values, mode=None))]
fn node_mean(values: &Bound<'_, PyAny>, mode: Option<&Bound<'_, PyAny>>) -> PyResult<TRNode> {
    record_reduction(values, Op::Mean, mode.map_or(Ok(Reduction::Strict), crate::enums::to_reduction)?)
}

/// The op table: (name, arity, formula, low, high), where the op is smooth between low and high.
#[pyfunction]
fn op_table(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = Op::ALL.iter().map(|op| {
        let (low, high) = op.domain();
        (op.name(), format!("{:?}", op.arity()).to_lowercase(), op.formula(), low, high)
    });
    PyList::new(py, rows.collect::<Vec<_>>())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    register_elementwise(module)?;
    module.add_function(wrap_pyfunction!(node_sum, module)?)?;
    module.add_function(wrap_pyfunction!(node_mean, module)?)?;
    module.add_function(wrap_pyfunction!(op_table, module)?)
}
