//! Second partials and terms of second order as steps.
//!
//! Where the fast form of a second partial does not hold, it is Φ, as in the block interpreter; code that only tells
//! whether samples may be irregular has a doubt instead.

use super::expand::{Expansion, PLAIN_POWER, Rule};
use super::steps::{Class, Comparison, Id};
use crate::op::Op;

/// A number under construction, and where it is lost.
struct Fast<'e> {
    of: &'e mut Expansion,
    lost: Option<Id>,
}

impl Expansion {
    /// The second partials of an op, those that are asked for: `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`; `None` if they
    /// have no native form.
    pub fn second_partials(
        &mut self,
        op: Op,
        n: i32,
        [a, b, z]: [Id; 3],
        wanted: [bool; 4],
        is_site: bool,
    ) -> Option<[Option<Id>; 4]> {
        let is_bounded = is_site && op.singular().is_some() && self.rule() == Rule::Bounded;
        let one = |entry: Id| Some([wanted[0].then_some(entry), None, None, None]);
        match (op, is_bounded) {
            (Op::Div, false) => {
                let mixed = self.fast(|fast| fast.ratio(&[Factor::Number(-1.0)], &[b, b]));
                let last = wanted[3].then(|| self.fast(|fast| fast.scaled(-2.0, z, mixed, a)));
                Some([None, Some(mixed), Some(mixed), last])
            }
            (Op::Div, true) => {
                let h = self.smoothed(b);
                let magnitude = self.steps.abs(b);
                let [to_a, of_a, to_b] = [
                    (wanted[1], &[Factor::Number(-1.0), magnitude.into()][..], 3),
                    (wanted[2], &[Factor::Number(-1.0)][..], 2),
                    (wanted[3], &[Factor::Number(2.0), a.into(), b.into()][..], 4),
                ]
                .map(|(is_wanted, above, power)| {
                    is_wanted.then(|| self.fast(|fast| fast.ratio(above, &vec![h; power])))
                });
                Some([None, to_a, of_a, to_b])
            }
            (Op::Sqrt, false) => one(self.fast(|fast| fast.ratio(&[Factor::Number(-0.25)], &[a, z]))),
            (Op::Sqrt, true) => {
                let two = self.steps.constant(2.0);
                let y = self.steps.mul(two, z);
                let h = self.smoothed(y);
                one(self.fast(|fast| fast.ratio(&[Factor::Number(-2.0)], &[h; 3])))
            }
            (Op::Log, false) => one(self.fast(|fast| fast.ratio(&[Factor::Number(-1.0)], &[a, a]))),
            (Op::Log, true) => {
                let (h, magnitude) = (self.smoothed(a), self.steps.abs(a));
                one(self.fast(|fast| fast.ratio(&[Factor::Number(-1.0), magnitude.into()], &[h; 3])))
            }
            (Op::Exp, _) => one(self.fast(|fast| {
                fast.needs_normal(z, None);
                z
            })),
            (Op::Sin | Op::Cos, _) => one(self.fast(|fast| {
                let negated = fast.of.steps.neg(z);
                fast.needs_normal(negated, Some(z));
                negated
            })),
            (Op::PowInt, false) => {
                let m = (i64::from(n) - 2).unsigned_abs();
                if m > PLAIN_POWER {
                    return None;
                }
                one(self.fast(|fast| fast.bend_of_power(a, n, m)))
            }
            _ => None,
        }
    }

    /// What the tangents of its operands add to that of a quotient.
    pub fn tangent_of_quotient(&mut self, t: [Option<Id>; 2], [a, b, z]: [Id; 3], is_site: bool) -> Id {
        if is_site && self.rule() == Rule::Bounded {
            let [first, second] =
                [0, 1].map(|place| t[place].map(|t| self.bounded_quotient(t, a, b, place == 1)[place]));
            return match (first, second) {
                (Some(first), Some(second)) => self.steps.add(first, second),
                (one, other) => one.or(other).unwrap_or_else(|| self.steps.constant(0.0)),
            };
        }
        let zero = self.steps.constant(0.0);
        let [s, t] = t.map(|t| t.unwrap_or(zero));
        self.fast(|fast| {
            let product = fast.of.steps.mul(z, t);
            if let Some(lost) = fast.of.lost_product(product, [z, t]) {
                fast.lose(lost);
            }
            let change = fast.of.steps.sub(s, product);
            fast.of.steps.div(change, b)
        })
    }

