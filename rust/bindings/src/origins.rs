//! Origins of values that are not REAL: noted when they happen, told when somebody asks.
//!
//! Recording an operation looks at the one value it made. Only if that is not REAL, or stands at a pole,
//! does anything here run.

use crate::arena::{self, Arena, Borrow, NodeRef};
use crate::callbacks;
use crate::context::passes;
use crate::enums;
use crate::errors::argument_error;
use crate::located::Located;
use crate::operand::Operand;
use crate::places;
use crate::values::{TRNode, TRScalar, scalars};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroproof::backward::Scratch;
use zeroproof::backward::explain::LeftOut;
use zeroproof::graph::origins::{Given, MOST_OPERANDS};
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{Error, ModeState, Op, Statistics, TrScalar};

/// How many `watch_singularities` blocks run, in all threads.
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody watches.
#[inline(always)]
pub(crate) fn watched() -> bool {
    WATCHERS.load(Ordering::Relaxed) > 0
}

/// Whether the node recorded last is to be looked at: not REAL, or REAL at a pole.
#[inline(always)]
pub(crate) fn is_event(graph: &Graph, op: Op, a: Located, b: Located, z: f64) -> bool {
    let value = |operand| match operand {
        Operand::Node(node) => graph.value(node).to_ieee(),
        Operand::Value(value) => value,
    };
    // Most ops have no pole, and the commonest of the others are never REAL there: their operands need no
    // look. Who watches is told of contributions left out, whose place is that of an op with a REAL value.
    let matters = |is_real_there: bool| {
        let pole = || op.pole(value(a), value(b));
        (is_real_there && pole() == Some(0.0)) || (watched() && pole().is_some())
    };
    !z.is_finite() || op.singular().is_some_and(|pole| matters(pole.is_real_there))
}

/// Notes an event at the node recorded last, whose handle is new, and tells those who watch.
///
/// # Errors
/// `SingularityError` if a watcher wants it raised; the node is then given back.
#[cold]
#[inline(never)]
pub(crate) fn note(mut arena: Borrow<'_>, handle: Handle, op: Op, operands: &[Located]) -> PyResult<TRNode> {
    let py = arena.py();
    // All of it but the place in the borrow in which the node was recorded. Python code may run after it, and
    // other threads, and record other nodes: to look at a frame is to allocate, and that may run finalizers.
    let graph = &mut arena.graph;
    let given: Vec<_> = operands.iter().map(|&operand| given(graph, operand)).collect();
    let noted = graph.begins(handle, &given).then(|| {
        graph.note_origin(handle, op, &given, places::PENDING);
        let operands: Vec<_> = given.iter().map(|given| given.value).collect();
        (graph.value(handle), graph.is_origin(handle, &given), operands)
    });
    let node = arena.node(handle);
    drop(arena);
    let Some((value, is_origin, operands)) = noted else { return Ok(TRNode(node)) };
    let place = place_now(py, node);
    if watched() && op.arity() != Arity::Leaf && is_origin {
        tell(py, op, &operands, value, place).inspect_err(|_| arena::release(py, node))?;
    }
    Ok(TRNode(node))
}

/// Notes an event at a leaf that was assigned a value in this borrow.
#[cold]
#[inline(never)]
pub(crate) fn note_assigned(mut arena: Borrow<'_>, handle: Handle, node: NodeRef) {
    let py = arena.py();
    let graph = &mut arena.graph;
    if graph.begins(handle, &[]) {
        let op = graph.op(handle);
        graph.note_origin(handle, op, &[], places::PENDING);
        drop(arena);
        place_now(py, node);
    }
}

/// Gives an origin just noted the place where the interpreter is now.
fn place_now(py: Python<'_>, node: NodeRef) -> u32 {
    let place = places::here(py);
    let (mut arena, node) = arena::at(py, node);
    arena.graph.move_origin(node, places::PENDING, place);
    place
}

fn given(graph: &Graph, operand: Located) -> Given {
    match operand {
        Operand::Node(node) => Given { value: graph.value(node).to_ieee(), node: Some(node) },
        Operand::Value(value) => Given { value, node: None },
    }
}

