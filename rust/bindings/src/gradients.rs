//! Backward passes over the arena, and what else is asked of the graph below a node.

use crate::arena::{self, Arena, Borrow, NodeRef};
use crate::context::passes;
use crate::differentiating;
use crate::enums;
use crate::errors::runtime_error;
use crate::number::expect_number;
use crate::operand::value_of;
use crate::origins;
use crate::places;
use crate::raw::new_object;
use crate::values::{TRNode, TRScalar, scalars};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use zeroproof::backward::explain::{Event, Explanation};
use zeroproof::graph::{Dependence, Handle};
use zeroproof::{Status, TrScalar};

/// The nodes that new handles are on.
pub(crate) fn nodes(arena: &mut Borrow<'_>, handles: Vec<Handle>) -> Vec<NodeRef> {
    handles.into_iter().map(|handle| arena.node(handle)).collect()
}

/// Objects that take the nodes over.
pub(crate) fn objects(py: Python<'_>, nodes: Vec<NodeRef>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    // All of them are made, so that none is lost if one fails.
    let objects: Vec<_> = nodes.into_iter().map(|node| new_object(py, TRNode(node))).collect();
    objects.into_iter().collect()
}

/// What these objects hold, behind what comes first.
pub(crate) fn held(
    first: impl IntoIterator<Item = TRNode>,
    objects: &[Bound<'_, PyAny>],
) -> PyResult<Vec<NodeRef>> {
    let first = first.into_iter().map(Ok);
    first.chain(objects.iter().map(|object| object.extract())).map(|node| Ok(node?.0)).collect()
}

/// A root adjoint: a number, a TR scalar or the value of a node.
pub(crate) fn seed(object: &Bound<'_, PyAny>) -> PyResult<TrScalar> {
    Ok(value_of(object)?.into())
}

/// Differentiates a node.
///
/// # Errors
/// `NotImplementedError` if the gradients would lose a derivative that may be asked for: see
/// [`differentiating`](crate::differentiating).
pub(crate) fn backward(py: Python<'_>, root: TRNode, grad_output: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let grad_output = grad_output.filter(|g| !g.is_none());
    differentiating::check_backward(py, root, grad_output)?;
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(g))?;
    if origins::watched() {
        origins::tell_dropped(py, root, seed, None)?;
    }
    passes::run_pass(py, &[root.0], |arena, nodes, state, statistics| {
        arena.graph.backward(nodes[0], seed, state, statistics, &mut arena.scratch)
    })?
    .map_err(runtime_error)
}

/// The gradients of `target` with respect to `sources`: a list with (gradient, status) or None for
/// a source that no path leads to. No node's own gradient changes.
#[pyfunction]
fn gradients_of<'py>(
    py: Python<'py>,
    target: TRNode,
    sources: Vec<Bound<'py, PyAny>>,
    grad_output: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(g))?;
    let nodes = held([target], &sources)?;
    if origins::watched() {
        origins::tell_dropped(py, target, seed, Some(&nodes[1..]))?;
    }
    let mut found = vec![];
    passes::run_pass(py, &nodes, |arena, nodes, state, statistics| {
        let (target, sources) = (nodes[0], &nodes[1..]);
        let (gradients, counts) =
            arena.graph.gradients_of(target, seed, sources, state, statistics, &mut arena.scratch)?;
        found = gradients;
        Ok(counts)
    })?
    .map_err(runtime_error)?;
    gradient_list(py, found)
}

/// A constant that holds a gradient and has its status. If the gradient ``depends`` on what others may be
/// asked for, whoever asks for the derivative of what is computed from it gets a NotImplementedError; and if it is
/// ``bound`` to the graph, it turns into a plain number no more than what requires a gradient does.
#[pyfunction]
fn gradient_node(
    py: Python<'_>,
    gradient: &Bound<'_, PyAny>,
    status: u8,
    depends: bool,
    bound: bool,
) -> PyResult<TRNode> {
    let depends = match (depends, bound) {
        (false, _) => Dependence::None,
        (true, false) => Dependence::Loose,
        (true, true) => Dependence::Bound,
    };
    let (gradient, status) = (expect_number(gradient)?.into(), Status::from_bits_truncate(status));
    let mut arena = arena::own(py);
    arena.graph.reserve_gradient().map_err(runtime_error)?;
    let handle = arena.graph.gradient_node(gradient, status, depends);
    Ok(TRNode(arena.node(handle)))
}

