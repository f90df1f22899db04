//! The exact rules for single samples.
//!
//! Samples with a value or a contribution that is not REAL, and those whose gradient takes the way
//! that a condition chooses, are replayed here as the scalar path would record and differentiate
//! them: every node has its own numbers, every contribution goes through [`Adjoint::receive`], and
//! the gradient mode is asked at every node. The loops go over samples inside and nodes outside.

use super::analysis::{Analysis, differentiable};
use super::code::Derivative;
use super::program::{Kind, NodeId, Program};
use crate::adjoints::{ACTIVE, Adjoint, RECEIVED, STATUS};
use crate::backward::PassCounts;
use crate::backward::policies::{Coordinate, Hybrid, MaskReal, Policy, Rule, Saturating};
use crate::mode::{GradientMode, ModeState};
use crate::ops::{Arity, Op};
use crate::reduce::Reduction;
use crate::stats::Statistics;
use crate::status::Status;

/// A derivative in one sample, and how it came about.
pub(super) type Found = (f64, Status);

/// The memory of the exact rules.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// By node and lane.
    values: Vec<f64>,
    rows: Vec<Adjoint>,
    coordinates: Vec<Coordinate>,
    lanes: usize,
    pub counts: PassCounts,
}

/// What the exact rules need to know besides the numbers.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub program: &'a Program,
    pub facts: &'a Analysis,
    pub state: &'a ModeState,
    /// Whether a sample whose value is not REAL is left out, so that nothing but the reason for that
    /// arrives at its root.
    pub drops: bool,
}

