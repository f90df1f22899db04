//! The block interpreter: carries out instructions on a block, one after the other.

use super::backend::{Backend, Partials, Replay};
use super::dispatch::{Vectors, Width, Work, WorkWith, prefetch};
use super::kernels::{
    AddKept, AddLines, AdjointSources, Bend, Bounded, BoundedBending, Cheap, Classical, ClassicalBending,
    Contribute, Fold, HasNonReal, MultiplyAdd, Polynomial, Power, Quotient, Saturate, Select, Share,
    ShareOut, SinCos, Square, Term, Test, Value,
};
use super::lines::Lines;
use super::slots::{BlockInputs, LANES, Line, Memory};
use crate::batch::compile::code::{Code, Instruction, NO_SITE, Source};
use crate::mode::ModeState;
use crate::op::arithmetic::{Add, Div, Mul, Sub};
use crate::op::curvature::Curved;
use crate::op::{Elementwise, Op};
use std::marker::PhantomData;
use std::ops::Range;

/// Lines between slots. Slots that are a multiple of 4096 bytes apart would make the processor take a
/// read of the one for a read of what was just written to the other.
const APART: usize = 1;

/// The slots of one worker.
#[derive(Debug)]
pub(crate) struct Machine<'m> {
    slots: Vec<&'m mut [Line]>,
    /// By site and line of the block, the samples with bounded partials that Hybrid mode decided for, by a bit each. No
    /// lines if there are none.
    saturated: Vec<Vec<u32>>,
    /// The lanes of the block in an exploration region, for the op at hand.
    explored: Vec<bool>,
    /// Those of the polynomial at hand.
    coefficients: Vec<f64>,
    /// Whether anybody asks for distances to poles.
    measures: bool,
    width: Width,
}

impl<'m> Machine<'m> {
    /// Slots for blocks of so many lines, in `memory`; `measures` says whether distances to poles are asked
    /// for.
    pub fn new(memory: &'m mut Memory, lines: usize, measures: bool) -> Self {
        let slots = memory.lines_mut().chunks_exact_mut(lines + APART).map(|slot| &mut slot[..lines]);
        Self {
            slots: slots.collect(),
            saturated: vec![],
            explored: vec![],
            coefficients: vec![],
            measures,
            width: Width::widest(),
        }
    }

    /// The lines that so many slots take.
    pub fn lines_of(slots: usize, lines: usize) -> usize {
        slots * (lines + APART)
    }

