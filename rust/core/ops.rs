//! The op table: one row per op, value and partials side by side.
//!
//! From the rows follow the [`Op`] enum, the forward and the backward dispatch, the methods of
//! [`TrScalar`](crate::TrScalar) and [`Var`](crate::Var), the Python functions and the case lists
//! of the tests. A row reads
//!
//! ```text
//! Variant name Arity "formula" on (smooth interval) {
//!     value(a, b)               the transreal value as a double
//!     classical(g, a, b, z)     [contribution to a, contribution to b]
//!     bounded(g, a, b, z, s)    the same with saturation bound s      } singular
//!     pole(a, b)                the operand whose magnitude is the    } ops only
//!                               distance to the pole, if there is one }
//! }
//! ```
//!
//! An entry may be split in two, `= hot form, else slow form`. The hot form has no branches, so that
//! loops over it vectorise, and says beside its result whether it holds for these operands; where it
//! does not, the slow form decides. Which of the two it is depends on the operands only.
//!
//! `g` is the adjoint that arrives and `z` the value. The `b` of `PowInt` is its exponent, which is
//! no operand and has no gradient. Contributions that are not REAL are left out by the sweep in
//! [`backward`](crate::backward), not here.

use crate::{elementary, rules};

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

/// The two forms of an entry: `hot`, with a flag that says whether it holds, and `full`, which always
/// does.
macro_rules! entry {
    (($($p:pat),*) -> $result:ty = $hot:expr) => {
        #[inline(always)]
        pub fn hot($($p: f64),*) -> ($result, bool) { ($hot, true) }
        #[inline(always)]
        pub fn full($($p: f64),*) -> $result { $hot }
    };
    (($($p:pat),*) -> $result:ty = $hot:expr, else $slow:expr) => {
        #[inline(always)]
        pub fn hot($($p: f64),*) -> ($result, bool) { $hot }
        #[inline(always)]
        pub fn full($($p: f64),*) -> $result {
            let (result, holds) = $hot;
            if holds { result } else { $slow }
        }
    };
}

