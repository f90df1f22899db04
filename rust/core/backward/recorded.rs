//! Recorded gradients: how they are made, and what a sweep does with what arrives at them.

use super::policies::Decide;
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
        let pass = || GradientPass { seed: seed.to_ieee(), state: state.clone(), saturates };
        self.push_gradients(root, sources, found, (!is_second).then(pass))
    }
}

/// What arrived at recorded gradients goes on to what they depend on, by a sweep [apart](Sweep::apart). Returned
/// is what was counted.
#[cold]
#[inline(never)]
pub(super) fn pass_on_gradients<const RARE: bool>(
    graph: &Graph,
    mut sweep: Sweep<RARE>,
    node: u32,
    inner: &mut Scratch,
    decisions: Option<&mut dyn Decide>,
) -> Result<PassCounts, Error> {
    let (mut weights, mut found, mut unasked) = (vec![], Passed::default(), Statistics::default());
    let at = sweep.take_gradients(graph, node, &mut weights)?;
    let decisions = decisions.unwrap_or(&mut unasked);
    let counts = inner.pass_on_gradients(graph, node, &weights, decisions, &mut found)?;
    sweep.counts.add(counts);
    let before = sweep.counts.dropped;
    for (node, contribution, status) in found.contributions {
        sweep.receive(node, contribution, Visit { status: at.status | status, ..at });
    }
    inner.note_lost_by_gradients(graph, node, sweep.counts.dropped - before);
    if !sweep.is_restricted() {
        found.choices.into_iter().for_each(|choice| sweep.pass_by_choice(choice));
    }
    Ok(sweep.counts)
}