    /// Takes a slot out to be written; none of the sources is it.
    #[inline(always)]
    pub fn take(&mut self, slot: u32) -> &'m mut [Line] {
        std::mem::take(&mut self.slots[slot as usize])
    }

    /// Gives a slot back that was taken.
    #[inline(always)]
    pub fn put(&mut self, slot: u32, written: &'m mut [Line]) {
        self.slots[slot as usize] = written;
    }

    /// Gives back those of two slots that were taken.
    #[inline(always)]
    fn put_both(&mut self, slots: [Option<u32>; 2], written: [Option<&'m mut [Line]>; 2]) {
        for (slot, written) in slots.into_iter().zip(written) {
            if let (Some(slot), Some(written)) = (slot, written) {
                self.put(slot, written);
            }
        }
    }

    fn list<'s>(&'s self, code: &Code, inputs: &'s BlockInputs<'_>, list: (u32, u32)) -> Vec<Lines<'s>> {
        let sources = &code.lists[list.0 as usize..list.1 as usize];
        sources.iter().map(|&source| self.lines(inputs, source)).collect()
    }

    /// Begins a block.
    pub fn begin(&mut self) {
        self.saturated.iter_mut().for_each(Vec::clear);
    }

    /// The samples of the block in which Hybrid mode decided for bounded partials of the op of a site.
    pub fn saturated_mut(&mut self, site: u32) -> &mut Vec<u32> {
        let site = site as usize;
        if self.saturated.len() <= site {
            self.saturated.resize_with(site + 1, Vec::new);
        }
        &mut self.saturated[site]
    }

    /// Carries out some instructions of a block that was begun.
    pub fn carry_out_some(
        &mut self,
        some: Range<usize>,
        code: &Code,
        inputs: &BlockInputs<'_>,
        partials: Partials<'_>,
    ) {
        let block =
            Replay { code, inputs, partials, checks: &[], totals: &[], lanes: &mut [], destination: None };
        self.width.run_with(Part { machine: self, some, block });
    }

    #[inline(always)]
    fn replay_with<V: Vectors>(&mut self, vectors: V, some: Range<usize>, block: Replay<'_, '_>) -> bool {
        let Replay { code, inputs, partials, checks, totals, lanes, .. } = block;
        for &instruction in &code.instructions[some] {
            self.carry_out(vectors, instruction, code, inputs, partials);
        }
        let mut irregular = false;
        for &check in checks {
            irregular |= HasNonReal(self.lines(inputs, check).lines).run();
        }
        for (summand, lanes) in totals.iter().zip(lanes) {
            match summand.source {
                Some(source) => {
                    AddLines { source: self.lines(inputs, source), lines: inputs.lines, lanes }.run();
                }
                None => lanes[0] += 0.0,
            }
            irregular |= HasNonReal(std::slice::from_ref(lanes)).run();
        }
        irregular
    }

    #[inline(always)]
    fn carry_out<V: Vectors>(
        &mut self,
        vectors: V,
        instruction: Instruction,
        code: &Code,
        inputs: &BlockInputs<'_>,
        partials: Partials<'_>,
    ) {
        match instruction {
            Instruction::Value { op, to, a, b } => {
                let slot = self.take(to);
                let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                match op {
                    Op::Add => Cheap::<Add>::new(slot, a, b).run(),
                    Op::Sub => Cheap::<Sub>::new(slot, a, b).run(),
                    Op::Mul => Cheap::<Mul>::new(slot, a, b).run(),
                    Op::Div => Value::<Div>::new(slot, a, b).run(),
                    _ => {
                        with_elementwise!(op, O => vectors.run(Value::<O>::new(slot, a, b)), else not_of_kind(op));
                    }
                }
                self.put(to, slot);
            }
            Instruction::MulAdd { to, a, b, c } => {
                let slot = self.take(to);
                let (a, b, c) = (self.lines(inputs, a), self.lines(inputs, b), self.lines(inputs, c));
                MultiplyAdd { to: slot, a, b, c }.run();
                self.put(to, slot);
            }
            Instruction::Adjoint { op, n, g, a, b, z, to, site } => {
                let mut slots = to.map(|to| to.map(|to| self.take(to)));
                let mut saturated = self.take_saturated(partials, site);
                let explored = self.explore(code, inputs, partials, site);
                let [g, a, b, z] = [g, a, b, z].map(|source| self.lines(inputs, source));
                let pole = code.sites.get(site as usize).map(|site| self.lines(inputs, site.pole));
                let from = AdjointSources { g, a, b, z };
                match (op, partials) {
                    (Op::Div, Partials::Classical | Partials::Deciding(_)) => {
                        Contribute::<Div, _>::new(lend(&mut slots), from, Classical { exponent: n }).run();
                    }
                    _ => with_elementwise!(op, O => {
                        contribute::<O, V>(vectors, lend(&mut slots), from, n, partials, pole.is_some());
                    }, else not_of_kind(op)),
                }
                if let (Partials::Deciding(state), Some(pole)) = (partials, pole) {
                    let lines = inputs.lines;
                    let near = Near { state, pole, explored: &explored, lines, spoils: code.is_directional };
                    vectors.run(near.saturate((op, n), lend(&mut slots), from, &mut saturated));
                    *self.saturated_mut(site) = saturated;
                }
                self.explored = explored;
                self.put_both(to, slots);
            }
            Instruction::Quotient { t, a, b, z, to, site } => {
                let slot = self.take(to);
                let explored = self.explore(code, inputs, partials, site);
                let [a, b, z] = [a, b, z].map(|source| self.lines(inputs, source));
                let t = t.map(|t| t.map(|source| self.lines(inputs, source)));
                let pole = code.sites.get(site as usize).map(|site| self.lines(inputs, site.pole));
                let bound = match partials {
                    Partials::Bounded(bound) if pole.is_some() => Some(bound),
                    _ => None,
                };
                vectors.run(Quotient { to: slot, t, from: [a, b, z], bound });
                if let (Partials::Deciding(state), Some(pole)) = (partials, pole) {
                    // There is no other code with tangents.
                    let near = Near { state, pole, explored: &explored, lines: inputs.lines, spoils: true };
                    let (to, from) = ([Some(&mut *slot), None], AdjointSources { g: b, a, b, z });
                    vectors.run(near.saturate((Op::Div, 0), to, from, &mut vec![]));
                }
                self.explored = explored;
                self.put(to, slot);
            }
            Instruction::Entries { op, n, a, b, z, to, is_site } => {
                let mut slots = to.map(|to| to.map(|to| self.take(to)));
                let from = [a, b, z].map(|source| self.lines(inputs, source));
                let lent = slots.each_mut().map(|slot| slot.as_mut().map(|lines| &mut **lines));
                with_elementwise!(op, O => {
                    bend::<O, V>(vectors, lent, from, n, partials, is_site, inputs.lines);
                }, else not_of_kind(op));
                for (slot, written) in to.into_iter().zip(slots) {
                    if let (Some(slot), Some(written)) = (slot, written) {
                        self.put(slot, written);
                    }
                }
            }
            Instruction::Term { g, t, m, c, to } => {
                let slot = self.take(to);
                let [g, t] = [g, t].map(|source| self.lines(inputs, source));
                let m = m.map(|source| self.lines(inputs, source));
                let c = c.map(|source| self.lines(inputs, source));
                vectors.run(Term { to: slot, g, t, m, c });
                self.put(to, slot);
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
                let a = self.lines(inputs, a);
                Polynomial { to: slot, a, coefficients: &coefficients }.run();
                self.coefficients = coefficients;
                self.put(to, slot);
            }
            Instruction::SinCos { to, a } => {
                let mut slots = to.map(|to| to.map(|to| self.take(to)));
                if let [Some(sine), Some(cosine)] = &mut slots {
                    vectors.run(SinCos { sine, cosine, a: self.lines(inputs, a) });
                }
                self.put_both(to, slots);
            }
            Instruction::Power { n, to, a } => {
                let slot = self.take(to);
                let a = self.lines(inputs, a);
                match n {
                    0 => each(slot, a, a, |a, _| Op::PowInt.value(a, 0.0)),
                    2 => Square { to: slot, a }.run(),
                    _ => vectors.run(Power { n, to: slot, a }),
                }
                self.put(to, slot);
            }
            Instruction::Test { predicate, to, a, b } => {
                let slot = self.take(to);
                let (a, b) = (self.lines(inputs, a), self.lines(inputs, b));
                vectors.run(Test { predicate, to: slot, a, b });
                self.put(to, slot);
            }
            Instruction::Select { to, condition, a, b } => {
                let slot = self.take(to);
                let [condition, a, b] = [condition, a, b].map(|source| self.lines(inputs, source));
                vectors.run(Select { to: slot, condition, a, b });
                self.put(to, slot);
            }
            Instruction::Fold { op, mode, to, list } => {
                let slot = self.take(to);
                let sources = &self.list(code, inputs, list);
                match op {
                    Op::Sum | Op::Mean => vectors.run(AddKept { op, mode, to: slot, sources }),
                    _ => vectors.run(Fold { op, mode, to: slot, sources }),
                }
                self.put(to, slot);
            }
            Instruction::Shared { op, mode, z, to, list } => {
                let [first, second] = to.map(|to| self.take(to));
                let (sources, z) = (&self.list(code, inputs, list), self.lines(inputs, z));
                vectors.run(ShareOut { op, mode, to: [first, second], sources, z });
                self.put(to[0], first);
                self.put(to[1], second);
            }
            Instruction::Share { op, g, x, shared, to } => {
                let slot = self.take(to);
                let (g, x) = (self.lines(inputs, g), self.lines(inputs, x));
                let shared = shared.map(|source| self.lines(inputs, source));
                with_variadic!(op, O => vectors.run(Share::<O>::new(slot, g, x, shared)), else not_of_kind(op));
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

    /// Takes out those of the op of a site that decides.
    fn take_saturated(&mut self, partials: Partials<'_>, site: u32) -> Vec<u32> {
        match partials {
            Partials::Deciding(_) if site != NO_SITE => std::mem::take(self.saturated_mut(site)),
            _ => vec![],
        }
    }

    /// Which lanes are in an exploration region, for the op of a site. None at all if empty.
    fn explore(
        &mut self,
        code: &Code,
        inputs: &BlockInputs<'_>,
        partials: Partials<'_>,
        site: u32,
    ) -> Vec<bool> {
        let mut explored = std::mem::take(&mut self.explored);
        explored.clear();
        if let (Partials::Deciding(state), true) = (partials, site != NO_SITE)
            && !state.regions().is_empty()
        {
            for &coordinate in &code.sites[site as usize].coordinates {
                let lines = self.lines(inputs, coordinate);
                explored.resize(inputs.lines * LANES, false);
                for (lane, explored) in explored.iter_mut().enumerate() {
                    *explored |= state.explores(lines.at(lane / LANES)[lane % LANES]);
                }
            }
        }
        explored
    }
}

impl Backend for Machine<'_> {
    fn replay(&mut self, block: Replay<'_, '_>) -> bool {
        self.begin();
        for &argument in &block.code.columns {
            prefetch(block.inputs.next_of_column(argument as usize));
        }
        self.width.run_with(Part { machine: self, some: 0..block.code.instructions.len(), block })
    }

    #[inline(always)]
    fn lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, source: Source) -> Lines<'s> {
        match source {
            Source::Slot(slot) => Lines { lines: &*self.slots[slot as usize], is_uniform: false },
            Source::Column(argument) => Lines { lines: inputs.column(argument), is_uniform: false },
            Source::Uniform(number) => {
                Lines { lines: std::slice::from_ref(&inputs.uniforms[number as usize]), is_uniform: true }
            }
        }
    }

    fn saturated(&self, site: usize) -> &[u32] {
        self.saturated.get(site).map_or(&[], |lines| lines)
    }
}

