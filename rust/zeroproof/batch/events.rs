//! What happened in a batch, node by node: where values that are not REAL began, and which
//! contributions were left out.
//!
//! A run does not look for this. Whoever asks has the samples replayed once more by the
//! per-sample interpreter, which keeps every value.

use super::compile::analysis::Analysis;
use super::irregular::interpreter::{Interpreter, Task};
use super::program::{Argument, Kind, NodeId, Program};
use super::{Input, Plan, Stopped};
use crate::error::Error;
use crate::graph::origins::{MOST_OPERANDS, makes_phi};
use crate::mode::ModeState;
use crate::op::Arity;
use crate::room;
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
    /// The first [`MOST_OPERANDS`] operands in the first one; behind the base of a power its exponent.
    pub operands: Vec<f64>,
    /// The value in the first one.
    pub value: f64,
    /// The least distance to the op's pole, if it has one.
    pub distance: Option<f64>,
}

impl BatchEvent {
    /// Adds a sample, which comes after those before it or is the last one again.
    fn add(&mut self, sample: usize, distance: Option<f64>, most: usize) {
        self.count += 1;
        if self.samples.len() < most && self.samples.last() != Some(&sample) {
            self.samples.push(sample);
        }
        // Φ is at no distance, and a power with another exponent may have no pole.
        self.distance = match (self.distance, distance) {
            (Some(least), Some(d)) if d < least || least.is_nan() => Some(d),
            (known, d) => known.or(d),
        };
    }
}

/// The events of a batch so far.
struct Log<'a> {
    program: &'a Program,
    found: BTreeMap<(NodeId, Happened), BatchEvent>,
    /// The most samples that an event names.
    most: usize,
    /// The origins at the node at hand: the lane and what was made.
    born: Vec<(usize, TrTag)>,
    /// By node and lane: whether an output is not REAL because of it.
    blamed: Vec<bool>,
}

