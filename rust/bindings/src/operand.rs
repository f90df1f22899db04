//! Operands: nodes, and numbers as doubles.

use crate::arena::{self, NodeRef};
use crate::number::{common_number, element, not_a_number, other_number};
use crate::raw::payload;
use crate::values::TRNode;
use pyo3::prelude::*;
use zeroproof::TrScalar;

/// An operand of an arithmetic operation.
#[derive(Clone, Copy)]
pub(crate) enum Operand<Node = NodeRef> {
    /// A node; its handle, once the arena is borrowed that it is in.
    Node(Node),
    /// A TR scalar or any number, as its double.
    Value(f64),
}

impl Operand {
    /// The value, of a node that of the node.
    pub(crate) fn value(self, py: Python<'_>) -> f64 {
        match self {
            Self::Node(node) => {
                let (arena, node) = arena::at(py, node);
                arena.graph.value(node).to_ieee()
            }
            Self::Value(value) => value,
        }
    }
}

/// The objects that nearly all operands are, in the order of their frequency.
#[inline(always)]
fn common_operand(object: &Bound<'_, PyAny>) -> Option<Operand> {
    if let Some(node) = payload::<TRNode>(object) {
        return Some(Operand::Node(node.0));
    }
    common_number(object).map(Operand::Value)
}

/// What an object is as an operand; `None` if it is no number.
#[inline(always)]
pub(crate) fn operand(object: &Bound<'_, PyAny>) -> PyResult<Option<Operand>> {
    match common_operand(object) {
        Some(operand) => Ok(Some(operand)),
        None => Ok(other_number(object)?.map(Operand::Value)),
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

/// The value of a number, TR scalar or node, also of one that an array without dimensions holds.
pub(crate) fn value_of(object: &Bound<'_, PyAny>) -> PyResult<f64> {
    match element(object)? {
        Some(element) => Ok(expect_operand(&element)?.value(object.py())),
        None => Ok(expect_operand(object)?.value(object.py())),
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
        Some(operand) => Comparand::Value(operand.value(object.py()).into()),
        None => match other_number(object)? {
            Some(number) if number.is_nan() => Comparand::Value(TrScalar::PHI),
            Some(_) => Comparand::Number(object.clone()),
            None => Comparand::Other,
        },
    })
}