/// Some instructions of a block, and what comes after the last one, as work: loops of arithmetic are inlined into it, since they take less time than a call of a
/// function for vectors. Those of other ops are functions of their own.
struct Part<'a, 'o, 'm> {
    machine: &'a mut Machine<'m>,
    some: Range<usize>,
    block: Replay<'a, 'o>,
}

impl WorkWith for Part<'_, '_, '_> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) -> bool {
        self.machine.replay_with(vectors, self.some, self.block)
    }
}

/// Where Hybrid mode looks for samples that are near a pole.
struct Near<'a> {
    state: &'a ModeState,
    pole: Lines<'a>,
    explored: &'a [bool],
    lines: usize,
    spoils: bool,
}

impl<'a> Near<'a> {
    /// The work of putting bounded contributions there; the number beside the op is the exponent of a power.
    #[inline(always)]
    fn saturate(
        self,
        (op, exponent): (Op, i32),
        to: [Option<&'a mut [Line]>; 2],
        from: AdjointSources<'a>,
        saturated: &'a mut Vec<u32>,
    ) -> Saturate<'a> {
        let Self { state, pole, explored, lines, spoils } = self;
        let (rule, delta) = (Bounded { exponent, bound: state.bound() }, state.delta().unwrap_or(-1.0));
        Saturate { op, to, from, pole, rule, delta, explored, lines, saturated, spoils }
    }
}