macro_rules! op_table {
    (
        ($d:tt)
        leaves { $($leaf:ident $leaf_name:ident $leaf_formula:literal)* }
        elementwise { $(
            $op:ident $name:ident $arity:ident $formula:literal on $domain:tt {
                value($($v:pat),*) = $value:expr $(, else $slow_value:expr)?;
                classical($($c:pat),*) = $classical:expr $(, else $slow_classical:expr)?;
                $(
                    $bounded_rule:ident($($s:pat),*) = $bounded:expr, else $slow_bounded:expr;
                    $pole_operand:ident($($p:pat),*) = $pole:expr;
                )?
            }
        )* }
        variadic { $($many:ident $many_name:ident $many_formula:literal)* }
    ) => {
        /// The operations a node can record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $leaf_formula] $leaf,)*
            $(#[doc = $formula] $op,)*
            $(#[doc = $many_formula] $many,)*
        }

        /// The entries of each row, by name.
        mod row {
            $(pub(super) mod $name {
                #[allow(unused_imports, reason = "each row uses what it needs")]
                use super::super::*;
                pub mod value {
                    #[allow(unused_imports, reason = "likewise")]
                    use super::*;
                    entry! { ($($v),*) -> f64 = $value $(, else $slow_value)? }
                }
                pub mod classical {
                    #![allow(unused_imports, unused_variables, reason = "one of two forms may not need them")]
                    use super::*;
                    entry! { ($($c),*) -> [f64; 2] = $classical $(, else $slow_classical)? }
                }
                $(
                    pub mod $bounded_rule {
                        use super::*;
                        entry! { ($($s),*) -> [f64; 2] = $bounded, else $slow_bounded }
                    }
                    #[inline(always)]
                    pub fn $pole_operand($($p: f64),*) -> Option<f64> { $pole }
                )?
            })*
        }

        impl Op {
            /// Every op, in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$leaf,)* $(Op::$op,)* $(Op::$many,)*];

            /// The name, in lower case; Python puts `tr_` before it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Op::$leaf => stringify!($leaf_name),)*
                    $(Op::$op => stringify!($name),)*
                    $(Op::$many => stringify!($many_name),)*
                }
            }

            /// The formula, for documentation.
            pub const fn formula(self) -> &'static str {
                match self {
                    $(Op::$leaf => $leaf_formula,)*
                    $(Op::$op => $formula,)*
                    $(Op::$many => $many_formula,)*
                }
            }

            /// How many inputs the op has.
            pub const fn arity(self) -> Arity {
                match self {
                    $(Op::$leaf => Arity::Leaf,)*
                    $(Op::$op => Arity::$arity,)*
                    $(Op::$many => Arity::Variadic,)*
                }
            }

            /// An interval on which the op is smooth in each operand, for sampling in tests.
            pub const fn domain(self) -> (f64, f64) {
                match self {
                    $(Op::$op => $domain,)*
                    _ => (-4.0, 4.0),
                }
            }

            /// The value of an elementwise op; NaN for any other.
            #[inline(always)]
            pub fn value(self, a: f64, b: f64) -> f64 {
                match self {
                    $(Op::$op => row::$name::value::full(a, b),)*
                    _ => f64::NAN,
                }
            }

            /// The hot form of [`value`](Self::value), and whether it holds.
            #[inline(always)]
            pub(crate) fn value_hot(self, a: f64, b: f64) -> (f64, bool) {
                match self {
                    $(Op::$op => row::$name::value::hot(a, b),)*
                    _ => (f64::NAN, true),
                }
            }

            /// The classical contributions of an elementwise op to its operands.
            #[inline(always)]
            pub fn classical(self, g: f64, a: f64, b: f64, z: f64) -> [f64; 2] {
                match self {
                    $(Op::$op => row::$name::classical::full(g, a, b, z),)*
                    _ => [0.0; 2],
                }
            }

            /// The hot form of [`classical`](Self::classical), and whether it holds.
            #[inline(always)]
            pub(crate) fn classical_hot(self, g: f64, a: f64, b: f64, z: f64) -> ([f64; 2], bool) {
                match self {
                    $(Op::$op => row::$name::classical::hot(g, a, b, z),)*
                    _ => ([0.0; 2], true),
                }
            }

            /// The bounded contributions of a singular op to its operands; `s` is the bound.
            #[inline(always)]
            pub fn bounded(self, g: f64, a: f64, b: f64, z: f64, s: f64) -> [f64; 2] {
                match self {
                    $($(Op::$op => row::$name::$bounded_rule::full(g, a, b, z, s),)?)*
                    _ => [0.0; 2],
                }
            }

            /// The hot form of [`bounded`](Self::bounded), and whether it holds.
            #[inline(always)]
            pub(crate) fn bounded_hot(self, g: f64, a: f64, b: f64, z: f64, s: f64) -> ([f64; 2], bool) {
                match self {
                    $($(Op::$op => row::$name::$bounded_rule::hot(g, a, b, z, s),)?)*
                    _ => ([0.0; 2], true),
                }
            }

            /// The operand whose magnitude is the distance to the op's pole, `None` if the op has
            /// no pole.
            #[inline(always)]
            pub fn pole(self, a: f64, b: f64) -> Option<f64> {
                match self {
                    $($(Op::$op => row::$name::$pole_operand(a, b),)?)*
                    _ => None,
                }
            }
        }

        /// Invokes a macro with one `(Variant, name, Arity, "formula")` per elementwise op: how
        /// other modules and crates derive code from the table.
        #[macro_export]
        macro_rules! for_each_elementwise_op {
            ($d callback:ident) => {
                $d callback! { $(($op, $name, $arity, $formula))* }
            };
        }
    };
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
            value(a, b) = a + b;
            classical(g, _a, _b, _z) = [g, g];
        }
        Sub sub Binary "a − b" on (-4.0, 4.0) {
            value(a, b) = a - b;
            classical(g, _a, _b, _z) = [g, -g];
        }
        Mul mul Binary "a × b" on (-4.0, 4.0) {
            value(a, b) = a * b;
            classical(g, a, b, _z) = [g * b, g * a];
        }
        Div div Binary "a ÷ b" on (0.25, 4.0) {
            value(a, b) = a / b;
            classical(g, a, b, z) = rules::div(g, a, b, z), else rules::div_slow(g, a, b, z);
            bounded(g, a, b, _z, s) = rules::bounded_div(g, a, b, s), else rules::bounded_div_slow(g, a, b, s);
            pole(_a, b) = Some(b);
        }
        Minimum minimum Binary "the smaller of a and b; ties share the gradient" on (-4.0, 4.0) {
            value(a, b) = if b < a || b.is_nan() { b } else { a };
            classical(g, a, b, _z) = share(g, a <= b, b <= a);
        }
        Maximum maximum Binary "the larger of a and b; ties share the gradient" on (-4.0, 4.0) {
            value(a, b) = if b > a || b.is_nan() { b } else { a };
            classical(g, a, b, _z) = share(g, a >= b, b >= a);
        }
        Neg neg Unary "−a" on (-4.0, 4.0) {
            value(a, _b) = -a;
            classical(g, _a, _b, _z) = [-g, 0.0];
        }
        Abs abs Unary "|a|; subgradient 0 at 0" on (0.25, 4.0) {
            value(a, _b) = a.abs();
            classical(g, a, _b, _z) = [g * signum(a), 0.0];
        }
        Sign sign Unary "−1, 0 or 1; gradient 0" on (0.25, 4.0) {
            value(a, _b) = signum(a);
            classical(g, _a, _b, _z) = [g * 0.0, 0.0];
        }
        Log log Unary "ln a for a > 0, else Φ" on (0.25, 4.0) {
            value(a, _b) = ln_hot(a), else elementary::ln(a);
            classical(g, a, _b, _z) = [g / a, 0.0];
            bounded(g, a, _b, _z, s) = unary(rules::bounded_recip(g, a, s)), else [rules::bounded_recip_slow(g, a, s), 0.0];
            pole(a, _b) = Some(a);
        }
        Sqrt sqrt Unary "√a for a ≥ 0, else Φ" on (0.25, 4.0) {
            value(a, _b) = a.sqrt();
            classical(g, _a, _b, z) = [g / (2.0 * z), 0.0];
            bounded(g, _a, _b, z, s) = unary(rules::bounded_recip(g, 2.0 * z, s)), else [rules::bounded_recip_slow(g, 2.0 * z, s), 0.0];
            pole(a, _b) = Some(a);
        }
        Exp exp Unary "eᵃ" on (-4.0, 4.0) {
            value(a, _b) = elementary::hot::exp(a), else elementary::exp(a);
            classical(g, a, _b, z) = unary(rules::exp(g, z)), else [rules::exp_slow(g, a, z), 0.0];
        }
        Sin sin Unary "sin a" on (-4.0, 4.0) {
            value(a, _b) = elementary::hot::sin(a), else elementary::sin(a);
            classical(g, a, _b, _z) = scaled(g, elementary::hot::cos(a)), else [g * elementary::cos(a), 0.0];
        }
        Cos cos Unary "cos a" on (-4.0, 4.0) {
            value(a, _b) = elementary::hot::cos(a), else elementary::cos(a);
            classical(g, a, _b, _z) = scaled(-g, elementary::hot::sin(a)), else [-g * elementary::sin(a), 0.0];
        }
        Tanh tanh Unary "tanh a" on (-4.0, 4.0) {
            value(a, _b) = elementary::hot::tanh(a), else elementary::tanh(a);
            classical(g, a, _b, _z) = unary(rules::tanh(g, a)), else [rules::tanh_slow(g, a), 0.0];
        }
        PowInt pow_int Power "aⁿ by squaring; Φ for 0⁰ and for any a⁰ that is not REAL" on (0.25, 4.0) {
            value(a, n) = pow_int(a, n as i32);
            classical(g, a, n, _z) = unary(rules::pow_int(g, a, n as i32)), else [rules::pow_int_slow(g, a, n as i32), 0.0];
            bounded(g, a, n, _z, s) = unary(rules::bounded_pow_int(g, a, n as i32, s)),
                else [rules::bounded_pow_int_slow(g, a, n as i32, s), 0.0];
            pole(a, n) = (n < 0.0).then_some(a);
        }
    }
    variadic {
        Sum sum "the sum of the inputs kept"
        Mean mean "the mean of the inputs kept"
    }
}