impl Exact {
    /// Works out the values of `lanes` samples, given those of the arguments' elements.
    pub fn forward(&mut self, task: Task<'_>, lanes: usize, element: impl Fn(NodeId, usize) -> f64) {
        let program = task.program;
        self.lanes = lanes;
        self.values.clear();
        self.values.resize(program.len() * lanes, 0.0);
        let mut list = vec![];
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
                Kind::Argument(_) => {
                    values.iter_mut().enumerate().for_each(|(lane, value)| *value = element(node, lane));
                }
                Kind::Elementwise(op) => {
                    let a = operand(0);
                    let b = if op.arity() == Arity::Binary { operand(1) } else { a };
                    macro_rules! by_op {
                        ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
                            match op {
                                $(Op::$op => {
                                    for ((value, &a), &b) in values.iter_mut().zip(a).zip(b) {
                                        *value = Op::$op.value(a, b);
                                    }
                                })*
                                _ => {}
                            }
                        };
                    }
                    for_each_elementwise_op! { by_op }
                }
                Kind::Power(n) => {
                    for (value, &a) in values.iter_mut().zip(operand(0)) {
                        *value = Op::PowInt.value(a, f64::from(n));
                    }
                }
                Kind::Fold(op, mode) => {
                    for (lane, value) in values.iter_mut().enumerate() {
                        list.clear();
                        list.extend(
                            program.operands(node).iter().map(|&o| before[o as usize * lanes + lane]),
                        );
                        let (sum, kept) = mode.sum_of(list.iter().copied());
                        *value = if op == Op::Mean { sum / kept as f64 } else { sum };
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
    }

    /// The value of a node in a sample.
    pub fn value(&self, node: NodeId, lane: usize) -> f64 {
        self.values[node as usize * self.lanes + lane]
    }

    /// One reverse pass from an output in every sample. Decisions are counted in `statistics`.
    pub fn backward(
        &mut self,
        task: Task<'_>,
        derivatives: &[Derivative],
        root: NodeId,
        statistics: &mut Statistics,
    ) {
        self.activate(task, derivatives, root);
        if task.state.mode == GradientMode::Hybrid {
            self.trace_coordinates(task, root);
        }
        for lane in 0..self.lanes {
            let node = self.taken(task.program, root, lane);
            let row = &mut self.rows[node as usize * self.lanes + lane];
            if row.mark & ACTIVE != 0 {
                if task.drops && !self.values[root as usize * self.lanes + lane].is_finite() {
                    row.reach(Status::MASKED.bits());
                } else {
                    row.receive(1.0, 1.0, 0);
                }
            }
        }
        // The policies borrow nothing of `self` but the coordinates.
        let coordinates = std::mem::take(&mut self.coordinates);
        match task.state.mode {
            GradientMode::MaskReal => self.sweep(task.program, root, &mut MaskReal),
            GradientMode::Saturating => {
                self.sweep(task.program, root, &mut Saturating { bound: task.state.bound() });
            }
            GradientMode::Hybrid => {
                let coordinates = &coordinates[..];
                self.sweep(task.program, root, &mut Hybrid { state: task.state, statistics, coordinates });
            }
        }
        self.coordinates = coordinates;
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
        while program.kind(node) == Kind::Select {
            let operands = program.operands(node);
            let holds = self.values[operands[0] as usize * self.lanes + lane] != 0.0;
            node = operands[if holds { 1 } else { 2 }];
        }
        node
    }

    /// Clears the rows, and marks in each sample what leads to a source.
    fn activate(&mut self, task: Task<'_>, derivatives: &[Derivative], root: NodeId) {
        let (program, lanes) = (task.program, self.lanes);
        self.rows.clear();
        self.rows.resize((root as usize + 1).max(program.element_count()) * lanes, Adjoint::default());
        for derivative in derivatives {
            let start = derivative.element as usize * lanes;
            self.rows[start..start + lanes].iter_mut().for_each(|row| row.mark = ACTIVE);
        }
        for node in 0..=root {
            if !task.facts.active[node as usize] || matches!(program.kind(node), Kind::Argument(_)) {
                continue;
            }
            for lane in 0..lanes {
                let leads = |o: &NodeId| self.rows[*o as usize * lanes + lane].mark & ACTIVE != 0;
                let active = match program.kind(node) {
                    Kind::Select => leads(&self.taken(program, node, lane)),
                    kind => differentiable(kind, program.operands(node)).iter().any(leads),
                };
                if active {
                    self.rows[node as usize * lanes + lane].mark = ACTIVE;
                }
            }
        }
    }

    /// The coordinates that each node depends on, in each sample.
    fn trace_coordinates(&mut self, task: Task<'_>, root: NodeId) {
        let (program, lanes) = (task.program, self.lanes);
        self.coordinates.clear();
        if !task.facts.on_coordinate[root as usize] {
            return;
        }
        self.coordinates.resize((root as usize + 1) * lanes, Coordinate::NONE);
        for node in (0..=root).filter(|&n| task.facts.on_coordinate[n as usize]) {
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
    }

    /// Visits the nodes in reverse.
    fn sweep<P: Policy>(&mut self, program: &Program, root: NodeId, policy: &mut P) {
        for node in (0..=root).rev() {
            match program.kind(node) {
                Kind::Elementwise(op) => {
                    macro_rules! by_op {
                        ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
                            match op {
                                $(Op::$op => self.elementwise(program, node, Op::$op, 0.0, policy),)*
                                _ => {}
                            }
                        };
                    }
                    for_each_elementwise_op! { by_op }
                }
                Kind::Power(n) => self.elementwise(program, node, Op::PowInt, f64::from(n), policy),
                Kind::Fold(op, mode) => self.reduction(program, node, op, mode, policy),
                Kind::Constant(_) | Kind::Argument(_) | Kind::Condition(_) | Kind::Select => {}
            }
        }
    }

    #[inline(always)]
    fn elementwise<P: Policy>(&mut self, program: &Program, node: NodeId, op: Op, n: f64, policy: &mut P) {
        let operands = program.operands(node);
        for lane in 0..self.lanes {
            let at = node as usize * self.lanes + lane;
            let Some((g, status)) = self.rows[at].visit() else { continue };
            let x = self.value(operands[0], lane);
            let y = if op.arity() == Arity::Binary { self.value(operands[1], lane) } else { n };
            let z = self.values[at];
            let (contributions, status) = match policy.rule(at, op, x, y, z) {
                Rule::Classical => (op.classical(g, x, y, z), status),
                Rule::Bounded(bound) => (op.bounded(g, x, y, z, bound), status | Status::SATURATED.bits()),
                Rule::Silence => {
                    self.counts.masked += 1;
                    for &operand in operands {
                        self.silence(program, operand, lane, status);
                    }
                    continue;
                }
            };
            for (&operand, contribution) in operands.iter().zip(contributions) {
                self.receive(program, operand, lane, contribution, g, status);
            }
        }
    }

    fn reduction<P: Policy>(
        &mut self,
        program: &Program,
        node: NodeId,
        op: Op,
        mode: Reduction,
        policy: &mut P,
    ) {
        let operands = program.operands(node);
        for lane in 0..self.lanes {
            let at = node as usize * self.lanes + lane;
            let Some((g, status)) = self.rows[at].visit() else { continue };
            let silent = matches!(policy.rule(at, op, 0.0, 0.0, self.values[at]), Rule::Silence);
            self.counts.masked += u64::from(silent);
            let kept = operands.iter().filter(|&&o| mode.keeps(self.value(o, lane))).count();
            let share = if op == Op::Mean { g / kept as f64 } else { g };
            for &operand in operands {
                if silent || !mode.keeps(self.value(operand, lane)) {
                    self.silence(program, operand, lane, status);
                } else {
                    self.receive(program, operand, lane, share, g, status);
                }
            }
        }
    }

    #[inline(always)]
    fn receive(
        &mut self,
        program: &Program,
        operand: NodeId,
        lane: usize,
        contribution: f64,
        g: f64,
        status: u8,
    ) {
        let node = self.taken(program, operand, lane);
        let row = &mut self.rows[node as usize * self.lanes + lane];
        if row.mark & ACTIVE != 0 {
            self.counts.dropped += u64::from(row.receive(contribution, g, status));
        }
    }

    #[inline(always)]
    fn silence(&mut self, program: &Program, operand: NodeId, lane: usize, status: u8) {
        let node = self.taken(program, operand, lane);
        let row = &mut self.rows[node as usize * self.lanes + lane];
        if row.mark & ACTIVE != 0 {
            row.reach(status | Status::MASKED.bits());
        }
    }
}