/// The slots to be written, for one loop.
#[inline(always)]
fn lend<'s>(slots: &'s mut [Option<&mut [Line]>; 2]) -> [Option<&'s mut [Line]>; 2] {
    slots.each_mut().map(|slot| slot.as_mut().map(|lines| &mut **lines))
}

/// The contributions of an op; `n` is the exponent of a power.
#[inline(always)]
fn contribute<O: Elementwise, V: Vectors>(
    vectors: V,
    to: [Option<&mut [Line]>; 2],
    from: AdjointSources<'_>,
    n: i32,
    partials: Partials<'_>,
    has_pole: bool,
) {
    match partials {
        Partials::Bounded(bound) if const { O::POLE.is_some() } && has_pole => {
            vectors.run(Contribute::<O, _>::new(to, from, Bounded { exponent: n, bound }));
        }
        _ => vectors.run(Contribute::<O, _>::new(to, from, Classical { exponent: n })),
    }
}

/// The second partials of an op; `n` is the exponent of a power.
#[inline(always)]
fn bend<O: Curved, V: Vectors>(
    vectors: V,
    to: [Option<&mut [Line]>; 4],
    from: [Lines<'_>; 3],
    n: i32,
    partials: Partials<'_>,
    is_site: bool,
    lines: usize,
) {
    let op = PhantomData::<O>;
    match partials {
        Partials::Bounded(bound) if const { O::POLE.is_some() } && is_site => {
            vectors.run(Bend { to, from, rule: BoundedBending { exponent: n, bound }, lines, op });
        }
        _ => vectors.run(Bend { to, from, rule: ClassicalBending { exponent: n }, lines, op }),
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
