//! Carries out instructions on a block.

use super::code::{Code, Instruction, NO_SITE, Source};
use super::kernels::{
    AdjointSources, Bounded, Classical, Lines, contribute, multiply_add, op, power, saturate, select, square,
    value,
};
use super::slots::{BlockInputs, LANES, Line, Slot};
use crate::mode::ModeState;
use crate::ops::Op;
use crate::reduce::Reduction;

/// Runs a kernel for an op that becomes its constant.
macro_rules! by_op {
    (($d:tt) $op:expr, $code:ident => $kernel:expr) => {{
        macro_rules! arms {
                            ($d(($d variant:ident, $d name:ident, $d arity:ident, $d formula:literal))*) => {
                                match $op {
                                    $d(Op::$d variant => {
                                        const $code: u8 = Op::$d variant as u8;
                                        $kernel
                                    })*
                                    _ => debug_assert!(false, "{:?} is not elementwise", $op),
                                }
                            };
                        }
        for_each_elementwise_op! { arms }
    }};
}

/// How the singular ops of a pass are differentiated in regular samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule<'a> {
    /// Classical partials.
    Classical,
    /// Bounded partials with this bound: Saturating mode, or a policy of Hybrid mode that saturates.
    Bounded(f64),
    /// What Hybrid mode decides from distances and exploration regions.
    Deciding(&'a ModeState),
}

/// The slots of one worker.
#[derive(Debug)]
pub(super) struct Machine {
    pub slots: Vec<Slot>,
    /// Site and lane of every bounded partial that Hybrid mode decided for in this block.
    pub saturated: Vec<(u32, u32)>,
    /// The lanes of the block in an exploration region, for the op at hand.
    explored: Vec<bool>,
}

impl Machine {
    pub fn new(code: &Code, block: usize) -> Self {
        let slots = (0..code.slots).map(|_| Slot::new(block)).collect();
        Self { slots, saturated: vec![], explored: vec![] }
    }

    /// Takes a slot out to be written.
    #[inline(always)]
    fn take(&mut self, slot: u32) -> Slot {
        std::mem::take(&mut self.slots[slot as usize])
    }

    #[inline(always)]
    fn put(&mut self, slot: u32, written: Slot) {
        self.slots[slot as usize] = written;
    }