    fn fast(&mut self, number: impl FnOnce(&mut Fast<'_>) -> Id) -> Id {
        let mut fast = Fast { of: self, lost: None };
        let number = number(&mut fast);
        let lost = fast.lost;
        match lost {
            Some(lost) => {
                let phi = self.steps.constant(f64::NAN);
                self.steps.choose(lost, phi, number)
            }
            None => number,
        }
    }

    /// `g·t·m`, where `m` is 1 if it is left out.
    pub fn term(&mut self, g: Id, t: Id, m: Option<Id>) -> Id {
        let weight = self.steps.mul(g, t);
        // With an entry of 1 it is rounded once, whatever its size.
        let Some(m) = m else { return weight };
        if let Some(lost) = self.lost_product(weight, [g, t]) {
            self.suspect(lost);
        }
        self.steps.mul(weight, m)
    }

    /// Where a product is tiny although no factor is 0; `None` where a doubt will do.
    fn lost_product(&mut self, product: Id, factors: [Id; 2]) -> Option<Id> {
        if self.doubts() {
            self.steps.doubt_size(product);
            return None;
        }
        let zero = self.steps.constant(0.0);
        let [a, b] = factors.map(|factor| self.steps.compare(Comparison::NotEqual, factor, zero));
        let both = self.steps.and(a, b);
        Some(self.steps.classify(Class::Tiny, product, Some(both)))
    }
}

/// A factor of a numerator.
#[derive(Clone, Copy)]
enum Factor {
    Number(f64),
    Value(Id),
}

impl From<Id> for Factor {
    fn from(id: Id) -> Self {
        Self::Value(id)
    }
}

impl Fast<'_> {
    /// A number that is lost where it is not normal, unless another is 0.
    fn needs_normal(&mut self, number: Id, or_zero: Option<Id>) {
        if self.of.doubts() {
            return self.of.steps.doubt_size(number);
        }
        let steps = &mut self.of.steps;
        let counts = or_zero.map(|other| {
            let zero = steps.constant(0.0);
            steps.compare(Comparison::NotEqual, other, zero)
        });
        let lost = steps.classify(Class::TinyOrInfinite, number, counts);
        self.lose(lost);
    }

    fn lose(&mut self, lost: Id) {
        self.lost = Some(match self.lost {
            Some(others) => self.of.steps.or(others, lost),
            None => lost,
        });
    }

    /// `Π above ÷ Π below`, multiplied from left to right; a numerator has one value that may be 0 at most.
    fn ratio(&mut self, above: &[Factor], below: &[Id]) -> Id {
        let zero = above.iter().find_map(|factor| match *factor {
            Factor::Value(id) => Some(id),
            Factor::Number(_) => None,
        });
        let mut numerator = None;
        for factor in above {
            let factor = match *factor {
                Factor::Number(number) => self.of.steps.constant(number),
                Factor::Value(id) => id,
            };
            numerator = Some(match numerator {
                None => factor,
                Some(product) => {
                    let product = self.of.steps.mul(product, factor);
                    self.needs_normal(product, zero);
                    product
                }
            });
        }
        let numerator = numerator.unwrap_or_else(|| self.of.steps.constant(1.0));
        let mut denominator = below[0];
        for (place, &factor) in below.iter().enumerate() {
            if place > 0 {
                denominator = self.of.steps.mul(denominator, factor);
            }
            self.needs_normal(denominator, None);
        }
        let value = self.of.steps.div(numerator, denominator);
        self.needs_normal(value, zero);
        value
    }

    /// `number·z·entry`, where z is 0 if `zero` is.
    fn scaled(&mut self, number: f64, z: Id, entry: Id, zero: Id) -> Id {
        let number = self.of.steps.constant(number);
        let factor = self.of.steps.mul(number, z);
        self.needs_normal(factor, Some(zero));
        let value = self.of.steps.mul(factor, entry);
        self.needs_normal(value, Some(zero));
        value
    }

    /// `n·(n − 1)·aⁿ⁻²`, m = |n − 2|.
    fn bend_of_power(&mut self, a: Id, n: i32, m: u64) -> Id {
        let count = f64::from(n) * (f64::from(n) - 1.0);
        let scale = self.of.steps.constant(count);
        if m == 0 {
            return scale;
        }
        let power = self.of.plain_power(a, m);
        self.needs_normal(power, None);
        let value = if n > 0 { self.of.steps.mul(scale, power) } else { self.of.steps.div(scale, power) };
        self.needs_normal(value, None);
        value
    }
}
