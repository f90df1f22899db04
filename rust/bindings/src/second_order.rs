//! Derivatives forward and second derivatives, on the arena.

use crate::arena::NodeRef;
use crate::context::passes;
use crate::errors::argument_error;
use crate::gradients::{gradient_list, held, seed};
use crate::origins;
use crate::values::TRNode;
use pyo3::prelude::*;
use pyo3::types::PyList;
use zeroproof::backward::Scratch;
use zeroproof::backward::second::{Product, SecondOrder};
use zeroproof::graph::{Graph, Handle};
use zeroproof::{Error, ModeState, Statistics};

/// The derivatives of ``roots`` along ``tangents``, the directions of ``sources``: a list of
/// (derivative, status).
#[pyfunction]
fn jvp<'py>(
    py: Python<'py>,
    roots: Vec<Bound<'py, PyAny>>,
    sources: Vec<Bound<'py, PyAny>>,
    tangents: Vec<f64>,
) -> PyResult<Bound<'py, PyList>> {
    let (split, mut found) = (roots.len(), vec![]);
    let mut nodes = held(None, &roots)?;
    nodes.extend(held(None, &sources)?);
    if origins::watched() {
        origins::tell_left_out(py, &nodes, |graph, nodes, state, statistics, scratch| {
            let (roots, sources) = nodes.split_at(split);
            graph.second_left_out(statistics, scratch, |graph, silent, scratch| {
                graph.jvp(roots, sources, &tangents, state, Some(silent), scratch)
            })
        })?;
    }
    passes::run_pass(py, &nodes, |arena, nodes, state, statistics| {
        let (roots, sources) = nodes.split_at(split);
        let (derivatives, counts) =
            arena.graph.jvp(roots, sources, &tangents, state, statistics, &mut arena.scratch)?;
        found = derivatives;
        Ok(counts)
    })?
    .map_err(argument_error)?;
    gradient_list(py, found.into_iter().map(Some).collect())
}

type Lists<'py> = (Bound<'py, PyList>, Bound<'py, PyList>);

/// The gradient of ``root`` with respect to ``sources``, and its Jacobian, or the transpose of that, times
/// ``direction``: two lists of (number, status), with None for a source that no path leads to.
#[pyfunction]
fn hvp<'py>(
    py: Python<'py>,
    root: TRNode,
    sources: Vec<Bound<'py, PyAny>>,
    direction: Vec<f64>,
    transposed: bool,
    grad_output: Option<&Bound<'py, PyAny>>,
) -> PyResult<Lists<'py>> {
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(g))?;
    let nodes = held([root], &sources)?;
    let product = if transposed { Product::Transposed } else { Product::Jacobian };
    let found = second_order(py, &nodes, |graph, nodes, state, statistics, scratch| {
        graph.hvp(nodes[0], seed, &nodes[1..], &direction, product, state, statistics, scratch)
    })?;
    let product = found.products.into_iter().next().unwrap_or_default();
    Ok((gradient_list(py, found.gradient)?, gradient_list(py, product)?))
}

/// The gradient of ``root`` with respect to ``sources``, and its Jacobian as a list of columns: column j says
/// how each gradient changes with source j. Entries are as those of ``hvp``.
#[pyfunction]
fn hessian<'py>(
    py: Python<'py>,
    root: TRNode,
    sources: Vec<Bound<'py, PyAny>>,
    grad_output: Option<&Bound<'py, PyAny>>,
) -> PyResult<Lists<'py>> {
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(g))?;
    let nodes = held([root], &sources)?;
    let found = second_order(py, &nodes, |graph, nodes, state, statistics, scratch| {
        graph.hessian(nodes[0], seed, &nodes[1..], state, statistics, scratch)
    })?;
    let columns = found.products.into_iter().map(|column| gradient_list(py, column));
    let columns = PyList::new(py, columns.collect::<PyResult<Vec<_>>>()?)?;
    Ok((gradient_list(py, found.gradient)?, columns))
}

fn second_order(
    py: Python<'_>,
    nodes: &[NodeRef],
    pass: impl Fn(
        &Graph,
        &[Handle],
        &ModeState,
        Option<&mut Statistics>,
        &mut Scratch,
    ) -> Result<SecondOrder, Error>,
) -> PyResult<SecondOrder> {
    if origins::watched() {
        origins::tell_left_out(py, nodes, |graph, nodes, state, statistics, scratch| {
            graph.second_left_out(statistics, scratch, |graph, silent, scratch| {
                pass(graph, nodes, state, Some(silent), scratch)
            })
        })?;
    }
    let mut found = SecondOrder::default();
    passes::run_pass(py, nodes, |arena, nodes, state, statistics| {
        found = pass(&arena.graph, nodes, state, statistics, &mut arena.scratch)?;
        Ok(found.counts)
    })?
    .map_err(argument_error)?;
    Ok(found)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in
        [wrap_pyfunction!(jvp, module)?, wrap_pyfunction!(hvp, module)?, wrap_pyfunction!(hessian, module)?]
    {
        module.add_function(function)?;
    }
    Ok(())
}
