//! The op table: one row per op, value and partials side by side.
//!
//! From the rows follow the [`Op`] enum, the forward and the backward dispatch, the methods of
//! [`TrScalar`](crate::TrScalar) and [`Var`](crate::Var), the Python functions, the reference page of
//! the documentation and the case lists of the tests. A row reads
//!
//! ```text
//! Variant name Arity "formula" on (smooth interval) {
//!     partials "…"; because "…";    for the documentation: partials, and why the edges are as they are
//!     value(a, b)                   the transreal value as a double
//!     classical(g, a, b, z)         [contribution to a, contribution to b]
//!     bounded(g, a, b, z, s)        the same with saturation bound s               } singular
//!     pole(a, b), "…", "…"          a number whose magnitude is the distance to    } ops only
//!                                   the pole, if there is one here; the distance   }
//!                                   and the bounded partials in words              }
//! }
//! ```
//!
//! and one for an op of any number of inputs
//!
//! ```text
//! Variant name "formula" {
//!     value(kept)                   the value, of an iterator over the inputs kept
//!     shared(kept, z)               what the shares of all inputs have in common, two numbers
//!     share(g, x, shared)           the contribution to an input x
//! }
//! ```
//!
//! An entry may be split in two, `= fast form, else fallback form`. The fast form has no branches, so that
//! loops over it vectorise, and says beside its result whether it holds for these operands; where it
//! does not, the fallback form decides. Which of the two it is depends on the operands only.
//!
//! `g` is the adjoint that arrives and `z` the value. The `b` of `PowInt` is its exponent, which is
//! no operand and has no gradient. Contributions that are not REAL are left out by the sweep in
//! [`backward`](crate::backward), not here. An adjoint that is not REAL must show: no contribution made
//! of it is REAL.

#[macro_use]
mod table;
mod values;

pub(crate) use values::pow_int;

use crate::{elementary, rules};
use values::{scaled, share_of_extremum, signum, unary};

/// How many inputs an op has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// A leaf: constant, parameter or input.
    Leaf,
    /// One operand.
    Unary,
    /// One operand and an integer exponent.
    Power,
    /// Two operands.
    Binary,
    /// Any number of operands.
    Variadic,
}