/// Tells those who watch in this context of an origin.
fn tell(py: Python<'_>, op: Op, operands: &[f64], value: TrScalar, place: u32) -> PyResult<()> {
    let Some(listener) = callbacks::ORIGIN.listener(py) else { return Ok(()) };
    let distance = pole_distance(op, operands);
    let operands = scalars(py, operands)?;
    let place = places::place(py, place)?;
    listener.call1((enums::op(py, op)?, operands, TRScalar(value), place, distance)).map(drop)
}

/// How far the operands are from the pole of the op, if it has one.
fn pole_distance(op: Op, operands: &[f64]) -> Option<f64> {
    if op.arity() == Arity::Variadic {
        return None;
    }
    let at = |place: usize| operands.get(place).copied().unwrap_or(0.0);
    op.pole(at(0), at(1)).map(f64::abs)
}

/// Counts one watching block more.
#[pyfunction]
fn begin_watching() {
    WATCHERS.fetch_add(1, Ordering::Relaxed);
}

/// Counts one watching block less.
#[pyfunction]
fn end_watching() {
    WATCHERS.fetch_sub(1, Ordering::Relaxed);
}

/// Whether anybody watches, in any thread.
#[pyfunction]
fn is_watching() -> bool {
    watched()
}

/// Tells those who watch in this context what a pass from `root` will leave out, by all leaves or by these
/// nodes.
///
/// # Errors
/// `SingularityError` if a watcher wants it raised.
#[cold]
pub(crate) fn tell_dropped(
    py: Python<'_>,
    root: TRNode,
    seed: TrScalar,
    sources: Option<&[NodeRef]>,
) -> PyResult<()> {
    let nodes: Vec<_> = [root.0].into_iter().chain(sources.into_iter().flatten().copied()).collect();
    tell_left_out(py, &nodes, |graph, nodes, state, statistics, scratch| {
        let sources = sources.map(|_| &nodes[1..]);
        graph.try_left_out(nodes[0], seed, sources, state, statistics, scratch)
    })
}

/// Tells those who watch in this context what a pass will leave out, which is worked out only for them.
///
/// # Errors
/// `SingularityError` if a watcher wants it raised.
#[cold]
pub(crate) fn tell_left_out(
    py: Python<'_>,
    nodes: &[NodeRef],
    of: impl FnOnce(&Graph, &[Handle], &ModeState, &Statistics, &mut Scratch) -> Result<Vec<LeftOut>, Error>,
) -> PyResult<()> {
    let (Some(watches_here), Some(listener)) =
        (callbacks::WATCHES_HERE.listener(py), callbacks::LEFT_OUT.listener(py))
    else {
        return Ok(());
    };
    if !watches_here.call0()?.is_truthy()? {
        return Ok(());
    }
    let found = passes::read(py, nodes, |arena, nodes, state, statistics| {
        let Arena { graph, scratch } = &mut **arena;
        of(graph, nodes, state, statistics, scratch)
    })?
    .map_err(argument_error)?;
    if found.is_empty() {
        return Ok(());
    }
    let tuples = found.into_iter().map(|left_out| {
        let op = enums::op(py, left_out.op)?;
        let place = left_out.place.map_or(Ok(None), |number| places::place(py, number))?;
        let distance = pole_distance(left_out.op, &left_out.operands);
        let operands = scalars(py, &left_out.operands)?;
        (op, operands, TRScalar::from(left_out.value), place, left_out.input, distance).into_pyobject(py)
    });
    let tuples = tuples.collect::<PyResult<Vec<_>>>()?;
    listener.call1((tuples,)).map(drop)
}

/// Lets the node recorded last, a constant copy of `from`, take over the origin behind that, or notes it
/// as one itself.
#[cold]
pub(crate) fn note_copy(mut arena: Borrow<'_>, copy: Handle, from: Handle) -> TRNode {
    let py = arena.py();
    let inherited = arena.graph.inherit_origin(copy, from);
    if !inherited {
        arena.graph.note_origin(copy, Op::Constant, &[], places::PENDING);
    }
    let copy = arena.node(copy);
    drop(arena);
    if !inherited {
        place_now(py, copy);
    }
    TRNode(copy)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MOST_OPERANDS", MOST_OPERANDS)?;
    for function in [
        wrap_pyfunction!(begin_watching, module)?,
        wrap_pyfunction!(end_watching, module)?,
        wrap_pyfunction!(is_watching, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
