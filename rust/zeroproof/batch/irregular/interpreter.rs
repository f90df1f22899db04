//! The per-sample interpreter.
//!
//! Samples with a value or a contribution that is not REAL, and those whose gradient takes the way
//! that a condition chooses, are replayed here as the scalar path would record and differentiate
//! them: every node has its own numbers, every contribution goes through [`Adjoint::receive`], and
//! the gradient mode is asked at every node. The loops go over samples inside and nodes outside.

use crate::adjoints::{ACTIVE, Adjoint, RECEIVED, STATUS};
use crate::backward::PassCounts;
use crate::backward::policies::{Coordinate, Decide, Hybrid, MaskReal, Policy, Saturating};
use crate::backward::step::{self, Arrived, Sink};
use crate::batch::compile::analysis::{Analysis, differentiable};
use crate::batch::compile::code::Derivative;
use crate::batch::compile::reachable::ReachableSets;
use crate::batch::program::{Kind, NodeId, Program};
use crate::error::Error;
use crate::mode::{GradientMode, ModeState};
use crate::op::powers::PowInt;
use crate::op::{Arity, Elementwise, Form, Op, Variadic};
use crate::reduce::Reduction;
use crate::room;
use crate::stats::Statistics;
use crate::status::Status;

/// A derivative in one sample, and how it came about.
pub(crate) type Found = (f64, Status);

/// The interpreter and its memory.
#[derive(Debug, Default)]
pub(crate) struct Interpreter {
    /// By node and lane.
    values: Vec<f64>,
    rows: Vec<Adjoint>,
    coordinates: Vec<Coordinate>,
    /// By operand and lane, which rows the contributions of the elementwise node at hand go to.
    targets: [Vec<usize>; 2],
    /// The inputs of the variadic node at hand in a sample, and which rows its contributions go to.
    inputs: Vec<f64>,
    input_rows: Vec<usize>,
    lanes: usize,
    /// The decisions of Hybrid mode, in the order in which they were made.
    pub notes: Vec<Note>,
    reachable_sets: ReachableSets,
    /// The nodes of the last pass that gradients flow through, in descending order, with the root that they are
    /// below: those of the only output are found once.
    reached: Vec<NodeId>,
    reached_from: Option<NodeId>,
    /// Whether the pass below it is one of plain operations: of no selection or variadic op.
    is_plain: bool,
    /// By node and lane, of a pass that is silenced at its root: the adjoint, a zero; NaN before one arrives.
    zeros: Vec<f64>,
    pub counts: PassCounts,
    /// Node, place of the operand and lane of the contributions left out, if somebody asks.
    pub dropped: Option<Vec<(NodeId, usize, usize)>>,
}

/// A decision of Hybrid mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub lane: usize,
    /// The distance to the pole.
    pub d: f64,
    pub at: Coordinate,
}

/// Decides as the statistics would, and leaves the counting for later.
struct Notes<'a> {
    lanes: usize,
    statistics: &'a Statistics,
    notes: Vec<Note>,
}

impl Decide for Notes<'_> {
    fn decide(&mut self, node: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.notes.push(Note { lane: node % self.lanes, d, at });
        self.would_saturate(state, d, at)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.statistics.would_saturate(state, d, at.explored)
    }
}

/// Where contributions to an operand go.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Nowhere: the operand leads to no source.
    Nowhere,
    /// To a node, the row of whose first lane this is.
    Row(usize),
    /// In each sample to what this selection took.
    Chosen(NodeId),
}

/// What the interpreter needs to know besides the numbers. An interpreter is for one program and its facts.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub program: &'a Program,
    pub facts: &'a Analysis,
    pub state: &'a ModeState,
    /// Whether a sample whose value is not REAL is left out, so that nothing but the reason for that
    /// arrives at its root.
    pub drops: bool,
    /// Whether all derivatives are added up, so that nobody asks for those of such a sample.
    pub only_sums: bool,
}

