//! Recorded gradients: how they are made, and what a sweep does with what arrives at them.

use super::scratch::{Gradient, Scratch};
use super::second::gradients::Passed;
use super::sweep::{Sweep, Visit};
use crate::error::Error;
use crate::graph::{GradientPass, Graph, Handle};
use crate::mode::ModeState;
use crate::pass_counts::PassCounts;
use crate::scalar::TrScalar;
use crate::stats::Statistics;

impl Graph {
    /// Records the gradients `found` of `root` with respect to `sources`, for which there are as many: the nodes
    /// hold them, know how each came about, and can be differentiated. `None` for a source that no path leads to.
    /// A gradient that has no derivative here, since it was computed from another one, becomes a constant whose
    /// derivative is refused.
    ///
    /// `seed`, `state` and `saturates`, the answer of the hysteresis policy, are those of the pass that found
    /// them.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then nothing is recorded.
    pub fn record_gradients(
        &mut self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        found: &[Option<Gradient>],
        (state, saturates): (&ModeState, bool),
        scratch: &mut Scratch,
    ) -> Result<Vec<Option<Handle>>, Error> {
        let nodes: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let is_second = scratch.meets_gradients(self, self.node(root), &nodes)?;
        let pass = GradientPass { seed: seed.to_ieee(), state: state.clone(), saturates };
        self.push_gradients(root, sources, found, (!is_second).then_some(pass))
    }
}

/// What arrived at recorded gradients goes on to what they depend on. The sweep is a copy of the one that
/// stopped: see [`Sweep::apart`].
#[cold]
#[inline(never)]
pub(super) fn pass_on_gradients<const RESTRICTED: bool, const ALIASES: bool>(
    graph: &Graph,
    mut sweep: Sweep<RESTRICTED, ALIASES>,
    at: Visit,
    inner: &mut Scratch,
    statistics: Option<&mut Statistics>,
) -> Result<PassCounts, Error> {
    let (mut weights, mut found, mut unasked) = (vec![], Passed::default(), Statistics::default());
    let decisions = statistics.unwrap_or(&mut unasked);
    let passed = sweep.take_gradients(graph, at, &mut weights).and_then(|at| {
        let counts = inner.pass_on_gradients(graph, at.index as u32, &weights, decisions, &mut found)?;
        Ok((at, counts))
    });
    let (at, counts) = passed.inspect_err(|_| sweep.give_up())?;
    sweep.counts.add(counts);
    for (node, contribution, status) in found.contributions {
        sweep.receive(node, contribution, Visit { status: at.status | status, ..at });
    }
    if !RESTRICTED {
        found.choices.into_iter().for_each(|choice| sweep.pass_by_choice(choice));
    }
    Ok(sweep.counts)
}