/// `ln a`; Φ unless a > 0, without a branch.
#[inline(always)]
fn ln_hot(a: f64) -> (f64, bool) {
    let (value, holds) = elementary::hot::ln(a);
    let positive = a > 0.0;
    (if positive { value } else { f64::NAN }, holds | !positive)
}

/// A hot contribution to the one operand.
#[inline(always)]
fn unary((contribution, holds): (f64, bool)) -> ([f64; 2], bool) {
    ([contribution, 0.0], holds)
}

/// `ḡ·partial` for a partial in hot form.
#[inline(always)]
fn scaled(g: f64, (partial, holds): (f64, bool)) -> ([f64; 2], bool) {
    ([g * partial, 0.0], holds)
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
fn signum(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else {
        a + 0.0 // +0 for both zeros, NaN for NaN
    }
}

/// `ḡ` to the operand that won, half of it to each of two that tie.
#[inline(always)]
fn share(g: f64, a_wins: bool, b_wins: bool) -> [f64; 2] {
    match (a_wins, b_wins) {
        (true, true) => [0.5 * g; 2],
        (true, false) => [g, 0.0 * g],
        _ => [0.0 * g, g],
    }
}

/// `xⁿ` by squaring, low bit first; `1 ÷ x⁻ⁿ` for negative n.
pub(crate) fn pow_int(x: f64, n: i32) -> f64 {
    if n == 0 {
        return if x != 0.0 && x.is_finite() { 1.0 } else { f64::NAN };
    }
    let (mut result, mut base, mut bits) = (1.0, x, n.unsigned_abs());
    while bits > 0 {
        if bits & 1 == 1 {
            result *= base;
        }
        base *= base;
        bits >>= 1;
    }
    if n < 0 { 1.0 / result } else { result }
}
