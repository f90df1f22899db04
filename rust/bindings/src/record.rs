//! Recording: operations become nodes, and what begins with them is noted.

use crate::arena;
use crate::flags;
use crate::operand::Operand;
use crate::origins;
use crate::values::TRNode;
use pyo3::prelude::*;
use zeroproof::graph::aliases::Side;
use zeroproof::{Op, Reduction};

/// Records an op of two operands, at least one of them a node.
#[inline(always)]
pub(crate) fn record_binary(py: Python<'_>, op: Op, a: Operand, b: Operand) -> PyResult<TRNode> {
    let mut arena = arena::borrow(py);
    let graph = &mut arena.graph;
    let node = match (a, b) {
        (Operand::Node(a), Operand::Node(b)) => graph.binary_taking(op, a, b, None),
        (Operand::Node(a), Operand::Value(b)) => graph.binary_with_constant(op, a, b, None),
        (Operand::Value(a), Operand::Node(b)) => graph.constant_with_binary(op, a, b, None),
        (Operand::Value(a), Operand::Value(b)) => graph.computed_constant(op.value(a, b)),
    };
    let is_event = origins::is_event(graph, op, a, b, node.value);
    flags::after(op, node.value);
    drop(arena);
    let node = TRNode(node.handle);
    if is_event { origins::note(py, node, op, &[a, b]) } else { Ok(node) }
}

/// Records an op of one operand; `n` is the exponent of a power.
#[inline(always)]
pub(crate) fn record_unary(py: Python<'_>, op: Op, a: Operand, n: i32) -> PyResult<TRNode> {
    let exponent = Operand::Value(f64::from(n));
    let mut arena = arena::borrow(py);
    let graph = &mut arena.graph;
    let node = match a {
        Operand::Node(a) => graph.unary_with_immediate(op, a, n),
        Operand::Value(a) => graph.computed_constant(op.value(a, f64::from(n))),
    };
    let is_event = origins::is_event(graph, op, a, exponent, node.value);
    flags::after(op, node.value);
    drop(arena);
    let node = TRNode(node.handle);
    let operands = if op == Op::PowInt { &[a, exponent][..] } else { &[a] };
    if is_event { origins::note(py, node, op, operands) } else { Ok(node) }
}

/// Records a variadic op over operands, which live until it returns.
pub(crate) fn record_reduction(
    py: Python<'_>,
    operands: &[Operand],
    op: Op,
    mode: Reduction,
) -> PyResult<TRNode> {
    let (node, is_real) = arena::with(py, |arena| {
        let graph = &mut arena.graph;
        let handles: Vec<_> = operands
            .iter()
            .map(|operand| match *operand {
                Operand::Node(handle) => {
                    graph.retain(handle);
                    handle
                }
                Operand::Value(value) => graph.leaf(Op::Constant, value, None),
            })
            .collect();
        let node = flags::keeping(|| graph.reduce(op, mode, &handles));
        let is_real = graph.value(node).is_real();
        handles.into_iter().for_each(|handle| graph.release(handle));
        (TRNode(node), is_real)
    });
    if is_real { Ok(node) } else { origins::note(py, node, op, operands) }
}

fn side(operand: Operand) -> Side {
    match operand {
        Operand::Node(handle) => Side::Node(handle),
        Operand::Value(value) => Side::Value(value),
    }
}

/// Records that a condition chose between two operands, at least one of them a node; `None` if the node
/// chosen may stand for the choice itself.
pub(crate) fn record_choice(py: Python<'_>, chosen: Operand, other: Operand) -> PyResult<Option<TRNode>> {
    let (choice, is_real) = arena::with(py, |arena| {
        let graph = &mut arena.graph;
        let node = graph.choose(side(chosen), side(other));
        (node, node.is_none_or(|node| graph.value(node).is_real()))
    });
    match choice.map(TRNode) {
        // A number that is not REAL begins here; a node brings its origin along.
        Some(node) if !is_real => origins::note(py, node, Op::Where, &[chosen]).map(Some),
        node => Ok(node),
    }
}
