//! What one thread of a run works with.

use super::backend::{Backend, Partials};
use super::decisions::Decisions;
use super::partial::LeftOut;
use super::shared::Run;
use super::slots::{LANES, Line, Memory};
use super::totals::NOTHING;
use crate::batch::irregular::results::IrregularResults;
use crate::error::Error;
use crate::mode::GradientMode;
use crate::room;
use crate::stats::Statistics;
use crate::status::Status;

/// What one thread of a run works with.
pub(crate) struct Worker<'a, B> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) backend: B,
    pub(crate) irregular: IrregularResults,
    /// By line of the block at hand: its irregular lanes, by a bit each.
    pub(crate) found: Vec<u32>,
    pub(crate) decisions: Decisions,
    pub(crate) partials: Partials<'a>,
    /// The status of every derivative in a regular sample without decisions.
    pub(crate) base: Vec<Status>,
    /// By derivative, over all samples.
    pub statuses: Vec<Status>,
    /// Under a total, the sums of the task so far: of the values first, then of the derivatives.
    pub(crate) lanes: Vec<Line>,
    pub(crate) lanes_before: Vec<Line>,
    /// By sum: whether anything was added.
    pub contributed: Vec<bool>,
    /// How many samples the totals are made of.
    pub kept: u64,
    /// Those that they are not made of.
    pub left_out: LeftOut,
    /// A column that samples are left out of.
    pub(crate) scratch: Memory,
}

impl<'a, B: Backend> Worker<'a, B> {
    /// A worker with a back end of its own.
    pub fn new(run: &'a Run<'a>, backend: B, statistics: Statistics) -> Result<Self, Error> {
        let code = &run.plan.code;
        let partials = match run.state.mode {
            GradientMode::MaskReal => Partials::Classical,
            GradientMode::Saturating => Partials::Bounded(run.state.bound()),
            GradientMode::Hybrid if statistics.saturates() => Partials::Bounded(run.state.bound()),
            GradientMode::Hybrid => Partials::Deciding(run.state),
        };
        let mut base = room::filled(code.derivatives.len(), Status::EXACT)?;
        if let Partials::Bounded(_) = partials {
            let saturated = base.iter_mut().zip(run.plan.below_any()).filter(|(_, below)| **below);
            saturated.for_each(|(status, _)| *status = Status::SATURATED);
        }
        let totals = run.plan.totals.len();
        Ok(Self {
            run,
            backend,
            irregular: IrregularResults::default(),
            found: vec![],
            decisions: Decisions::new(code, statistics),
            partials,
            base,
            statuses: room::filled(code.derivatives.len(), Status::EXACT)?,
            lanes: room::filled(totals, [NOTHING; LANES])?,
            lanes_before: room::filled(totals, [NOTHING; LANES])?,
            contributed: room::filled(totals, false)?,
            kept: 0,
            left_out: LeftOut::default(),
            scratch: Memory::unset(if totals > 0 { run.block / LANES } else { 0 })?,
        })
    }

    /// All that was counted.
    pub fn into_statistics(mut self) -> Statistics {
        let counts = *self.irregular.counts_mut();
        let mut statistics = self.decisions.into_statistics();
        statistics.add_pass(counts);
        statistics
    }
}