/// Walks over the samples in pieces.
fn replay(
    program: &Program,
    facts: &Analysis,
    state: &ModeState,
    samples: usize,
    inputs: &[Input<'_>],
    interrupted: &mut dyn FnMut() -> bool,
    mut look: impl FnMut(&mut Interpreter, Task<'_>, usize, usize) -> Result<(), Error>,
) -> Result<(), Stopped> {
    let task = Task { program, facts, state, drops: false, only_sums: false };
    let widths: Vec<usize> = program.arguments().iter().map(Argument::size).collect();
    let (mut interpreter, mut asked) = (Interpreter::default(), Instant::now());
    for first in (0..samples).step_by(LANES) {
        if asked.elapsed() >= PATIENCE {
            asked = Instant::now();
            if interrupted() {
                return Err(Stopped::Interrupted);
            }
        }
        let lanes = LANES.min(samples - first);
        interpreter.forward(task, lanes, &|element, row| {
            let (argument, place) = program.place(element);
            match inputs[argument] {
                Input::Shared(data) => row.fill(data[place]),
                Input::PerSample(data) => {
                    let samples = data[first * widths[argument] + place..].iter().step_by(widths[argument]);
                    row.iter_mut().zip(samples).for_each(|(number, &sample)| *number = sample);
                }
            }
        })?;
        look(&mut interpreter, task, first, lanes)?;
    }
    Ok(())
}

impl<'a> Log<'a> {
    fn of(program: &'a Program, most: usize) -> Self {
        Self { program, found: BTreeMap::new(), most: most.max(1), born: vec![], blamed: vec![] }
    }

    /// Notes that something happened at a node in these lanes, which ascend.
    fn note(
        &mut self,
        interpreter: &Interpreter,
        node: NodeId,
        happened: Happened,
        lanes: impl Iterator<Item = usize>,
        first: usize,
    ) {
        let mut lanes = lanes.peekable();
        let Some((op, &lane)) = self.program.op(node).zip(lanes.peek()) else { return };
        let places = self.program.operands(node);
        let exponent = match self.program.kind(node) {
            Kind::Power(n) => Some(f64::from(n)),
            _ => None,
        };
        let operand = |place: usize, lane: usize| match places.get(place) {
            Some(&operand) => interpreter.value(operand, lane),
            None => exponent.unwrap_or(0.0),
        };
        let distance = |lane: usize| match op.arity() {
            Arity::Variadic => None,
            _ => op.pole(operand(0, lane), operand(1, lane)).map(f64::abs),
        };
        let event = self.found.entry((node, happened)).or_insert_with(|| {
            let operands = places.iter().map(|&operand| interpreter.value(operand, lane));
            BatchEvent {
                node,
                happened,
                count: 0,
                samples: vec![],
                operands: operands.chain(exponent).take(MOST_OPERANDS).collect(),
                value: interpreter.value(node, lane),
                distance: distance(lane),
            }
        });
        lanes.for_each(|lane| event.add(first + lane, distance(lane), self.most));
    }

    /// Notes the origins among these lanes; of those behind outputs alone, if they are known.
    fn find_origins(&mut self, interpreter: &Interpreter, first: usize, lanes: usize, only_blamed: bool) {
        let program = self.program;
        for node in program.element_count() as NodeId..program.len() as NodeId {
            let values = interpreter.row(node);
            if values.iter().all(|value| value.is_finite()) || program.op(node).is_none() {
                continue;
            }
            let operands = |lane| program.operands(node).iter().map(move |&o| interpreter.value(o, lane));
            let is_origin = |lane: usize, value: f64| {
                let wanted = !only_blamed || self.blamed[node as usize * lanes + lane];
                wanted && (operands(lane).all(f64::is_finite) || makes_phi(value, operands(lane)))
            };
            let mut born = std::mem::take(&mut self.born);
            born.clear();
            for (lane, &value) in values.iter().enumerate() {
                if !value.is_finite() && is_origin(lane, value) {
                    born.push((lane, TrScalar::from_ieee(value).tag()));
                }
            }
            for tag in [TrTag::PInf, TrTag::NInf, TrTag::Phi] {
                let of_tag = born.iter().filter(|origin| origin.1 == tag).map(|origin| origin.0);
                self.note(interpreter, node, Happened::Born(tag), of_tag, first);
            }
            self.born = born;
        }
    }

    /// Walks from outputs that are not REAL back to where that began, past what selections did not take.
    fn blame(&mut self, interpreter: &Interpreter, lanes: usize) -> Result<(), Error> {
        let (program, blamed) = (self.program, &mut self.blamed);
        blamed.clear();
        room::grow(blamed, program.len() * lanes, false)?;
        let at = |node: NodeId, lane: usize| node as usize * lanes + lane;
        for &output in program.outputs() {
            for lane in 0..lanes {
                blamed[at(output, lane)] |= !interpreter.value(output, lane).is_finite();
            }
        }
        for node in (program.element_count() as NodeId..program.len() as NodeId).rev() {
            let operands = program.operands(node);
            for lane in 0..lanes {
                if !blamed[at(node, lane)] {
                    continue;
                }
                let operands = match program.kind(node) {
                    Kind::Select => {
                        let taken = if interpreter.value(operands[0], lane) != 0.0 { 1 } else { 2 };
                        &operands[taken..=taken]
                    }
                    _ => operands,
                };
                for &operand in operands {
                    blamed[at(operand, lane)] |= !interpreter.value(operand, lane).is_finite();
                }
            }
        }
        Ok(())
    }

    /// By the first sample concerned, and there in the order in which the scalar path would meet them.
    fn events(self) -> Vec<BatchEvent> {
        let mut events: Vec<_> = self.found.into_values().collect();
        events.sort_by_key(|event| {
            // Recording goes upwards, a backward pass downwards.
            let node = i64::from(event.node);
            let turn = if matches!(event.happened, Happened::Dropped(_)) { -node } else { node };
            (event.samples[0], turn)
        });
        events
    }
}

impl Program {
    /// Where values that are not REAL began, made from REAL ones, or Φ from infinities: at which nodes,
    /// and in which samples, of which at most `most` are named.
    ///
    /// # Errors
    /// [`Stopped`]: [`Interrupted`](Stopped::Interrupted) if `interrupted`, asked every 50 ms, said so.
    ///
    /// # Panics
    /// If the inputs are not as many or as long as the program has it.
    pub fn origins(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Stopped> {
        self.find_origins(samples, inputs, most, interrupted, false)
    }

    /// The former name of [`origins`](Self::origins).
    ///
    /// # Errors
    /// As for that.
    #[deprecated(note = "now called `origins`")]
    pub fn births(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Stopped> {
        self.origins(samples, inputs, most, interrupted)
    }

    /// Of the [origins](Self::origins) those because of which an output is not REAL: not what became REAL
    /// again on the way to every output, nor what a selection did not take.
    ///
    /// # Errors
    /// [`Stopped`]: [`Interrupted`](Stopped::Interrupted) if `interrupted`, asked every 50 ms, said so.
    ///
    /// # Panics
    /// If the inputs are not as many or as long as the program has it.
    pub fn causes(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Stopped> {
        self.find_origins(samples, inputs, most, interrupted, true)
    }

    fn find_origins(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        interrupted: &mut dyn FnMut() -> bool,
        only_blamed: bool,
    ) -> Result<Vec<BatchEvent>, Stopped> {
        let facts = Analysis { needed: vec![true; self.len()], ..Analysis::new(self, &[], None) };
        let mut log = Log::of(self, most);
        let look = |interpreter: &mut Interpreter, _: Task<'_>, first, lanes| {
            if only_blamed {
                log.blame(interpreter, lanes)?;
            }
            log.find_origins(interpreter, first, lanes, only_blamed);
            Ok(())
        };
        replay(self, &facts, &ModeState::default(), samples, inputs, interrupted, look)?;
        Ok(log.events())
    }
}

impl Plan {
    /// Which contributions a run leaves out since they are not REAL, and in which samples, of which at
    /// most `most` are named. Nothing is counted.
    ///
    /// # Errors
    /// [`Stopped`]: [`Interrupted`](Stopped::Interrupted) if `interrupted`, asked every 50 ms, said so.
    ///
    /// # Panics
    /// If the inputs are not as many or as long as the program has it; for a plan that takes more of them than
    /// its program, with adjoints or a direction.
    pub fn dropped(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        most: usize,
        state: &ModeState,
        statistics: &Statistics,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<BatchEvent>, Stopped> {
        let program = &self.program;
        let drops = self.total().is_some();
        let mut log = Log::of(program, most);
        let look = |interpreter: &mut Interpreter, task: Task<'_>, first, _| {
            interpreter.dropped = Some(vec![]);
            for of_output in self.code.derivatives.chunk_by(|a, b| a.output == b.output) {
                let root = program.outputs()[of_output[0].output as usize];
                interpreter.backward(Task { drops, ..task }, of_output, root, statistics, &|_| 1.0)?;
                interpreter.notes.clear();
            }
            let mut dropped = interpreter.dropped.take().unwrap_or_default();
            // The passes of several outputs go over the same lanes.
            dropped.sort_unstable();
            for same in dropped.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
                let (node, place, _) = same[0];
                log.note(
                    interpreter,
                    node,
                    Happened::Dropped(place),
                    same.iter().map(|entry| entry.2),
                    first,
                );
            }
            Ok(())
        };
        replay(program, &self.facts, state, samples, inputs, interrupted, look)?;
        Ok(log.events())
    }
}
