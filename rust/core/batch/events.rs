//! What happened in a batch, node by node: where values that are not REAL began, and which
//! contributions were left out.
//!
//! A run does not look for this. Whoever asks has the samples replayed once more by the exact rules,
//! which keep every value.

use super::analysis::Analysis;
use super::exact::{Exact, Task};
use super::program::{Argument, Kind, NodeId, Program};
use super::{Input, Interrupted, Plan, Request};
use crate::graph::births::makes_phi;
use crate::mode::ModeState;
use crate::ops::{Arity, Op};
use crate::scalar::{TrScalar, TrTag};
use crate::stats::Statistics;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The samples that are replayed together.
const LANES: usize = 256;
/// How long the caller goes unasked.
const PATIENCE: Duration = Duration::from_millis(50);

/// What happened at a node in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// A value with this tag was made from REAL ones, or Φ from infinities.
    Born(TrTag),
    /// The contribution to the operand at this place was not REAL and was left out.
    Dropped(usize),
}

/// The same thing happening at the same node, over all samples.
#[derive(Clone, Debug)]
pub struct BatchEvent {
    /// Where.
    pub node: NodeId,
    /// What.
    pub happened: Happened,
    /// In how many samples; for a contribution how often, since every output has its pass.
    pub count: u64,
    /// The first of these samples, as many as were asked for and at least one.
    pub samples: Vec<usize>,
    /// The operands in the first one; behind the base of a power its exponent.
    pub operands: Vec<f64>,
    /// The value in the first one.
    pub value: f64,
    /// The least distance to the op's pole, if it has one.
    pub distance: Option<f64>,
}

/// The events of a batch so far.
struct Log<'a> {
    program: &'a Program,
    found: BTreeMap<(NodeId, Happened), BatchEvent>,
    operands: Vec<f64>,
    /// The most samples that an event names.
    most: usize,
}

/// Walks over the samples in pieces.
fn replay(
    program: &Program,
    facts: &Analysis,
    state: &ModeState,
    samples: usize,
    inputs: &[Input<'_>],
    interrupted: &mut dyn FnMut() -> bool,
    mut look: impl FnMut(&mut Exact, Task<'_>, usize, usize),
) -> Result<(), Interrupted> {
    let task = Task { program, facts, state, drops: false };
    let widths: Vec<usize> = program.arguments().iter().map(Argument::size).collect();
    let (mut exact, mut asked) = (Exact::default(), Instant::now());
    for first in (0..samples).step_by(LANES) {
        if asked.elapsed() >= PATIENCE {
            asked = Instant::now();
            if interrupted() {
                return Err(Interrupted);
            }
        }
        let lanes = LANES.min(samples - first);
        exact.forward(task, lanes, |element, lane| {
            let (argument, place) = program.place(element);
            match inputs[argument] {
                Input::Shared(data) => data[place],
                Input::PerSample(data) => data[(first + lane) * widths[argument] + place],
            }
        });
        look(&mut exact, task, first, lanes);
    }
    Ok(())
}

impl<'a> Log<'a> {
    fn of(program: &'a Program, most: usize) -> Self {
        Self { program, found: BTreeMap::new(), operands: vec![], most: most.max(1) }
    }

    /// The op of a node and its operands in a lane, if it is one of the table.
    fn operation(&mut self, exact: &Exact, node: NodeId, lane: usize) -> Option<Op> {
        self.operands.clear();
        self.operands.extend(self.program.operands(node).iter().map(|&o| exact.value(o, lane)));
        if let Kind::Power(n) = self.program.kind(node) {
            self.operands.push(f64::from(n));
        }
        self.program.op(node)
    }

    fn note(&mut self, exact: &Exact, node: NodeId, happened: Happened, lane: usize, first: usize) {
        let Some(op) = self.operation(exact, node, lane) else { return };
        let at = |place: usize| self.operands.get(place).copied().unwrap_or(0.0);
        let distance = if op.arity() == Arity::Variadic { None } else { op.pole(at(0), at(1)).map(f64::abs) };
        let event = self.found.entry((node, happened)).or_insert_with(|| BatchEvent {
            node,
            happened,
            count: 0,
            samples: vec![],
            operands: self.operands.clone(),
            value: exact.value(node, lane),
            distance,
        });
        event.count += 1;
        if event.samples.len() < self.most && event.samples.last() != Some(&(first + lane)) {
            event.samples.push(first + lane);
        }
        // Φ is at no distance.
        event.distance = match (event.distance, distance) {
            (Some(least), Some(d)) if d < least || least.is_nan() => Some(d),
            (known, _) => known,
        };
    }

    /// The births among these lanes.
    fn find_births(&mut self, exact: &Exact, first: usize, lanes: usize) {
        for node in self.program.element_count() as NodeId..self.program.len() as NodeId {
            if self.program.op(node).is_none() {
                continue;
            }
            for lane in 0..lanes {
                let value = exact.value(node, lane);
                if value.is_finite() {
                    continue;
                }
                let mut operands = self.program.operands(node).iter().map(|&o| exact.value(o, lane));
                if operands.clone().all(f64::is_finite) || makes_phi(value, &mut operands) {
                    self.note(exact, node, Happened::Born(TrScalar::from_ieee(value).tag()), lane, first);
                }
            }
        }
    }

    /// In the order in which the scalar path would meet them in the first sample concerned.
    fn events(self) -> Vec<BatchEvent> {
        let mut events: Vec<_> = self.found.into_values().collect();
        events.sort_by_key(|event| event.samples[0]);
        events
    }
}

impl Program {
    /// Where values that are not REAL began, made from REAL ones, or Φ from infinities: at which nodes, in which samples, of
    /// which at most `most` are named.
    ///
    /// # Errors
    /// [`Interrupted`] if `interrupted`, asked every 50 ms, said so.
    ///
    /// # Panics
    /// If the inputs are not as many or as long as the program has it.
    pub fn births(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Interrupted> {
        let facts = Analysis { needed: vec![true; self.len()], ..Analysis::new(self, &[], None) };
        let mut log = Log::of(self, most);
        let look = |exact: &mut Exact, _: Task<'_>, first, lanes| log.find_births(exact, first, lanes);
        replay(self, &facts, &ModeState::default(), samples, inputs, interrupted, look)?;
        Ok(log.events())
    }
}

impl Plan {
    /// Which contributions a run leaves out since they are not REAL, and in which samples, of which at
    /// most `most` are named. Nothing is counted.
    ///
    /// # Errors
    /// [`Interrupted`] if `interrupted`, asked every 50 ms, said so.
    ///
    /// # Panics
    /// If the inputs are not as many or as long as the program has it.
    pub fn dropped(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        state: &ModeState,
        statistics: &Statistics,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Interrupted> {
        let program = &self.program;
        let drops = matches!(self.request, Request::Gradient { total: Some(_), .. });
        let mut log = Log::of(program, most);
        let look = |exact: &mut Exact, task: Task<'_>, first, _| {
            for of_output in self.code.derivatives.chunk_by(|a, b| a.output == b.output) {
                let root = program.outputs()[of_output[0].output as usize];
                exact.dropped = Some(vec![]);
                exact.backward(Task { drops, ..task }, of_output, root, statistics);
                exact.notes.clear();
                for (node, place, lane) in exact.dropped.take().unwrap_or_default() {
                    log.note(exact, node, Happened::Dropped(place), lane, first);
                }
            }
        };
        replay(program, &self.facts, state, samples, inputs, interrupted, look)?;
        Ok(log.events())
    }
}
