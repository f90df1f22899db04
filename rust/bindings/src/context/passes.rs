//! Backward passes and batches in what is in force, counted in the statistics of their thread or task.

#![allow(clippy::needless_borrow, reason = "by the arena, handles are a slice or a list")]

use super::state::GradientState;
use super::statistics::with_statistics;
use crate::arena::{self, Arena, Borrow, NodeRef};
use crate::flags;
use pyo3::prelude::*;
use std::sync::Arc;
use zeroproof::backward::PassCounts;
use zeroproof::graph::Handle;
use zeroproof::{Error, GradientMode, ModeState, Statistics};

/// Runs a backward pass, over an arena that these nodes are in, in what is in force here, and counts it.
pub(crate) fn run_pass(
    py: Python<'_>,
    nodes: &[NodeRef],
    pass: impl FnOnce(&mut Arena, &[Handle], &ModeState, Option<&mut Statistics>) -> Result<PassCounts, Error>,
) -> PyResult<Result<(), Error>> {
    let mut pass = Some(pass);
    let mut pass_in =
        move |arena: &mut Arena, nodes: &[Handle], state: &ModeState, statistics: Option<&mut Statistics>| {
            let pass = pass.take().expect("a pass runs once");
            flags::keeping(|| pass(arena, nodes, state, statistics))
        };
    // Only decisions of Hybrid mode need the statistics during the pass.
    let done = GradientState::with_state(py, |state| match state.mode {
        GradientMode::Hybrid => Err(state.clone()),
        _ => match arena::meet(py, nodes) {
            Err(error) => Ok(Err(error)),
            Ok((arena, _)) if arena.graph.has_hybrid_gradients() => Err(state.clone()),
            Ok((mut arena, nodes)) => Ok(pass_in(&mut arena, &nodes, state, None)),
        },
    })?;
    match done {
        Ok(Ok(counts)) if counts == PassCounts::default() => Ok(Ok(())),
        Ok(Ok(counts)) => with_statistics(py, |statistics| statistics.add_pass(counts)).map(Ok),
        Ok(Err(error)) => Ok(Err(error)),
        Err(state) => with_statistics(py, |statistics| {
            let (mut arena, nodes) = arena::meet(py, nodes)?;
            let counts = pass_in(&mut arena, &nodes, &state, Some(statistics))?;
            statistics.add_pass(counts);
            Ok(())
        }),
    }
}

/// What a batch needs of what is in force here: the mode state, and statistics to count in while the
/// GIL is released, which [`count_batch`] adds.
pub(crate) fn for_batch(py: Python<'_>) -> PyResult<(Arc<ModeState>, Statistics)> {
    let state = GradientState::with_state(py, Arc::clone)?;
    Ok((state, with_statistics(py, |statistics| statistics.worker())?))
}

/// Adds what a batch counted.
pub(crate) fn count_batch(py: Python<'_>, counted: &Statistics) -> PyResult<()> {
    with_statistics(py, |statistics| statistics.merge(counted))
}

/// Looks at an arena that these nodes are in, with what is in force here, counting nothing.
pub(crate) fn read<R>(
    py: Python<'_>,
    nodes: &[NodeRef],
    f: impl FnOnce(&mut Borrow<'_>, &[Handle], &ModeState, &Statistics) -> Result<R, Error>,
) -> PyResult<Result<R, Error>> {
    let current = GradientState::current(py)?;
    with_statistics(py, |statistics| {
        let (mut arena, nodes) = arena::meet(py, nodes)?;
        f(&mut arena, &nodes, &current.state, statistics)
    })
}