/// The gradients ``found`` of ``target`` with respect to ``sources``, pairs of a gradient and its status or None,
/// as nodes that can be differentiated once more; one that was computed from another gradient is a constant, as
/// :func:`gradient_node` makes it.
#[pyfunction]
fn record_gradients<'py>(
    py: Python<'py>,
    target: TRNode,
    sources: Vec<Bound<'py, PyAny>>,
    found: Vec<Option<(Bound<'py, PyAny>, u8)>>,
    grad_output: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(g))?;
    let nodes = held([target], &sources)?;
    let number = |(gradient, status): (Bound<'py, PyAny>, u8)| {
        Ok((expect_number(&gradient)?.into(), Status::from_bits_truncate(status)))
    };
    let found: Vec<Option<(TrScalar, Status)>> =
        found.into_iter().map(|each| each.map(number).transpose()).collect::<PyResult<_>>()?;
    let recorded = passes::read(py, &nodes, |arena, nodes, state, statistics| {
        let (target, sources, pass) = (nodes[0], &nodes[1..], (state, statistics.saturates()));
        let Arena { graph, scratch } = &mut **arena;
        let recorded = graph.record_gradients(target, seed, sources, &found, pass, scratch)?;
        Ok(recorded.into_iter().map(|each| each.map(|handle| arena.node(handle))).collect::<Vec<_>>())
    })?
    .map_err(runtime_error)?;
    // All of them become objects, so that none is lost if one fails.
    let objects: Vec<_> =
        recorded.into_iter().map(|each| each.map(|node| new_object(py, TRNode(node)))).collect();
    PyList::new(py, objects.into_iter().map(Option::transpose).collect::<PyResult<Vec<_>>>()?)
}

/// Notes how a sum of gradients came about.
#[pyfunction]
fn note_status(py: Python<'_>, node: TRNode, status: u8) -> PyResult<()> {
    let status = Status::from_bits_truncate(status);
    let (mut arena, node) = arena::at(py, node.0);
    arena.graph.note_status(node, status).map_err(runtime_error)
}

/// Whether ``target`` depends on a parameter, input, watched constant, alias or gradient that is not among
/// ``sources``: then its gradients do. An alias among them stands for the node that it was made from.
#[pyfunction]
fn depends_on_others(py: Python<'_>, target: TRNode, sources: Vec<TRNode>) -> PyResult<bool> {
    let nodes: Vec<_> = [target].into_iter().chain(sources).map(|node| node.0).collect();
    let (mut arena, nodes) = arena::meet(py, &nodes).map_err(runtime_error)?;
    let Arena { graph, scratch } = &mut *arena;
    graph.depends_on_others(nodes[0], &nodes[1..], scratch).map_err(runtime_error)
}

/// What a node passes to each input for an adjoint: a list of (contribution, status).
#[pyfunction]
fn input_gradients<'py>(
    py: Python<'py>,
    node: TRNode,
    grad_output: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let seed = seed(grad_output)?;
    let found = passes::read(py, &[node.0], |arena, nodes, state, statistics| {
        arena.graph.try_contributions(nodes[0], seed, state, statistics)
    })?
    .map_err(runtime_error)?;
    gradient_list(py, found.into_iter().map(Some).collect())
}

pub(crate) fn gradient_list(
    py: Python<'_>,
    gradients: Vec<Option<(TrScalar, Status)>>,
) -> PyResult<Bound<'_, PyList>> {
    let items = gradients.into_iter().map(|found| {
        found.map(|(gradient, status)| Ok((TRScalar(gradient), enums::status(py, status)?))).transpose()
    });
    let items: Vec<Option<(TRScalar, Bound<'_, PyAny>)>> = items.collect::<PyResult<_>>()?;
    PyList::new(py, items)
}

/// The nodes that gradients flow through below `root`, root first, in reverse of recording.
#[pyfunction]
fn topological_order<'py>(py: Python<'py>, root: TRNode) -> PyResult<Bound<'py, PyList>> {
    let (mut arena, root) = arena::at(py, root.0);
    let Arena { graph, scratch } = &mut *arena;
    let order = graph.try_topological_order(root, scratch).map_err(runtime_error)?;
    let order = nodes(&mut arena, order);
    drop(arena);
    PyList::new(py, objects(py, order)?)
}

