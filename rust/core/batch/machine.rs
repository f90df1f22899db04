//! Carries out instructions on a block.

use super::code::{Code, Instruction, NO_SITE, Source};
use super::dispatch::prefetch;
use super::kernels::{
    AdjointSources, Bounded, Classical, Lines, cheap_value, contribute, multiply_add, polynomial, power,
    saturate, select, share, sin_cos, square, test, value,
};
use super::slots::{BlockInputs, LANES, Line, Memory};
use crate::mode::ModeState;
use crate::op::arithmetic::{Add, Mul, Sub};
use crate::op::{Elementwise, Op};

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

/// Lines between slots. Slots that are a multiple of 4096 bytes apart would make the processor take a
/// read of the one for a read of what was just written to the other.
const APART: usize = 1;

/// The slots of one worker.
#[derive(Debug)]
pub(super) struct Machine<'m> {
    pub slots: Vec<&'m mut [Line]>,
    /// Site and lane of every bounded partial that Hybrid mode decided for in this block.
    pub saturated: Vec<(u32, u32)>,
    /// The lanes of the block in an exploration region, for the op at hand.
    explored: Vec<bool>,
    /// Those of the polynomial at hand.
    coefficients: Vec<f64>,
    /// Whether anybody asks for distances to poles.
    measures: bool,
}

impl<'m> Machine<'m> {
    /// Slots for blocks of so many lines, in `memory`; `measures` says whether distances to poles are asked
    /// for.
    pub fn new(memory: &'m mut Memory, lines: usize, measures: bool) -> Self {
        let slots = memory.lines_mut().chunks_exact_mut(lines + APART).map(|slot| &mut slot[..lines]);
        Self { slots: slots.collect(), saturated: vec![], explored: vec![], coefficients: vec![], measures }
    }

    /// The lines that so many slots take.
    pub fn lines_of(slots: usize, lines: usize) -> usize {
        slots * (lines + APART)
    }