op_table! {
    ($)
    leaves {
        Constant constant "a value that no gradient flows to"
        Parameter parameter "a value to learn"
        Input input "a coordinate: a given value that gradients may be asked for"
    }
    elementwise {
        Add add Binary "a + b" on (-4.0, 4.0) {
            partials "ḡ, ḡ";
            because "+∞ and −∞ may cancel to anything: their sum is Φ.";
            value(a, b) = a + b;
            classical(g, _a, _b, _z) = [g, g];
        }
        Sub sub Binary "a − b" on (-4.0, 4.0) {
            partials "ḡ, −ḡ";
            because "The sum of a and −b.";
            value(a, b) = a - b;
            classical(g, _a, _b, _z) = [g, -g];
        }
        Mul mul Binary "a × b" on (-4.0, 4.0) {
            partials "ḡ·b, ḡ·a";
            because "0 × ±∞ may be anything: it is Φ.";
            value(a, b) = a * b;
            classical(g, a, b, _z) = [g * b, g * a];
        }
        Div div Binary "a ÷ b" on (0.25, 4.0) {
            partials "ḡ ÷ b, −ḡ·a ÷ b²";
            because
                "1 ÷ 0 is ±∞ by the signs of numerator and zero, so the quotient keeps the side from which \
                 it came; 0 ÷ 0 may be anything.";
            value(a, b) = a / b;
            classical(g, a, b, z) = rules::div(g, a, b, z), else rules::div_slow(g, a, b, z);
            bounded(g, a, b, _z, s) = rules::bounded_div(g, a, b, s), else rules::bounded_div_slow(g, a, b, s);
            pole(_a, b) = Some(b), "|b|", "ḡ·recip(b), −ḡ·a ÷ (b² + s²)";
        }
        Minimum minimum Binary "the smaller of a and b; ties share the gradient" on (-4.0, 4.0) {
            partials "ḡ to the smaller operand, ½ḡ to each at a tie";
            because
                "The transreal order, with Φ absorbing; at a tie the mean of the two one-sided derivatives.";
            value(a, b) = if b < a || b.is_nan() { b } else { a };
            classical(g, a, b, _z) = share_of_extremum(g, a <= b, b <= a);
        }
        Maximum maximum Binary "the larger of a and b; ties share the gradient" on (-4.0, 4.0) {
            partials "ḡ to the larger operand, ½ḡ to each at a tie";
            because
                "The transreal order, with Φ absorbing; at a tie the mean of the two one-sided derivatives.";
            value(a, b) = if b > a || b.is_nan() { b } else { a };
            classical(g, a, b, _z) = share_of_extremum(g, a >= b, b >= a);
        }
        Neg neg Unary "−a" on (-4.0, 4.0) {
            partials "−ḡ";
            because "Exact.";
            value(a, _b) = -a;
            classical(g, _a, _b, _z) = [-g, 0.0];
        }
        Abs abs Unary "|a|; subgradient 0 at 0" on (0.25, 4.0) {
            partials "ḡ·sign a";
            because "At 0 the middle of the subgradients.";
            value(a, _b) = a.abs();
            classical(g, a, _b, _z) = [g * signum(a), 0.0];
        }
        Sign sign Unary "−1, 0 or 1; gradient 0" on (0.25, 4.0) {
            partials "0";
            because "Constant on either side of 0, where it takes the middle value.";
            value(a, _b) = signum(a);
            classical(g, _a, _b, _z) = [g * 0.0, 0.0];
        }
        Log log Unary "ln a for a > 0, else Φ" on (0.25, 4.0) {
            partials "ḡ ÷ a";
            because
                "Left of 0 there is no real logarithm, and 0 is the end of that side: Φ, which no adjoint \
                 passes.";
            value(a, _b) = values::log(a), else elementary::ln(a);
            classical(g, a, _b, _z) = [g / a, 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_recip(g, a, s)), else [rules::bounded_recip_slow(g, a, s), 0.0];
            pole(a, _b) = Some(a), "|a|", "ḡ·recip(a)";
        }
        Sqrt sqrt Unary "√a for a ≥ 0, else Φ" on (0.25, 4.0) {
            partials "ḡ ÷ 2√a";
            because
                "Left of 0 there is no real root. At 0 the root is REAL and its slope infinite, so the \
                 classical contribution is left out.";
            value(a, _b) = a.sqrt();
            classical(g, _a, _b, z) = [g / (2.0 * z), 0.0];
            bounded(g, _a, _b, z, s) = unary(rules::bounded_recip(g, 2.0 * z, s)), else [rules::bounded_recip_slow(g, 2.0 * z, s), 0.0];
            pole(a, _b) = Some(a), "|a|", "ḡ·recip(2√a)";
        }
        Exp exp Unary "eᵃ" on (-4.0, 4.0) {
            partials "ḡ·eᵃ";
            because "The limits at ±∞.";
            value(a, _b) = elementary::fast::exp(a), else elementary::exp(a);
            classical(g, a, _b, z) = unary(rules::exp(g, z)), else [rules::exp_slow(g, a, z), 0.0];
        }
        Sin sin Unary "sin a" on (-4.0, 4.0) {
            partials "ḡ·cos a";
            because "No limit at ±∞: Φ.";
            value(a, _b) = elementary::fast::sin(a), else elementary::sin(a);
            classical(g, a, _b, _z) = scaled(g, elementary::fast::cos(a)), else [g * elementary::cos(a), 0.0];
        }
        Cos cos Unary "cos a" on (-4.0, 4.0) {
            partials "−ḡ·sin a";
            because "No limit at ±∞: Φ.";
            value(a, _b) = elementary::fast::cos(a), else elementary::cos(a);
            classical(g, a, _b, _z) = scaled(-g, elementary::fast::sin(a)), else [-g * elementary::sin(a), 0.0];
        }
        Tanh tanh Unary "tanh a" on (-4.0, 4.0) {
            partials "ḡ·(1 − tanh² a)";
            because
                "The limits at ±∞. The partial is worked out as 4e ÷ (1 + e)² with e = exp(−2|a|), which \
                 does not cancel.";
            value(a, _b) = elementary::fast::tanh(a), else elementary::tanh(a);
            classical(g, a, _b, _z) = unary(rules::tanh(g, a)), else [rules::tanh_slow(g, a), 0.0];
        }
        PowInt pow_int Power "aⁿ by squaring; Φ for 0⁰ and for any a⁰ that is not REAL" on (0.25, 4.0) {
            partials "ḡ·n·aⁿ⁻¹, 0 for n = 0";
            because "By squaring, so the tables of × and ÷ decide; 0⁰ and ∞⁰ may be anything.";
            value(a, n) = pow_int(a, n as i32);
            classical(g, a, n, _z) = unary(rules::pow_int(g, a, n as i32)), else [rules::pow_int_slow(g, a, n as i32), 0.0];
            bounded(g, a, n, _z, s) = unary(rules::bounded_pow_int(g, a, n as i32, s)),
                else [rules::bounded_pow_int_slow(g, a, n as i32, s), 0.0];
            pole(a, n) = (n < 0.0).then_some(a), "|a| if n < 0", "ḡ·n·recip(a^(1−n))";
        }
        Sinc sinc Unary "sin πa ÷ πa, 1 at 0" on (-4.0, 4.0) {
            partials "ḡ·(cos πa − sinc a) ÷ a, 0 at 0";
            because
                "The removable singularity at 0 is removed: value 1, slope 0. Scaled by π as in NumPy, \
                 SciPy, PyTorch and JAX. At ±∞ value and slope have the limit 0.";
            value(a, _b) = elementary::fast::sinc(a), else elementary::sinc(a);
            classical(g, a, _b, _z) = unary(rules::sinc(g, a)), else [rules::sinc_slow(g, a), 0.0];
        }
        Hypot hypot Binary "√(a² + b²)" on (0.25, 4.0) {
            partials "ḡ·a ÷ √(a² + b²), ḡ·b ÷ √(a² + b²); 0, 0 at the origin";
            because
                "The partials are a direction, at most 1, so nothing is bounded. At the origin the middle of \
                 the subgradients; beside an infinite operand (which gets ḡ times its sign) a REAL one does \
                 not count; two infinite ones have no direction.";
            value(a, b) = elementary::fast::hypot(a, b), else elementary::hypot(a, b);
            classical(g, a, b, z) = rules::hypot(g, a, b, z), else rules::hypot_slow(g, a, b, z);
        }
        Atan2 atan2 Binary "the angle of the point (b, a) from the first axis" on (0.25, 4.0) {
            partials "ḡ·b ÷ (a² + b²), −ḡ·a ÷ (a² + b²); 0, 0 beside an infinite operand";
            because
                "The first operand is the ordinate. The origin has no direction, nor has a corner of \
                 infinity: Φ, as 0⁰ and ∞ ÷ ∞ are. Elsewhere the values of C99.";
            value(a, b) = values::atan2_fast(a, b), else values::atan2(a, b);
            classical(g, a, b, _z) = rules::atan2(g, a, b), else rules::atan2_slow(g, a, b);
            bounded(g, a, b, _z, s) = rules::bounded_atan2(g, a, b, s), else rules::bounded_atan2_slow(g, a, b, s);
            pole(a, b) = Some(rules::distance_to_origin(a, b)), "√(a² + b²)", "ḡ·b ÷ (a² + b² + s²), −ḡ·a ÷ (a² + b² + s²)";
        }
        Xlogy xlogy Binary "a·ln b, 0 where a = 0 and b ≥ 0" on (0.25, 4.0) {
            partials "ḡ·ln b, ḡ·a ÷ b; at a = 0 the second is 0";
            because
                "0·ln 0 is 0, as SciPy and PyTorch have it: the limit of p·ln p, and what an impossible \
                 outcome adds to an entropy. For a ≠ 0 the tables of × and log. Toward a the slope at (0, 0) \
                 is −∞ and is left out.";
            value(a, b) = values::xlogy_fast(a, b), else values::xlogy(a, b);
            classical(g, a, b, _z) = rules::xlogy(g, a, b), else rules::xlogy_slow(g, a, b);
            bounded(g, a, b, _z, s) = rules::bounded_xlogy(g, a, b, s), else rules::bounded_xlogy_slow(g, a, b, s);
            pole(_a, b) = Some(b), "|b|", "ḡ·ln b, ḡ·a·recip(b)";
        }
        Expm1 expm1 Unary "eᵃ − 1" on (-4.0, 4.0) {
            partials "ḡ·eᵃ";
            because "Keeps the digits that eᵃ − 1 cancels near 0. The limits at ±∞.";
            value(a, _b) = elementary::fast::expm1(a), else elementary::expm1(a);
            classical(g, a, _b, _z) = unary(rules::expm1(g, a)), else [rules::exp_slow(g, a, elementary::exp(a)), 0.0];
        }
        Log1p log1p Unary "ln(1 + a) for a > −1, else Φ" on (-0.5, 4.0) {
            partials "ḡ ÷ (1 + a)";
            because "Keeps the digits that ln(1 + a) cancels near 0; at −1 what log is at 0.";
            value(a, _b) = values::log1p(a), else elementary::ln_1p(a);
            classical(g, a, _b, _z) = [g / (1.0 + a), 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_recip(g, 1.0 + a, s)),
                else [rules::bounded_recip_slow(g, 1.0 + a, s), 0.0];
            pole(a, _b) = Some(1.0 + a), "|1 + a|", "ḡ·recip(1 + a)";
        }
        Pow pow Binary "aᵇ for real b; Φ for 0⁰, ∞⁰, 1^±∞, and for a < 0 unless b is an integer" on (0.25, 4.0) {
            partials "ḡ·b·aᵇ⁻¹, ḡ·aᵇ·ln a; to a 0 for b = 0; to b 0 for a = 0 < b, and nothing for a < 0";
            because
                "What has no limit is Φ, as in pow_int, with which it agrees for integers, and with sqrt for \
                 ½. The rest is C99. Between the integers a negative base has no power, so its exponent gets \
                 no slope.";
            value(a, b) = values::pow_fast(a, b), else values::pow(a, b);
            classical(g, a, b, z) = rules::pow(g, a, b, z), else rules::pow_slow(g, a, b, z);
            bounded(g, a, b, z, s) = rules::bounded_pow(g, a, b, z, s), else rules::bounded_pow_slow(g, a, b, z, s);
            pole(a, b) = (b < 1.0 && b != 0.0 && b.is_finite()).then_some(a), "|a| if b < 1 and b ≠ 0",
                "b < 0: ḡ·b·recip(a^(1−b)), ḡ·recip(a⁻ᵇ)·ln a; 0 < b < 1: ḡ·recip(a^(1−b) ÷ b), ḡ·aᵇ·ln a";
        }
        Asin asin Unary "arcsin a on [−1, 1], else Φ" on (-0.9, 0.9) {
            partials "ḡ ÷ √((1 − a)(1 + a))";
            because
                "No real angle beyond ±1, where the value is REAL and the slope infinite, as that of sqrt at \
                 0.";
            value(a, _b) = elementary::fast::asin(a), else elementary::asin(a);
            classical(g, a, _b, _z) = [g / rules::leg(a), 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_recip(g, rules::leg(a), s)),
                else [rules::bounded_recip_slow(g, rules::leg(a), s), 0.0];
            pole(a, _b) = Some(1.0 - a.abs()), "|1 − |a||", "ḡ·recip(√((1 − a)(1 + a)))";
        }
        Acos acos Unary "arccos a on [−1, 1], else Φ" on (-0.9, 0.9) {
            partials "−ḡ ÷ √((1 − a)(1 + a))";
            because "As arcsin.";
            value(a, _b) = elementary::fast::acos(a), else elementary::acos(a);
            classical(g, a, _b, _z) = [-g / rules::leg(a), 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_recip(-g, rules::leg(a), s)),
                else [rules::bounded_recip_slow(-g, rules::leg(a), s), 0.0];
            pole(a, _b) = Some(1.0 - a.abs()), "|1 − |a||", "−ḡ·recip(√((1 − a)(1 + a)))";
        }
        Tan tan Unary "tan a" on (-1.2, 1.2) {
            partials "ḡ ÷ cos² a";
            because
                "No limit at ±∞: Φ. No double is a pole, but some come close: the tangent is then as large \
                 as 10¹⁸.";
            value(a, _b) = elementary::fast::tan(a), else elementary::tan(a);
            classical(g, _a, _b, z) = [g * (1.0 + z * z), 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_tan(g, a, s)), else [rules::bounded_tan_slow(g, a, s), 0.0];
            pole(a, _b) = Some(elementary::cos(a)), "|cos a|", "ḡ ÷ (cos² a + s²)";
        }
        Sigmoid sigmoid Unary "1 ÷ (1 + e⁻ᵃ)" on (-4.0, 4.0) {
            partials "ḡ·e ÷ (1 + e)², e = exp(−|a|)";
            because "The limits 0 and 1 at ∓∞. The partial does not cancel and is right far out.";
            value(a, _b) = elementary::fast::sigmoid(a), else elementary::sigmoid(a);
            classical(g, a, _b, _z) = unary(rules::sigmoid(g, a)), else [rules::sigmoid_slow(g, a), 0.0];
        }
        Softplus softplus Unary "ln(1 + eᵃ)" on (-4.0, 4.0) {
            partials "ḡ·sigmoid a";
            because "The limits 0 and +∞ at ∓∞. Neither value nor partial cancels or overflows on the way.";
            value(a, _b) = elementary::fast::softplus(a), else elementary::softplus(a);
            classical(g, a, _b, _z) = unary(rules::softplus(g, a)), else [rules::softplus_slow(g, a), 0.0];
        }
    }
    variadic {
        Sum sum "the sum of the inputs kept" {
            partials "ḡ";
            because "The inputs are added in order by the table of +. The empty sum is 0.";
            value(kept) = kept.reduce(|sum, x| sum + x).unwrap_or(0.0);
            shared(_kept, _z) = [0.0; 2];
            share(g, _x, _shared) = g;
        }
        Mean mean "the mean of the inputs kept" {
            partials "ḡ ÷ the number of inputs kept";
            because "The sum divided by the number of inputs kept, so the mean of nothing is 0 ÷ 0.";
            value(kept) = values::mean(kept);
            shared(kept, _z) = [kept.count() as f64, 0.0];
            share(g, _x, [count, _]) = g / count;
        }
        Norm norm "√Σx² over the inputs kept" {
            partials "ḡ·x ÷ √Σx²; 0 at the origin";
            because
                "As hypot: a direction at most 1 long, the middle of the subgradients at the origin, and of \
                 infinite inputs only a single one has a direction. The norm of nothing is 0.";
            value(kept) = elementary::norm(kept);
            shared(kept, z) = rules::norm_shared(kept, z);
            share(g, x, shared) = rules::norm(g, x, shared), else rules::norm_slow(g, x, shared);
        }
        Logsumexp logsumexp "ln Σeˣ over the inputs kept" {
            partials "ḡ·eˣ ÷ Σeˣ";
            because
                "Worked out as m + ln Σe^(x−m) with m the largest input, so it overflows only with its \
                 value. −∞ adds nothing and gets 0; of nothing but −∞, or of nothing at all, it is −∞, the \
                 zero of this addition, as in NumPy and SciPy. Of inputs +∞ only a single one has a \
                 direction.";
            value(kept) = values::logsumexp(kept);
            shared(kept, _z) = rules::softmax_shared(kept);
            share(g, x, shared) = rules::softmax(g, x, shared), else rules::softmax_slow(g, x, shared);
        }
    }
}