impl Interpreter {
    /// Works out the values of `lanes` samples; `gather` fills in those of an element of an argument.
    pub fn forward(
        &mut self,
        task: Task<'_>,
        lanes: usize,
        gather: &dyn Fn(NodeId, &mut [f64]),
    ) -> Result<(), Error> {
        let program = task.program;
        self.lanes = lanes;
        self.values.clear();
        room::grow(&mut self.values, program.len() * lanes, 0.0)?;
        self.coordinates.clear();
        for node in (0..program.len() as NodeId).filter(|&n| task.facts.needed[n as usize]) {
            let start = node as usize * lanes;
            let (before, values) = self.values.split_at_mut(start);
            let values = &mut values[..lanes];
            let operand = |place: usize| {
                let operand = program.operands(node)[place] as usize;
                &before[operand * lanes..][..lanes]
            };
            match program.kind(node) {
                Kind::Constant(value) => values.fill(value),
                Kind::Argument(_) => gather(node, values),
                Kind::Elementwise(op) => {
                    let a = operand(0);
                    let b = if op.arity() == Arity::Binary { operand(1) } else { a };
                    with_elementwise!(op, O => {
                        for ((value, &a), &b) in values.iter_mut().zip(a).zip(b) {
                            *value = O::value(a, b).full();
                        }
                    }, else ());
                }
                Kind::Power(n) => {
                    for (value, &a) in values.iter_mut().zip(operand(0)) {
                        *value = Op::PowInt.value(a, f64::from(n));
                    }
                }
                Kind::Fold(op, mode) => {
                    for (lane, value) in values.iter_mut().enumerate() {
                        let operands = program.operands(node).iter();
                        *value = mode.fold(op, operands.map(|&o| before[o as usize * lanes + lane]));
                    }
                }
                Kind::Condition(predicate) => {
                    let a = operand(0);
                    let b = if predicate.operands() == 2 { operand(1) } else { a };
                    for ((value, &a), &b) in values.iter_mut().zip(a).zip(b) {
                        *value = f64::from(u8::from(predicate.holds(a, b)));
                    }
                }
                Kind::Select => {
                    let (condition, a, b) = (operand(0), operand(1), operand(2));
                    for (lane, value) in values.iter_mut().enumerate() {
                        *value = if condition[lane] != 0.0 { a[lane] } else { b[lane] };
                    }
                }
            }
        }
        Ok(())
    }

    /// The value of a node in a sample.
    pub fn value(&self, node: NodeId, lane: usize) -> f64 {
        self.values[node as usize * self.lanes + lane]
    }

    /// The values of a node in all samples.
    pub fn row(&self, node: NodeId) -> &[f64] {
        &self.values[node as usize * self.lanes..][..self.lanes]
    }

