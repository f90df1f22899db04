//! Recording: operations become nodes, and what begins with them is noted.

use crate::errors::runtime_error;
use crate::flags;
use crate::located::{self, Located};
use crate::operand::Operand;
use crate::origins;
use crate::values::TRNode;
use pyo3::prelude::*;
use zeroproof::graph::aliases::Side;
use zeroproof::{Error, Op, Reduction};

/// Records an op of two operands, at least one of them a node.
#[inline(always)]
pub(crate) fn record_binary(py: Python<'_>, op: Op, a: Operand, b: Operand) -> PyResult<TRNode> {
    let (mut arena, a, b) = located::both(py, a, b).map_err(runtime_error)?;
    let graph = &mut arena.graph;
    graph.reserve(2).map_err(runtime_error)?;
    let node = match (a, b) {
        (Operand::Node(a), Operand::Node(b)) => graph.binary_taking(op, a, b, None),
        (Operand::Node(a), Operand::Value(b)) => graph.binary_with_constant(op, a, b, None),
        (Operand::Value(a), Operand::Node(b)) => graph.constant_with_binary(op, a, b, None),
        (Operand::Value(a), Operand::Value(b)) => graph.computed_constant(op.value(a, b), [a, b]),
    };
    let is_event = origins::is_event(graph, op, a, b, node.value);
    let [x, y] = node.operands;
    flags::after(op, x, y, node.value);
    if is_event {
        origins::note(arena, node.handle, op, &[a, b])
    } else {
        Ok(TRNode(arena.node(node.handle)))
    }
}

/// Records an op of one operand; `n` is the exponent of a power.
#[inline(always)]
pub(crate) fn record_unary(py: Python<'_>, op: Op, a: Operand, n: i32) -> PyResult<TRNode> {
    let exponent = Operand::Value(f64::from(n));
    let (mut arena, a) = located::one(py, a);
    let graph = &mut arena.graph;
    graph.reserve(1).map_err(runtime_error)?;
    let node = match a {
        Operand::Node(a) => graph.unary_with_immediate(op, a, n),
        Operand::Value(a) => graph.computed_constant(op.value(a, f64::from(n)), [a, a]),
    };
    let is_event = origins::is_event(graph, op, a, exponent, node.value);
    let [x, y] = node.operands;
    flags::after(op, x, y, node.value);
    let operands = if op == Op::PowInt { &[a, exponent][..] } else { &[a] };
    if is_event {
        origins::note(arena, node.handle, op, operands)
    } else {
        Ok(TRNode(arena.node(node.handle)))
    }
}

/// Records a variadic op over operands, which live until it returns.
pub(crate) fn record_reduction(
    py: Python<'_>,
    operands: &[Operand],
    op: Op,
    mode: Reduction,
) -> PyResult<TRNode> {
    let (mut arena, operands) = located::all(py, operands).map_err(runtime_error)?;
    #[allow(clippy::redundant_slicing, reason = "by the arena, they are a slice or a list")]
    let operands = &operands[..];
    let recorded = {
        let graph = &mut arena.graph;
        let mut handles = vec![];
        let mut done = handles.try_reserve_exact(operands.len()).map_err(|_| Error::OutOfMemory);
        for operand in operands {
            if done.is_err() {
                break;
            }
            match *operand {
                Operand::Node(handle) => {
                    graph.retain(handle);
                    handles.push(handle);
                }
                Operand::Value(value) => {
                    done = graph.reserve(1).map(|()| handles.push(graph.leaf(Op::Constant, value, None)));
                }
            }
        }
        let recorded = done.and_then(|()| graph.reserve_reduction(handles.len())).map(|()| {
            let node = flags::keeping(|| graph.reduce(op, mode, &handles));
            (node, graph.value(node).is_real())
        });
        handles.into_iter().for_each(|handle| graph.release(handle));
        recorded
    };
    let (node, is_real) = recorded.map_err(runtime_error)?;
    if is_real { Ok(TRNode(arena.node(node))) } else { origins::note(arena, node, op, operands) }
}

fn side(operand: Located) -> Side {
    match operand {
        Operand::Node(handle) => Side::Node(handle),
        Operand::Value(value) => Side::Value(value),
    }
}

/// Records that a condition chose between two operands, at least one of them a node; `None` if the node
/// chosen may stand for the choice itself.
pub(crate) fn record_choice(py: Python<'_>, chosen: Operand, other: Operand) -> PyResult<Option<TRNode>> {
    let (mut arena, chosen, other) = located::both(py, chosen, other).map_err(runtime_error)?;
    let graph = &mut arena.graph;
    graph.reserve(2).map_err(runtime_error)?;
    let Some(choice) = graph.choose(side(chosen), side(other)) else { return Ok(None) };
    if graph.value(choice).is_real() {
        return Ok(Some(TRNode(arena.node(choice))));
    }
    // A number that is not REAL begins here; a node brings its origin along.
    origins::note(arena, choice, Op::Where, &[chosen]).map(Some)
}
