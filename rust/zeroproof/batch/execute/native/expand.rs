//! Instructions as steps: the fast form of each, in the order of the block interpreter's kernels.
//!
//! Where a fast form may not hold, the sample is flagged as suspect: it is computed by itself, or, if there are many,
//! the block is left to the interpreter. These are forms of contributions; values have no other. More samples than needed may be flagged, never fewer. What is infinite or Φ need not be: a
//! contribution that is not REAL shows in a derivative that is checked.

mod adjoints;
mod values;

use super::steps::{Class, Comparison, Id, Place, Steps};
use crate::batch::compile::code::{Code, Instruction, NO_SITE, Source};
use std::collections::HashMap;
use std::rc::Rc;

/// Which partials the singular ops of a pass have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    Classical,
    Bounded,
    /// Bounded ones where a sample is within the threshold of the pole, or a coordinate that the op depends on in one
    /// of so many regions, else classical ones.
    Deciding {
        regions: u32,
    },
}

/// What a slot holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    Number(Id),
    /// 1 where the mask holds, else 0.
    Truth(Id),
}

/// Powers up to this one are multiplied out in doubles.
pub(crate) const PLAIN_POWER: u64 = 4;

/// A run of instructions that is being expanded.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub steps: Steps,
    /// By uniform number: which one it is, if the program says so.
    known: Rc<[Option<f64>]>,
    /// By slot: what the run wrote last.
    pub held: HashMap<u32, Held>,
    suspect: Option<Id>,
    /// Where partials of the op at hand are bounded, while that is being expanded, and what is suspect of them.
    near: Option<Id>,
    suspect_near: Option<Id>,
    rule: Rule,
}

/// What is known of arguments of several elements: those that are loaded get numbers.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    /// By argument: how many elements a sample has.
    pub widths: &'a [usize],
    /// Argument and element, by number.
    pub loaded: Vec<(u32, u32)>,
}

impl Expansion {
    pub fn new(rule: Rule, known: Rc<[Option<f64>]>, classifies: bool, doubts: bool) -> Self {
        let steps = Steps::new(classifies, doubts);
        Self { steps, known, held: HashMap::new(), suspect: None, near: None, suspect_near: None, rule }
    }

    /// Which partials singular ops have.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Ends the run.
    pub fn finish(mut self) -> Self {
        if let Some(suspect) = self.suspect.take() {
            self.steps.suspect(suspect);
        }
        self
    }

    /// The number that a source holds.
    pub fn number(&mut self, source: Source) -> Id {
        match source {
            Source::Slot(slot) => match self.held.get(&slot).copied() {
                Some(Held::Number(id)) => id,
                Some(Held::Truth(mask)) => {
                    let [one, zero] = [1.0, 0.0].map(|number| self.steps.constant(number));
                    let id = self.steps.choose(mask, one, zero);
                    self.held.insert(slot, Held::Number(id));
                    id
                }
                None => self.steps.load(Place::Slot(slot)),
            },
            Source::Column(argument) => self.steps.load(Place::Column(argument)),
            Source::Uniform(number) => match self.known[number as usize] {
                Some(number) => self.steps.constant(number),
                None => self.steps.load(Place::Uniform(number)),
            },
        }
    }

    /// Where a source is not 0.
    fn truth(&mut self, source: Source) -> Id {
        if let Source::Slot(slot) = source
            && let Some(&Held::Truth(mask)) = self.held.get(&slot)
        {
            return mask;
        }
        let (number, zero) = (self.number(source), self.steps.constant(0.0));
        self.steps.compare(Comparison::NotEqual, number, zero)
    }

    fn set(&mut self, slot: u32, number: Id) {
        self.held.insert(slot, Held::Number(number));
    }

    /// Flags samples in which a fast form may not hold.
    pub fn suspect(&mut self, mask: Id) {
        let (known, mask) = match self.near {
            Some(near) => (&mut self.suspect_near, self.steps.and(mask, near)),
            None => (&mut self.suspect, mask),
        };
        *known = Some(match *known {
            Some(others) => self.steps.or(others, mask),
            None => mask,
        });
    }

    /// Whether a doubt about the block will do. Behind a guard it would be about all samples.
    pub fn doubts(&self) -> bool {
        self.steps.doubts && self.near.is_none()
    }

