//! Steps of adjoints: what ops pass to their operands, classical and bounded.

use super::super::steps::{Class, Comparison, Id, Place};
use super::{Expansion, PLAIN_POWER, Rule};
use crate::batch::compile::code::{Code, Instruction, NO_SITE, Site};
use crate::op::Op;

impl Expansion {
    /// What an op passes to its operands.
    pub(super) fn adjoint(&mut self, code: &Code, instruction: Instruction) -> bool {
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
    pub(super) fn bound_near(
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
        self.steps.end_guard(number, near, self.suspect_near.take());
    }

    pub(super) fn quotient(&mut self, g: Id, a: Id, y: Id, z: Id, to_y: bool) -> [Id; 2] {
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

    pub(super) fn unary(&mut self, op: Op, n: i32, g: Id, a: Id, z: Id) -> Id {
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
    pub(super) fn slope_of_power(&mut self, g: Id, x: Id, n: i32) -> Id {
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
    pub(super) fn extremum(&mut self, g: Id, [first, second]: [(Id, Id); 2], other: Comparison) -> [Id; 2] {
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
    pub(super) fn signed(&mut self, a: Id, y: Id) -> Id {
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
    pub(super) fn bounded_unary(&mut self, op: Op, g: Id, a: Id, z: Id) -> Id {
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