/// Lets gradients flow to a constant in what is recorded from now on.
#[pyfunction]
fn watch(py: Python<'_>, node: TRNode) -> PyResult<()> {
    let (mut arena, node) = arena::at(py, node.0);
    arena.graph.reserve(1).map_err(runtime_error)?;
    arena.graph.watch(node);
    Ok(())
}

/// A node equal to ``node``, through which gradients flow on to it; for ``gradients_of`` a source of its own.
///
/// It requires a gradient in any case. Where it is among the sources, contributions are summed there as at a
/// parameter, and go on as that sum if ``node`` is, or depends on, another source. Everywhere else it stands
/// for ``node``: its ``gradient`` is that of ``node``, and so is the coordinate that it depends on.
#[pyfunction]
fn alias(py: Python<'_>, node: TRNode) -> PyResult<TRNode> {
    let (mut arena, node) = arena::at(py, node.0);
    arena.graph.reserve(1).map_err(runtime_error)?;
    let alias = arena.graph.alias(node);
    Ok(TRNode(arena.node(alias)))
}

/// How many nodes are alive and how many bytes they occupy, after reclaiming all others.
#[pyfunction]
fn arena_usage(py: Python<'_>) -> PyResult<(usize, usize)> {
    arena::usage(py).map_err(runtime_error)
}

/// What happened at the nodes below ``node``.
///
/// Returns ``(root, mode, counts, events, depends, inner)``: the node whose backward pass the gradients' part is
/// about, or None; its mode; how often a value was born, a node masked, a contribution dropped, a partial
/// bounded; of each at most ``limit`` in full, as ``(what, node, (op, operands, value, carried), place,
/// input, path, steps, leaves, cause)``, the cause being another one or None; whether the root depends
/// on what was asked about; and such a tuple for each of the first ``limit`` passes whose recorded gradients this
/// one differentiates.
#[pyfunction]
fn explain_node<'py>(
    py: Python<'py>,
    node: TRNode,
    wrt: Option<TRNode>,
    limit: usize,
) -> PyResult<Bound<'py, PyTuple>> {
    let nodes: Vec<_> = [node].into_iter().chain(wrt).map(|node| node.0).collect();
    let explanation = passes::read(py, &nodes, |arena, nodes, state, statistics| {
        let Arena { graph, scratch } = &mut **arena;
        let wrt = nodes.get(1).copied();
        let explanation = graph.try_explain(nodes[0], wrt, state, statistics, scratch, limit)?;
        Ok(explanation.map(&mut |handle| arena.node(handle)))
    })?
    .map_err(runtime_error)?;
    // Every node gets its object, so that none is lost if one fails.
    explanation_tuple(py, explanation.map(&mut |node| new_object(py, TRNode(node))))
}

fn explanation_tuple<'py>(
    py: Python<'py>,
    explanation: Explanation<PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let Explanation { root, depends, mode, events, counts, inner } = explanation;
    let events = events.into_iter().map(|event| event_tuple(py, event)).collect::<PyResult<Vec<_>>>()?;
    let inner = inner.into_iter().map(|inner| explanation_tuple(py, inner)).collect::<PyResult<Vec<_>>>()?;
    (root.transpose()?, enums::mode(py, mode)?, counts, events, depends, inner).into_pyobject(py)
}

fn event_tuple<'py>(
    py: Python<'py>,
    event: Event<PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let nodes = |nodes: Vec<_>| PyTuple::new(py, nodes.into_iter().collect::<PyResult<Vec<_>>>()?);
    let place = event.place.map_or(Ok(None), |number| places::place(py, number))?;
    let came_about =
        (enums::op(py, event.op)?, scalars(py, &event.operands)?, TRScalar::from(event.value), event.carried);
    let (path, leaves) = (nodes(event.path)?, nodes(event.leaves)?);
    let cause = event.cause.map(|cause| event_tuple(py, *cause)).transpose()?;
    (event.what.name(), event.node?, came_about, place, event.input, path, event.steps, leaves, cause)
        .into_pyobject(py)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(gradients_of, module)?,
        wrap_pyfunction!(gradient_node, module)?,
        wrap_pyfunction!(record_gradients, module)?,
        wrap_pyfunction!(note_status, module)?,
        wrap_pyfunction!(depends_on_others, module)?,
        wrap_pyfunction!(input_gradients, module)?,
        wrap_pyfunction!(topological_order, module)?,
        wrap_pyfunction!(watch, module)?,
        wrap_pyfunction!(alias, module)?,
        wrap_pyfunction!(arena_usage, module)?,
        wrap_pyfunction!(explain_node, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
