//! Instructions as steps: the fast form of each, in the order of the block interpreter's kernels.
//!
//! Where a fast form may not hold, the sample is flagged as suspect, and the block is left to the
//! interpreter. More samples than needed may be flagged, never fewer. What is infinite or Φ need not be: a
//! contribution that is not REAL shows in a derivative that is checked.

use super::steps::{Class, Comparison, Flags, Id, Place, Rounding, Steps};
use crate::batch::compile::code::{Code, Instruction, NO_SITE, Site, Source};
use crate::batch::program::Predicate;
use crate::op::Op;
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
    /// Where partials of the op at hand are bounded, while that is being expanded.
    near: Option<Id>,
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
        Self { steps, known, held: HashMap::new(), suspect: None, near: None, rule }
    }

    /// Which partials singular ops have.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Ends the run.
    pub fn finish(mut self) -> Self {
        if let Some(suspect) = self.suspect.take() {
            self.steps.flag(Flags::Suspect, suspect);
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
        if let Some(near) = self.near {
            let lost = self.steps.and(mask, near);
            return self.steps.flag(Flags::Suspect, lost);
        }
        self.suspect = Some(match self.suspect {
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

    /// `aⁿ` by the multiplications of `Op::PowInt` in their order.
    fn power(&mut self, a: Id, n: i32) -> Id {
        let (mut result, mut base, mut bits) = (None, a, n.unsigned_abs());
        loop {
            if bits & 1 == 1 {
                // The first factor is 1.
                result = Some(result.map_or(base, |result| self.steps.mul(result, base)));
            }
            bits >>= 1;
            if bits == 0 {
                break;
            }
            base = self.steps.mul(base, base);
        }
        let result = result.unwrap_or(base);
        if n < 0 {
            let one = self.steps.constant(1.0);
            return self.steps.div(one, result);
        }
        result
    }

    fn value(&mut self, op: Op, to: u32, a: Source, b: Source) -> bool {
        let known = matches!(
            op,
            Op::Add
                | Op::Sub
                | Op::Mul
                | Op::Div
                | Op::Neg
                | Op::Abs
                | Op::Sign
                | Op::Sqrt
                | Op::Square
                | Op::Unit
                | Op::Minimum
                | Op::Maximum
                | Op::ClipMin
                | Op::ClipMax
                | Op::Floor
                | Op::Ceil
                | Op::Round
        );
        if !known {
            return false;
        }
        let [a, b] = [a, b].map(|source| self.number(source));
        let steps = &mut self.steps;
        let value = match op {
            Op::Add => steps.add(a, b),
            Op::Sub => steps.sub(a, b),
            Op::Mul => steps.mul(a, b),
            Op::Div => steps.div(a, b),
            Op::Neg => steps.neg(a),
            Op::Abs => steps.abs(a),
            Op::Sqrt => steps.root(a),
            Op::Square => steps.mul(a, a),
            Op::Sign => self.sign(a),
            Op::Floor => steps.round(Rounding::Down, a),
            Op::Ceil => steps.round(Rounding::Up, a),
            Op::Round => steps.round(Rounding::Nearest, a),
            Op::Unit => {
                let [one, phi] = [1.0, f64::NAN].map(|number| steps.constant(number));
                let real = self.is_real(a);
                self.steps.choose(real, one, phi)
            }
            Op::Minimum | Op::ClipMax => {
                let smaller = steps.compare(Comparison::Less, b, a);
                self.choose_extremum(smaller, a, b)
            }
            _ => {
                let larger = steps.compare(Comparison::Less, a, b);
                self.choose_extremum(larger, a, b)
            }
        };
        self.set(to, value);
        true
    }

    /// `b` where it wins or is Φ, else `a`.
    fn choose_extremum(&mut self, b_wins: Id, a: Id, b: Id) -> Id {
        let phi = self.steps.is_nan(b);
        let takes_b = self.steps.or(b_wins, phi);
        self.steps.choose(takes_b, b, a)
    }

    fn sign(&mut self, a: Id) -> Id {
        let [zero, one, minus_one] = [0.0, 1.0, -1.0].map(|number| self.steps.constant(number));
        let positive = self.steps.compare(Comparison::Less, zero, a);
        let negative = self.steps.compare(Comparison::Less, a, zero);
        let neither = self.steps.add(a, zero); // +0 for both zeros, NaN for NaN
        let below = self.steps.choose(negative, minus_one, neither);
        self.steps.choose(positive, one, below)
    }

    fn is_real(&mut self, a: Id) -> Id {
        let (magnitude, infinite) = (self.steps.abs(a), self.steps.constant(f64::INFINITY));
        self.steps.compare(Comparison::Less, magnitude, infinite)
    }

    fn test(&mut self, predicate: Predicate, a: Source, b: Source) -> Id {
        match predicate {
            Predicate::And | Predicate::Or => {
                let [a, b] = [a, b].map(|source| self.truth(source));
                if predicate == Predicate::And { self.steps.and(a, b) } else { self.steps.or(a, b) }
            }
            Predicate::Not => {
                let a = self.truth(a);
                self.steps.not(a)
            }
            Predicate::IsReal => {
                let a = self.number(a);
                self.is_real(a)
            }
            Predicate::IsInfinite => {
                let a = self.number(a);
                let (magnitude, infinite) = (self.steps.abs(a), self.steps.constant(f64::INFINITY));
                self.steps.compare(Comparison::Equal, magnitude, infinite)
            }
            Predicate::IsPhi => {
                let a = self.number(a);
                self.steps.is_nan(a)
            }
            Predicate::Less | Predicate::LessEqual => {
                let [a, b] = [a, b].map(|source| self.number(source));
                let strictly = predicate == Predicate::Less;
                let comparison = if strictly { Comparison::Less } else { Comparison::LessEqual };
                self.steps.compare(comparison, a, b)
            }
            Predicate::Equal => {
                let [a, b] = [a, b].map(|source| self.number(source));
                let equal = self.steps.compare(Comparison::Equal, a, b);
                let [a, b] = [a, b].map(|number| self.steps.is_nan(number));
                let both = self.steps.and(a, b);
                self.steps.or(equal, both)
            }
        }
    }

    /// What an op passes to its operands.
    fn adjoint(&mut self, code: &Code, instruction: Instruction) -> bool {
        let Instruction::Adjoint { op, n, g, a, b, z, to, site } = instruction else { return false };
        let is_singular = site != NO_SITE && op.singular().is_some();
        let bounded = is_singular && self.rule == Rule::Bounded;
        let decides = is_singular && matches!(self.rule, Rule::Deciding { .. });
        let differs = bounded || decides;
        let known = match op {
            Op::Div | Op::Sqrt | Op::Log | Op::Cbrt => true,
            Op::Square | Op::Abs | Op::Tan | Op::Exp => !differs,
            Op::Minimum | Op::Maximum | Op::ClipMin | Op::ClipMax => true,
            Op::PowInt => !differs && (i64::from(n) - 1).unsigned_abs() <= PLAIN_POWER && n != 0,
            _ => false,
        };
        if !known {
            return false;
        }
        let [g, a, b, z] = [g, a, b, z].map(|source| self.number(source));
        if decides {
            self.steps.forget();
        }
        let contributions = match op {
            Op::Div if bounded => self.bounded_quotient(g, a, b, to[1].is_some()),
            Op::Div => self.quotient(g, a, b, z, to[1].is_some()),
            Op::Minimum => self.extremum(g, [(a, b), (b, a)], Comparison::LessEqual),
            Op::Maximum => self.extremum(g, [(b, a), (a, b)], Comparison::LessEqual),
            Op::ClipMax => self.extremum(g, [(a, b), (b, a)], Comparison::Less),
            Op::ClipMin => self.extremum(g, [(b, a), (a, b)], Comparison::Less),
            _ => {
                let contribution =
                    if bounded { self.bounded_unary(op, g, a, z) } else { self.unary(op, n, g, a, z) };
                [contribution; 2]
            }
        };
        if decides {
            let amends = [0, 1].map(|place| to[place].map(|_| contributions[place]));
            self.bound_near(op, [g, a, b, z], site, &code.sites[site as usize], amends);
        }
        for (to, contribution) in to.into_iter().zip(contributions) {
            if let Some(to) = to {
                self.set(to, contribution);
            }
        }
        true
    }

    /// Puts bounded contributions where a sample is near the pole or explored.
    fn bound_near(
        &mut self,
        op: Op,
        [g, a, b, z]: [Id; 4],
        number: u32,
        site: &Site,
        amends: [Option<Id>; 2],
    ) {
        let pole = self.number(site.pole);
        let (distance, delta) = (self.steps.abs(pole), self.steps.load(Place::Delta));
        let mut near = self.steps.compare(Comparison::LessEqual, distance, delta);
        if let Rule::Deciding { regions } = self.rule {
            for &coordinate in &site.coordinates {
                let x = self.number(coordinate);
                for region in 0..regions {
                    let [low, high] =
                        [Place::Low(region), Place::High(region)].map(|end| self.steps.load(end));
                    let above = self.steps.compare(Comparison::LessEqual, low, x);
                    let below = self.steps.compare(Comparison::LessEqual, x, high);
                    let inside = self.steps.and(above, below);
                    near = self.steps.or(near, inside);
                }
            }
        }
        self.steps.guard(near, amends);
        self.near = Some(near);
        let bounded = match op {
            Op::Div => self.bounded_quotient(g, a, b, amends[1].is_some()),
            _ => [self.bounded_unary(op, g, a, z); 2],
        };
        for (value, bounded) in amends.into_iter().zip(bounded) {
            if let Some(value) = value {
                self.steps.amend(value, near, bounded);
            }
        }
        self.near = None;
        self.steps.end_guard(number, near);
    }

    fn quotient(&mut self, g: Id, a: Id, y: Id, z: Id, to_y: bool) -> [Id; 2] {
        let to_a = self.steps.div(g, y);
        if !to_y {
            return [to_a; 2]; // the same in both forms
        }
        let negated = self.steps.neg(to_a);
        let product = self.steps.mul(negated, z);
        self.suspect_unless_full(to_a, g);
        self.suspect_unless_full(z, a);
        [to_a, product]
    }

    fn unary(&mut self, op: Op, n: i32, g: Id, a: Id, z: Id) -> Id {
        let steps = &mut self.steps;
        match op {
            Op::Sqrt => {
                let two = steps.constant(2.0);
                let twice = steps.mul(two, z);
                steps.div(g, twice)
            }
            Op::Log => steps.div(g, a),
            Op::Cbrt => {
                let three = steps.constant(3.0);
                let square = steps.mul(z, z);
                let slope = steps.mul(three, square);
                steps.div(g, slope)
            }
            Op::Square => {
                let two = steps.constant(2.0);
                let twice = steps.mul(two, g);
                steps.mul(twice, a)
            }
            Op::Tan => {
                let one = steps.constant(1.0);
                let square = steps.mul(z, z);
                let slope = steps.add(one, square);
                steps.mul(g, slope)
            }
            Op::Abs => {
                let sign = self.sign(a);
                self.steps.mul(g, sign)
            }
            Op::Exp => {
                let product = steps.mul(g, z);
                if self.doubts() {
                    self.steps.doubt_size(z);
                } else {
                    let tiny = self.steps.classify(Class::Tiny, z, None);
                    self.suspect(tiny);
                }
                product
            }
            _ => self.slope_of_power(g, a, n),
        }
    }

    /// `ḡ·n·aⁿ⁻¹`.
    fn slope_of_power(&mut self, g: Id, x: Id, n: i32) -> Id {
        if n == 1 {
            return g;
        }
        let count = self.steps.constant(f64::from(n));
        let scale = self.steps.mul(g, count);
        if n == 2 {
            return self.steps.mul(scale, x);
        }
        let power = self.plain_power(x, (i64::from(n) - 1).unsigned_abs());
        self.suspect_unless_normal(power);
        self.suspect_unless_full(scale, g);
        if n > 0 { self.steps.mul(scale, power) } else { self.steps.div(scale, power) }
    }

    /// `xᵐ`, m from 1 to [`PLAIN_POWER`].
    pub fn plain_power(&mut self, x: Id, m: u64) -> Id {
        if m == 1 {
            return x;
        }
        let square = self.steps.mul(x, x);
        match m {
            2 => square,
            3 => self.steps.mul(square, x),
            _ => self.steps.mul(square, square),
        }
    }

    /// What the winner of two operands gets; at a tie both, if both comparisons hold. The second comparison is
    /// strict if `other` is.
    fn extremum(&mut self, g: Id, [first, second]: [(Id, Id); 2], other: Comparison) -> [Id; 2] {
        let a_wins = self.steps.compare(Comparison::LessEqual, first.0, first.1);
        let b_wins = self.steps.compare(other, second.0, second.1);
        let [half, zero] = [0.5, 0.0].map(|number| self.steps.constant(number));
        let [half, zero] = [half, zero].map(|share| self.steps.mul(share, g));
        let alone = self.steps.choose(b_wins, half, g);
        let to_a = self.steps.choose(a_wins, alone, zero);
        let shared = self.steps.choose(b_wins, half, zero);
        [to_a, self.steps.choose(a_wins, shared, g)]
    }

    /// `√(y² + s²)`, without overflow of the square.
    pub fn smoothed(&mut self, y: Id) -> Id {
        let (s, one) = (self.steps.load(Place::Bound), self.steps.constant(1.0));
        let magnitude = self.steps.abs(y);
        let is_larger = self.steps.compare(Comparison::Less, s, magnitude);
        let large = self.steps.choose(is_larger, magnitude, s);
        let small = self.steps.choose(is_larger, s, magnitude);
        let ratio = self.steps.div(small, large);
        let square = self.steps.mul(ratio, ratio);
        let sum = self.steps.add(one, square);
        let root = self.steps.root(sum);
        let h = self.steps.mul(large, root);
        self.suspect_unless_normal(h);
        let zero = self.steps.constant(0.0);
        let at_pole = self.steps.compare(Comparison::Equal, y, zero);
        self.suspect(at_pole);
        h
    }

    /// `a` or, where `y` is negative, `−a`.
    fn signed(&mut self, a: Id, y: Id) -> Id {
        let (zero, negated) = (self.steps.constant(0.0), self.steps.neg(a));
        let negative = self.steps.compare(Comparison::Less, y, zero);
        self.steps.choose(negative, negated, a)
    }

    pub fn bounded_quotient(&mut self, g: Id, a: Id, y: Id, to_y: bool) -> [Id; 2] {
        let h = self.smoothed(y);
        let left = self.steps.div(g, h);
        let to_a = self.signed(left, y);
        if !to_y {
            return [to_a; 2];
        }
        let right = self.steps.div(a, h);
        let negated = self.steps.neg(left);
        let product = self.steps.mul(negated, right);
        self.suspect_unless_full(left, g);
        self.suspect_unless_full(right, a);
        [to_a, product]
    }

    /// `ḡ·recip(y)`, where y is what the op's rule says.
    fn bounded_unary(&mut self, op: Op, g: Id, a: Id, z: Id) -> Id {
        let y = match op {
            Op::Sqrt => {
                let two = self.steps.constant(2.0);
                self.steps.mul(two, z)
            }
            Op::Cbrt => {
                let three = self.steps.constant(3.0);
                let square = self.steps.mul(z, z);
                self.steps.mul(three, square)
            }
            _ => a,
        };
        let g = self.signed(g, y);
        let h = self.smoothed(y);
        self.steps.div(g, h)
    }
}