    /// Flags where a factor lost something to its numerator: where it is tiny though the numerator is not 0.
    fn suspect_unless_full(&mut self, factor: Id, numerator: Id) {
        if self.doubts() {
            return self.steps.doubt_size(factor);
        }
        let zero = self.steps.constant(0.0);
        let counts = self.steps.compare(Comparison::NotEqual, numerator, zero);
        let lost = self.steps.classify(Class::Tiny, factor, Some(counts));
        self.suspect(lost);
    }

    /// Flags where a number is no normal double, NaN aside.
    fn suspect_unless_normal(&mut self, number: Id) {
        if self.doubts() {
            self.steps.doubt_real(number);
            return self.steps.doubt_size(number);
        }
        let lost = self.steps.classify(Class::TinyOrInfinite, number, None);
        self.suspect(lost);
    }

    /// Appends an instruction. Returns whether it has a native form; if not, nothing is appended.
    pub fn append(&mut self, code: &Code, elements: &mut Elements<'_>, instruction: Instruction) -> bool {
        match instruction {
            Instruction::Load { to, argument, element } => {
                let place = if elements.widths[argument as usize] == 1 {
                    Place::Column(argument)
                } else {
                    let known = elements.loaded.iter().position(|&one| one == (argument, element));
                    Place::Element(known.unwrap_or_else(|| {
                        elements.loaded.push((argument, element));
                        elements.loaded.len() - 1
                    }) as u32)
                };
                let number = self.steps.load(place);
                self.set(to, number);
            }
            Instruction::Value { op, to, a, b } => return self.value(op, to, a, b),
            Instruction::MulAdd { to, a, b, c } => {
                let [a, b, c] = [a, b, c].map(|source| self.number(source));
                let product = self.steps.mul(a, b);
                let sum = self.steps.add(c, product);
                self.set(to, sum);
            }
            Instruction::Polynomial { to, a, list } => {
                let sources = &code.lists[list.0 as usize..list.1 as usize];
                let (a, mut sum) = (self.number(a), self.number(sources[0]));
                for &coefficient in &sources[1..] {
                    let product = self.steps.mul(a, sum);
                    let coefficient = self.number(coefficient);
                    sum = self.steps.add(coefficient, product);
                }
                self.set(to, sum);
            }
            Instruction::Power { n, to, a } if n != 0 => {
                let a = self.number(a);
                let power = self.power(a, n);
                self.set(to, power);
            }
            Instruction::Test { predicate, to, a, b } => {
                let mask = self.test(predicate, a, b);
                self.held.insert(to, Held::Truth(mask));
            }
            Instruction::Select { to, condition, a, b } => {
                let condition = self.truth(condition);
                let [a, b] = [a, b].map(|source| self.number(source));
                let chosen = self.steps.choose(condition, a, b);
                self.set(to, chosen);
            }
            Instruction::Adjoint { .. } => return self.adjoint(code, instruction),
            Instruction::Entries { op, n, a, b, z, to, is_site } => {
                let from = [a, b, z].map(|source| self.number(source));
                let wanted = to.map(|to| to.is_some());
                let Some(entries) = self.second_partials(op, n, from, wanted, is_site) else { return false };
                let both = to.into_iter().zip(entries).filter_map(|(to, entry)| Some((to?, entry?)));
                both.for_each(|(to, entry)| self.set(to, entry));
            }
            Instruction::Quotient { t, a, b, z, to, site } => {
                let t = t.map(|t| t.map(|source| self.number(source)));
                let [a, b, z] = [a, b, z].map(|source| self.number(source));
                let tangent = self.tangent_of_quotient(t, [a, b, z], site != NO_SITE);
                self.set(to, tangent);
            }
            Instruction::Term { g, t, m, c, to } => {
                let [g, t] = [g, t].map(|source| self.number(source));
                let m = m.map(|source| self.number(source));
                let term = self.term(g, t, m);
                let sum = match c {
                    Some(c) => {
                        let c = self.number(c);
                        self.steps.add(c, term)
                    }
                    None => term,
                };
                self.set(to, sum);
            }
            _ => return false,
        }
        true
    }
}