    /// One reverse pass from an output in every sample, with the adjoint `seed` there. Decisions are made as `statistics`
    /// has it, and noted. Returns in how many samples the pass has found something, which is the first one for all
    /// where that is the same in every sample.
    pub fn backward(
        &mut self,
        task: Task<'_>,
        derivatives: &[Derivative],
        root: NodeId,
        statistics: &Statistics,
        seed: &dyn Fn(usize) -> f64,
    ) -> Result<usize, Error> {
        room::grow(&mut self.rows, task.program.len() * self.lanes, Adjoint::default())?;
        for targets in &mut self.targets {
            room::grow(targets, self.lanes, usize::MAX)?;
        }
        if self.reached_from != Some(root) {
            let flows = |node: NodeId| task.facts.active[node as usize];
            let reached = self.reachable_sets.below(task.program, root, flows);
            self.reached.clear();
            self.reached.extend_from_slice(reached);
            self.reached_from = Some(root);
            let kinds = self.reached.iter().map(|&node| task.program.kind(node));
            let mut others = kinds.filter(|kind| matches!(kind, Kind::Select | Kind::Fold(..)));
            self.is_plain = others.next().is_none();
        }
        if self.silences_root(task, root, seed) {
            return self.masked_pass(task, derivatives);
        }
        self.activate(task, derivatives);
        if task.state.mode == GradientMode::Hybrid {
            self.trace_coordinates(task, root)?;
        }
        // A root that leads to no source has no rows of this pass.
        let lanes = if self.reached.is_empty() { 0 } else { self.lanes };
        for lane in 0..lanes {
            let node = self.taken(task.program, root, lane);
            let row = &mut self.rows[node as usize * self.lanes + lane];
            if row.mark & ACTIVE != 0 {
                let seed = seed(lane);
                if task.drops && !self.values[root as usize * self.lanes + lane].is_finite() {
                    // The sum leaves the seed out, and silences the value.
                    let dropped = !seed.is_finite();
                    self.counts.dropped += u64::from(dropped);
                    let status = if dropped { Status::DROPPED.bits() } else { 0 };
                    row.reach(status | Status::MASKED.bits());
                } else {
                    self.counts.dropped += u64::from(row.receive(seed, seed, 0));
                }
            }
        }
        // The policies borrow nothing of `self` but the coordinates.
        let coordinates = std::mem::take(&mut self.coordinates);
        match task.state.mode {
            GradientMode::MaskReal => self.sweep(task, &mut MaskReal),
            GradientMode::Saturating => {
                self.sweep(task, &mut Saturating { bound: task.state.bound() });
            }
            GradientMode::Hybrid => {
                let mut notes =
                    Notes { lanes: self.lanes, statistics, notes: std::mem::take(&mut self.notes) };
                let coordinates = &coordinates[..];
                let mut policy = Hybrid { state: task.state, decisions: &mut notes, coordinates };
                self.sweep(task, &mut policy);
                self.notes = notes.notes;
            }
        }
        self.coordinates = coordinates;
        Ok(self.lanes)
    }

    /// What a pass found for a derivative in a sample.
    pub fn found(&self, derivative: &Derivative, lane: usize) -> Found {
        let Adjoint { value, mark } = self.rows[derivative.element as usize * self.lanes + lane];
        let value = if mark & RECEIVED != 0 { value } else { 0.0 };
        (value, Status::from_bits_truncate(mark & STATUS))
    }

    /// The node that stands for `node` in a sample: what a selection took.
    #[inline(always)]
    fn taken(&self, program: &Program, mut node: NodeId, lane: usize) -> NodeId {
        while matches!(program.kind(node), Kind::Select) {
            let operands = program.operands(node);
            let holds = self.values[operands[0] as usize * self.lanes + lane] != 0.0;
            node = operands[if holds { 1 } else { 2 }];
        }
        node
    }

    /// Clears the rows of the pass, and marks in each sample what leads to a source.
    fn activate(&mut self, task: Task<'_>, derivatives: &[Derivative]) {
        let (program, lanes) = (task.program, self.lanes);
        let rows = |node: NodeId| node as usize * lanes..(node as usize + 1) * lanes;
        derivatives.iter().for_each(|d| self.rows[rows(d.element)].fill(Adjoint::default()));
        let active = Adjoint { mark: ACTIVE, ..Adjoint::default() };
        if !self.reached.iter().any(|&node| program.kind(node) == Kind::Select) {
            // All that is reached leads to a source, whatever the sample.
            return self.reached.iter().for_each(|&node| self.rows[rows(node)].fill(active));
        }
        // What is taken may lead nowhere, and is not reached then.
        self.rows.fill(Adjoint::default());
        for place in (0..self.reached.len()).rev() {
            let node = self.reached[place];
            for lane in 0..lanes {
                let leads = |o: &NodeId| self.rows[*o as usize * lanes + lane].mark & ACTIVE != 0;
                let is_active = match program.kind(node) {
                    Kind::Argument(_) => true,
                    Kind::Select => leads(&self.taken(program, node, lane)),
                    kind => differentiable(kind, program.operands(node)).iter().any(leads),
                };
                if is_active {
                    self.rows[node as usize * lanes + lane] = active;
                }
            }
        }
    }

