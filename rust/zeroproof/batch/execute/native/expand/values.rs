//! Steps of values: what ops, selections and predicates compute.

use super::super::steps::{Comparison, Id, Rounding};
use super::Expansion;
use crate::batch::compile::code::Source;
use crate::batch::program::Predicate;
use crate::op::Op;

impl Expansion {
    /// `aⁿ` by the multiplications of `Op::PowInt` in their order.
    pub(super) fn power(&mut self, a: Id, n: i32) -> Id {
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

    pub(super) fn value(&mut self, op: Op, to: u32, a: Source, b: Source) -> bool {
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
    pub(super) fn choose_extremum(&mut self, b_wins: Id, a: Id, b: Id) -> Id {
        let phi = self.steps.is_nan(b);
        let takes_b = self.steps.or(b_wins, phi);
        self.steps.choose(takes_b, b, a)
    }

    pub(super) fn sign(&mut self, a: Id) -> Id {
        let [zero, one, minus_one] = [0.0, 1.0, -1.0].map(|number| self.steps.constant(number));
        let positive = self.steps.compare(Comparison::Less, zero, a);
        let negative = self.steps.compare(Comparison::Less, a, zero);
        let neither = self.steps.add(a, zero); // +0 for both zeros, NaN for NaN
        let below = self.steps.choose(negative, minus_one, neither);
        self.steps.choose(positive, one, below)
    }

    pub(super) fn is_real(&mut self, a: Id) -> Id {
        let (magnitude, infinite) = (self.steps.abs(a), self.steps.constant(f64::INFINITY));
        self.steps.compare(Comparison::Less, magnitude, infinite)
    }

    pub(super) fn test(&mut self, predicate: Predicate, a: Source, b: Source) -> Id {
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
}