    /// A source as lines; `uniform` is where a uniform number is spread out.
    #[inline(always)]
    pub fn lines<'s>(
        &'s self,
        inputs: &'s BlockInputs<'_>,
        uniform: &'s mut [Line; 1],
        source: Source,
    ) -> Lines<'s> {
        match source {
            Source::Slot(slot) => Lines { lines: self.slots[slot as usize].lines(), step: 1 },
            Source::Column(argument) => Lines { lines: inputs.column(argument), step: 1 },
            Source::Uniform(number) => {
                *uniform = [[inputs.uniforms[number as usize]; LANES]];
                Lines { lines: uniform, step: 0 }
            }
        }
    }

    /// The number of one sample.
    pub fn at(&self, inputs: &BlockInputs<'_>, source: Source, lane: usize) -> f64 {
        match source {
            Source::Slot(slot) => self.slots[slot as usize].samples()[lane],
            Source::Column(argument) => inputs.column(argument)[lane / LANES][lane % LANES],
            Source::Uniform(number) => inputs.uniforms[number as usize],
        }
    }

    /// Carries out all instructions.
    #[inline(always)]
    pub fn execute(&mut self, code: &Code, inputs: &BlockInputs<'_>, rule: Rule<'_>) {
        self.saturated.clear();
        for &instruction in &code.instructions {
            let [mut first, mut second, mut third, mut fourth] = [[[0.0; LANES]]; 4];
            match instruction {
                Instruction::Value { op, to, a, b } => {
                    let mut slot = self.take(to);
                    let (a, b) = (self.lines(inputs, &mut first, a), self.lines(inputs, &mut second, b));
                    by_op!(($) op, CODE => value::<CODE>(slot.lines_mut(), a, b));
                    self.put(to, slot);
                }
                Instruction::MulAdd { to, a, b, c } => {
                    let mut slot = self.take(to);
                    let (a, b) = (self.lines(inputs, &mut first, a), self.lines(inputs, &mut second, b));
                    let c = self.lines(inputs, &mut third, c);
                    multiply_add(slot.lines_mut(), a, b, c);
                    self.put(to, slot);
                }
                Instruction::Adjoint { op, n, g, a, b, z, to, site } => {
                    let mut slots = to.map(|to| to.map(|to| self.take(to)));
                    let mut saturated = std::mem::take(&mut self.saturated);
                    let explored = self.explore(code, inputs, rule, site);
                    let from = AdjointSources {
                        g: self.lines(inputs, &mut first, g),
                        a: self.lines(inputs, &mut second, a),
                        b: self.lines(inputs, &mut third, b),
                        z: self.lines(inputs, &mut fourth, z),
                    };
                    let mut to_lines = slots.each_mut().map(|slot| slot.as_mut().map(Slot::lines_mut));
                    let adjoint =
                        Adjoint { from, exponent: n, rule, explored: &explored, lines: inputs.lines };
                    by_op!(($) op, CODE => adjoint.contribute::<CODE>(&mut to_lines, &mut saturated, site));
                    self.explored = explored;
                    self.saturated = saturated;
                    for (to, slot) in to.into_iter().zip(slots) {
                        if let (Some(to), Some(slot)) = (to, slot) {
                            self.put(to, slot);
                        }
                    }
                }
                Instruction::Load { to, argument, element } => {
                    let mut slot = self.take(to);
                    let (argument, element) = (argument as usize, element as usize);
                    let rows = inputs.rows(argument);
                    for (sample, row) in slot.samples_mut().iter_mut().zip(rows) {
                        *sample = row[element];
                    }
                    self.put(to, slot);
                }
                Instruction::Power { n, to, a } => {
                    let mut slot = self.take(to);
                    let a = self.lines(inputs, &mut first, a);
                    match n {
                        0 => each(slot.lines_mut(), a, a, |a, _| Op::PowInt.value(a, 0.0)),
                        2 => square(slot.lines_mut(), a),
                        _ => power(n, slot.lines_mut(), a),
                    }
                    self.put(to, slot);
                }
                Instruction::Test { predicate, to, a, b } => {
                    let mut slot = self.take(to);
                    let (a, b) = (self.lines(inputs, &mut first, a), self.lines(inputs, &mut second, b));
                    each(slot.lines_mut(), a, b, |a, b| f64::from(u8::from(predicate.holds(a, b))));
                    self.put(to, slot);
                }
                Instruction::Select { to, condition, a, b } => {
                    let mut slot = self.take(to);
                    let (a, b) = (self.lines(inputs, &mut first, a), self.lines(inputs, &mut second, b));
                    select(slot.lines_mut(), self.lines(inputs, &mut third, condition), a, b);
                    self.put(to, slot);
                }
                Instruction::Fold { op, mode, to, list } => {
                    let mut slot = self.take(to);
                    let sources = &code.lists[list.0 as usize..list.1 as usize];
                    self.fold(op, mode, inputs, slot.lines_mut(), sources);
                    self.put(to, slot);
                }
            }
        }
    }

    /// A sum or mean that leaves values out.
    fn fold(&self, op: Op, mode: Reduction, inputs: &BlockInputs<'_>, to: &mut [Line], sources: &[Source]) {
        for (line, to) in to.iter_mut().enumerate() {
            let (mut sum, mut kept) = ([0.0; LANES], [0.0; LANES]);
            for &source in sources {
                let mut uniform = [[0.0; LANES]];
                let values = self.lines(inputs, &mut uniform, source).at(line);
                for lane in 0..LANES {
                    let keeps = mode.keeps(values[lane]);
                    let next = if kept[lane] == 0.0 { values[lane] } else { sum[lane] + values[lane] };
                    sum[lane] = if keeps { next } else { sum[lane] };
                    kept[lane] += f64::from(u8::from(keeps));
                }
            }
            for lane in 0..LANES {
                let nothing = mode == Reduction::DropNull && kept[lane] == 0.0;
                let sum = if nothing { f64::NAN } else { sum[lane] };
                to[lane] = if op == Op::Mean { sum / kept[lane] } else { sum };
            }
        }
    }

    /// Which lanes are in an exploration region, for the op of a site. None at all if empty.
    fn explore(&mut self, code: &Code, inputs: &BlockInputs<'_>, rule: Rule<'_>, site: u32) -> Vec<bool> {
        let mut explored = std::mem::take(&mut self.explored);
        explored.clear();
        if let (Rule::Deciding(state), true) = (rule, site != NO_SITE)
            && !state.regions().is_empty()
        {
            for &coordinate in &code.sites[site as usize].coordinates {
                explored.resize(inputs.lines * LANES, false);
                for (lane, explored) in explored.iter_mut().enumerate() {
                    *explored |= state.explores(self.at(inputs, coordinate, lane));
                }
            }
        }
        explored
    }
}

/// What is rare enough for a plain loop.
fn each(to: &mut [Line], a: Lines<'_>, b: Lines<'_>, f: impl Fn(f64, f64) -> f64) {
    for (line, to) in to.iter_mut().enumerate() {
        for (lane, to) in to.iter_mut().enumerate() {
            *to = f(a.at(line)[lane], b.at(line)[lane]);
        }
    }
}

/// The contributions of one op.
struct Adjoint<'a> {
    from: AdjointSources<'a>,
    exponent: i32,
    rule: Rule<'a>,
    explored: &'a [bool],
    lines: usize,
}

impl Adjoint<'_> {
    #[inline(always)]
    fn contribute<const OP: u8>(
        &self,
        to: &mut [Option<&mut [Line]>; 2],
        saturated: &mut Vec<(u32, u32)>,
        site: u32,
    ) {
        let (from, exponent) = (self.from, self.exponent);
        let singular = op::<OP>().pole(1.0, f64::from(exponent)).is_some();
        match self.rule {
            Rule::Bounded(bound) if singular => contribute::<OP>(to, from, Bounded { exponent, bound }),
            _ => contribute::<OP>(to, from, Classical { exponent }),
        }
        if let (Rule::Deciding(state), true) = (self.rule, singular) {
            let delta = state.delta().unwrap_or(-1.0);
            let bounded = Bounded { exponent, bound: state.bound() };
            let report = |lane| saturated.push((site, lane as u32));
            saturate::<OP>(to, from, bounded, delta, self.explored, self.lines, report);
        }
    }
}