    /// The coordinates that each node depends on, in each sample.
    fn trace_coordinates(&mut self, task: Task<'_>, root: NodeId) -> Result<(), Error> {
        let (program, lanes) = (task.program, self.lanes);
        let below = self.reachable_sets.below(program, root, |node| task.facts.on_coordinate[node as usize]);
        let below = below.to_vec();
        if !below.is_empty() {
            room::grow(&mut self.coordinates, program.len() * lanes, Coordinate::NONE)?;
        }
        for node in below.into_iter().rev() {
            for lane in 0..lanes {
                let at = |node: NodeId| node as usize * lanes + lane;
                self.coordinates[at(node)] = match program.kind(node) {
                    Kind::Argument(_) => Coordinate::of(self.values[at(node)], task.state),
                    Kind::Select => self.coordinates[at(self.taken(program, node, lane))],
                    kind => {
                        let below = differentiable(kind, program.operands(node)).iter();
                        below.fold(Coordinate::NONE, |all, &o| all.and(self.coordinates[at(o)]))
                    }
                };
            }
        }
        Ok(())
    }

    /// Visits the nodes in reverse.
    fn sweep<P: Policy>(&mut self, task: Task<'_>, policy: &mut P) {
        let reached = std::mem::take(&mut self.reached);
        for &node in &reached {
            match task.program.kind(node) {
                Kind::Elementwise(op) => {
                    with_elementwise!(op, O => self.elementwise::<O, P>(task, node, 0.0, policy), else ());
                }
                Kind::Power(n) => self.elementwise::<PowInt, P>(task, node, f64::from(n), policy),
                Kind::Fold(op, mode) => {
                    with_variadic!(op, O => self.variadic::<O, P>(task, node, mode, policy), else ());
                }
                Kind::Constant(_) | Kind::Argument(_) | Kind::Condition(_) | Kind::Select => {}
            }
        }
        self.reached = reached;
    }

    /// Where contributions to an operand go.
    fn way(&self, task: Task<'_>, operand: NodeId) -> Way {
        if !task.facts.active[operand as usize] {
            Way::Nowhere
        } else if task.program.kind(operand) == Kind::Select {
            Way::Chosen(operand)
        } else {
            Way::Row(operand as usize * self.lanes)
        }
    }

    /// Which row the contributions to an operand go to in a sample; none has this number if it leads to no source.
    #[inline(always)]
    fn target(&self, program: &Program, way: Way, lane: usize) -> usize {
        match way {
            Way::Nowhere => usize::MAX,
            Way::Row(first) => first + lane,
            Way::Chosen(operand) => self.taken(program, operand, lane) as usize * self.lanes + lane,
        }
    }

    /// A function for each op: one of all ops takes several times as long to compile.
    #[inline(never)]
    fn elementwise<O: Elementwise, P: Policy>(
        &mut self,
        task: Task<'_>,
        node: NodeId,
        n: f64,
        policy: &mut P,
    ) {
        let is_binary = O::ARITY == Arity::Binary;
        let Parts { first, values: [x, y, z], rows, before, targets, counts, dropped } =
            self.parts(task, node);
        // One length for all, so that one check of an index serves all.
        let lanes = rows.len();
        let (x, y, z) = (&x[..lanes], &y[..lanes], &z[..lanes]);
        let (to_x, to_y) = (&targets[0][..lanes], &targets[1][..lanes]);
        for (lane, row) in rows.iter_mut().enumerate() {
            let Some((g, status)) = row.visit() else { continue };
            let numbers = [x[lane], if is_binary { y[lane] } else { n }, z[lane]];
            let (operands, from) = ([to_x[lane], to_y[lane]], Arrived { g, status });
            let (counts, dropped) = (&mut *counts, &mut *dropped);
            let mut sink =
                Operands { rows: &mut *before, operands: &operands, counts, dropped, note: (node, lane) };
            step::elementwise::<O, P>(policy, first + lane, from, numbers, &mut sink);
        }
    }