    /// Takes a slot out to be written; none of the sources is it.
    #[inline(always)]
    fn take(&mut self, slot: u32) -> &'m mut [Line] {
        std::mem::take(&mut self.slots[slot as usize])
    }

    #[inline(always)]
    fn put(&mut self, slot: u32, written: &'m mut [Line]) {
        self.slots[slot as usize] = written;
    }

    /// A source as lines.
    #[inline(always)]
    pub fn lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, source: Source) -> Lines<'s> {
        match source {
            Source::Slot(slot) => Lines { lines: &*self.slots[slot as usize], is_uniform: false },
            Source::Column(argument) => Lines { lines: inputs.column(argument), is_uniform: false },
            Source::Uniform(number) => {
                Lines { lines: std::slice::from_ref(&inputs.uniforms[number as usize]), is_uniform: true }
            }
        }
    }

    /// The number of one sample.
    pub fn at(&self, inputs: &BlockInputs<'_>, source: Source, lane: usize) -> f64 {
        self.lines(inputs, source).at(lane / LANES)[lane % LANES]
    }

    /// Carries out all instructions.
    #[inline(always)]
    pub fn execute(&mut self, code: &Code, inputs: &BlockInputs<'_>, rule: Rule<'_>) {
        self.saturated.clear();
        for &argument in &code.columns {
            prefetch(inputs.next_of_column(argument as usize));
        }
        for &instruction in &code.instructions {
            match instruction {
                Instruction::Value { op, to, a, b } => {
                    let slot = self.take(to);
                    let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                    match op {
                        Op::Add => cheap_value::<Add>(slot, a, b),
                        Op::Sub => cheap_value::<Sub>(slot, a, b),
                        Op::Mul => cheap_value::<Mul>(slot, a, b),
                        _ => with_elementwise!(op, O => value::<O>(slot, a, b), else not_of_kind(op)),
                    }
                    self.put(to, slot);
                }
                Instruction::MulAdd { to, a, b, c } => {
                    let slot = self.take(to);
                    let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                    let c = self.lines(inputs, c);
                    multiply_add(slot, a, b, c);
                    self.put(to, slot);
                }
                Instruction::Adjoint { op, n, g, a, b, z, to, site } => {
                    let mut slots = to.map(|to| to.map(|to| self.take(to)));
                    let mut saturated = std::mem::take(&mut self.saturated);
                    let explored = self.explore(code, inputs, rule, site);
                    let from = AdjointSources {
                        g: self.lines(inputs, g),
                        a: self.lines(inputs, a),
                        b: self.lines(inputs, b),
                        z: self.lines(inputs, z),
                    };
                    let mut to_lines = slots.each_mut().map(|slot| slot.as_mut().map(|lines| &mut **lines));
                    let pole = code.sites.get(site as usize).map(|site| self.lines(inputs, site.pole));
                    let adjoint =
                        Adjoint { from, exponent: n, rule, pole, explored: &explored, lines: inputs.lines };
                    with_elementwise!(op, O => {
                        adjoint.contribute::<O>(&mut to_lines, &mut saturated, site);
                    }, else not_of_kind(op));
                    self.explored = explored;
                    self.saturated = saturated;
                    for (to, slot) in to.into_iter().zip(slots) {
                        if let (Some(to), Some(slot)) = (to, slot) {
                            self.put(to, slot);
                        }
                    }
                }
                Instruction::Load { to, argument, element } => {
                    let slot = self.take(to);
                    if inputs.widths[argument as usize] == 1 {
                        slot.copy_from_slice(inputs.column(argument));
                    } else {
                        let rows = inputs.rows(argument as usize);
                        for (sample, row) in slot.as_flattened_mut().iter_mut().zip(rows) {
                            *sample = row[element as usize];
                        }
                    }
                    self.put(to, slot);
                }
                Instruction::Polynomial { to, a, list } => {
                    let slot = self.take(to);
                    let sources = &code.lists[list.0 as usize..list.1 as usize];
                    let mut coefficients = std::mem::take(&mut self.coefficients);
                    coefficients.clear();
                    coefficients.extend(sources.iter().map(|&source| self.lines(inputs, source).at(0)[0]));
                    polynomial(slot, self.lines(inputs, a), &coefficients);
                    self.coefficients = coefficients;
                    self.put(to, slot);
                }
                Instruction::SinCos { to, a } => {
                    let mut slots = to.map(|to| to.map(|to| self.take(to)));
                    if let [Some(sine), Some(cosine)] = &mut slots {
                        sin_cos(sine, cosine, self.lines(inputs, a));
                    }
                    for (to, slot) in to.into_iter().zip(slots) {
                        if let (Some(to), Some(slot)) = (to, slot) {
                            self.put(to, slot);
                        }
                    }
                }
                Instruction::Power { n, to, a } => {
                    let slot = self.take(to);
                    let a = self.lines(inputs, a);
                    match n {
                        0 => each(slot, a, a, |a, _| Op::PowInt.value(a, 0.0)),
                        2 => square(slot, a),
                        _ => power(n, slot, a),
                    }
                    self.put(to, slot);
                }
                Instruction::Test { predicate, to, a, b } => {
                    let slot = self.take(to);
                    let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                    test(predicate, slot, a, b);
                    self.put(to, slot);
                }
                Instruction::Select { to, condition, a, b } => {
                    let slot = self.take(to);
                    let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                    select(slot, self.lines(inputs, condition), a, b);
                    self.put(to, slot);
                }
                Instruction::Fold { op, mode, to, list } => {
                    let slot = self.take(to);
                    let sources = &code.lists[list.0 as usize..list.1 as usize];
                    match op {
                        Op::Sum | Op::Mean => self.add_kept(op, mode, inputs, slot, sources),
                        _ => self.fold(op, mode, inputs, slot, sources),
                    }
                    self.put(to, slot);
                }
                Instruction::Shared { op, mode, z, to, list } => {
                    let slots = to.map(|to| self.take(to));
                    let sources = &code.lists[list.0 as usize..list.1 as usize];
                    let [first, second] = slots;
                    self.share_out(op, mode, inputs, [&mut *first, &mut *second], sources, z);
                    self.put(to[0], first);
                    self.put(to[1], second);
                }
                Instruction::Share { op, g, x, shared, to } => {
                    let slot = self.take(to);
                    let (g, x) = (self.lines(inputs, g), self.lines(inputs, x));
                    let shared = shared.map(|source| self.lines(inputs, source));
                    with_variadic!(op, O => share::<O>(slot, g, x, shared), else not_of_kind(op));
                    self.put(to, slot);
                }
                Instruction::Distance { op, to, a, b } if self.measures => {
                    let slot = self.take(to);
                    let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                    each(slot, a, b, |a, b| op.pole(a, b).unwrap_or(f64::NAN));
                    self.put(to, slot);
                }
                Instruction::Distance { .. } => {}
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

/// An instruction holds an op of another kind than it carries out: that is never compiled.
#[cold]
fn not_of_kind(op: Op) {
    debug_assert!(false, "{op:?} is no op of this kind");
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
    /// Of a singular op.
    pole: Option<Lines<'a>>,
    explored: &'a [bool],
    lines: usize,
}

impl Adjoint<'_> {
    #[inline(always)]
    fn contribute<O: Elementwise>(
        &self,
        to: &mut [Option<&mut [Line]>; 2],
        saturated: &mut Vec<(u32, u32)>,
        site: u32,
    ) {
        let (from, exponent) = (self.from, self.exponent);
        match self.rule {
            Rule::Bounded(bound) if self.pole.is_some() => {
                contribute::<O>(to, from, Bounded { exponent, bound });
            }
            _ => contribute::<O>(to, from, Classical { exponent }),
        }
        if let (Rule::Deciding(state), Some(pole)) = (self.rule, self.pole) {
            let delta = state.delta().unwrap_or(-1.0);
            let bounded = Bounded { exponent, bound: state.bound() };
            let report = |lane| saturated.push((site, lane as u32));
            saturate::<O>(to, from, pole, bounded, delta, self.explored, self.lines, report);
        }
    }
}