    /// What [`elementwise`](Self::elementwise) works on, the same for all ops. The rows of what contributions go to come
    /// before those of the node.
    #[inline(never)]
    fn parts(&mut self, task: Task<'_>, node: NodeId) -> Parts<'_> {
        let lanes = self.lanes;
        let operands = task.program.operands(node);
        let operands = [operands[0], operands[operands.len().min(2) - 1]];
        for (place, operand) in operands.into_iter().enumerate() {
            let way = self.way(task, operand);
            let mut targets = std::mem::take(&mut self.targets[place]);
            for (lane, target) in targets[..lanes].iter_mut().enumerate() {
                *target = self.target(task.program, way, lane);
            }
            self.targets[place] = targets;
        }
        let first = |node: NodeId| node as usize * lanes;
        let Self { values, rows, targets, counts, dropped, .. } = self;
        let (before, rows) = rows.split_at_mut(first(node));
        let row = |node: NodeId| &values[first(node)..][..lanes];
        Parts {
            first: first(node),
            values: [row(operands[0]), row(operands[1]), row(node)],
            rows: &mut rows[..lanes],
            before,
            targets,
            counts,
            dropped,
        }
    }

    #[inline(always)]
    fn variadic<O: Variadic, P: Policy>(
        &mut self,
        task: Task<'_>,
        node: NodeId,
        mode: Reduction,
        policy: &mut P,
    ) {
        let (program, lanes) = (task.program, self.lanes);
        let operands = program.operands(node);
        let (mut inputs, mut input_rows) =
            (std::mem::take(&mut self.inputs), std::mem::take(&mut self.input_rows));
        for lane in 0..lanes {
            let at = node as usize * lanes + lane;
            let Some((g, status)) = self.rows[at].visit() else { continue };
            inputs.clear();
            inputs.extend(operands.iter().map(|&operand| self.value(operand, lane)));
            let target = |&operand: &NodeId| self.target(program, self.way(task, operand), lane);
            input_rows.clear();
            input_rows.extend(operands.iter().map(target));
            let (z, from) = (self.values[at], Arrived { g, status });
            let Self { rows, counts, dropped, .. } = self;
            let mut sink = Operands { rows, operands: &input_rows, counts, dropped, note: (node, lane) };
            step::variadic::<O, P>(policy, from, inputs.iter().copied(), mode, z, &mut sink);
        }
        (self.inputs, self.input_rows) = (inputs, input_rows);
    }
}

mod masked;

/// A node in all samples: the values of its operands and its own, its rows and those before, and by operand and lane
/// which of these contributions go to.
struct Parts<'r> {
    first: usize,
    values: [&'r [f64]; 3],
    rows: &'r mut [Adjoint],
    before: &'r mut [Adjoint],
    targets: &'r [Vec<usize>; 2],
    counts: &'r mut PassCounts,
    dropped: &'r mut Option<Vec<(NodeId, usize, usize)>>,
}

/// The operands of a node in a sample.
struct Operands<'r> {
    rows: &'r mut [Adjoint],
    /// Which rows contributions to them go to, as [`Interpreter::target`] tells.
    operands: &'r [usize],
    counts: &'r mut PassCounts,
    dropped: &'r mut Option<Vec<(NodeId, usize, usize)>>,
    /// The node and the lane, for a contribution that is left out.
    note: (NodeId, usize),
}

impl Operands<'_> {
    #[inline(always)]
    fn row(&mut self, place: usize) -> Option<&mut Adjoint> {
        self.rows.get_mut(self.operands[place]).filter(|row| row.mark & ACTIVE != 0)
    }

    #[cold]
    fn note_dropped(&mut self, place: usize) {
        self.counts.dropped += 1;
        if let Some(dropped) = &mut self.dropped {
            dropped.push((self.note.0, place, self.note.1));
        }
    }
}

impl Sink for Operands<'_> {
    #[inline(always)]
    fn receive(&mut self, place: usize, contribution: f64, from: Arrived) {
        if self.row(place).is_some_and(|row| row.receive(contribution, from.g, from.status)) {
            self.note_dropped(place);
        }
    }

    #[inline(always)]
    fn silence(&mut self, place: usize, from: Arrived) {
        if let Some(row) = self.row(place) {
            row.reach(from.status | Status::MASKED.bits());
        }
    }

    #[inline(always)]
    fn mask(&mut self, operands: usize, from: Arrived) {
        self.counts.masked += 1;
        (0..operands).for_each(|place| self.silence(place, from));
    }

    #[inline(always)]
    fn saturate(&mut self) {}
}
