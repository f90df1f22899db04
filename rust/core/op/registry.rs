//! The registry: codes, names, arities and formulas of all ops.
//!
//! Codes are public and stable: they are the numbers of Python's `OpType` and stand in pickles and saved
//! programs. A new op is appended with the next code. Where a row stands among its kind is free.

use super::curvature::{
    Coupled, Curved, CurvedBinary, CurvedPoleBinary, CurvedPoleUnary, CurvedPower, CurvedUnary,
    CurvedVariadic, Entries, One,
};
use super::facts::{Arity, Facts, Notation, PoleFacts, Read};
use super::form::Form;
use super::kinds::{Binary, Elementwise, First, Power, SingularBinary, SingularUnary, Unary, Variadic};

/// Makes everything that follows from the rows.
macro_rules! registry {
    (
        ($d:tt)
        leaves { $($leaf_code:literal $leaf:ident $leaf_name:ident $leaf_formula:literal)* }
        aliases { $($alias_code:literal $alias:ident $alias_name:ident $alias_formula:literal)* }
        gradients { $($grad_code:literal $grad:ident $grad_name:ident $grad_formula:literal)* }
        elementwise { $($code:literal $op:ident $name:ident $arity:ident in $family:ident $formula:literal)* }
        variadic { $($many_code:literal $many:ident $many_name:ident in $many_family:ident $many_formula:literal)* }
    ) => {
        /// The operations a node can record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $leaf_formula] $leaf = $leaf_code,)*
            $(#[doc = $alias_formula] $alias = $alias_code,)*
            $(#[doc = $grad_formula] $grad = $grad_code,)*
            $(#[doc = $formula] $op = $code,)*
            $(#[doc = $many_formula] $many = $many_code,)*
        }

        $(elementwise! { $arity $op in $family })*

        /// The number of ops.
        const COUNT: usize = [$($leaf_code,)* $($alias_code,)* $($grad_code,)* $($code,)* $($many_code,)*].len();

        /// The ops by code; a code that is missing or given twice does not compile.
        const BY_CODE: [Op; COUNT] = {
            let mut ops = [None; COUNT];
            $(assert!(ops[$leaf_code].is_none()); ops[$leaf_code] = Some(Op::$leaf);)*
            $(assert!(ops[$alias_code].is_none()); ops[$alias_code] = Some(Op::$alias);)*
            $(assert!(ops[$grad_code].is_none()); ops[$grad_code] = Some(Op::$grad);)*
            $(assert!(ops[$code].is_none()); ops[$code] = Some(Op::$op);)*
            $(assert!(ops[$many_code].is_none()); ops[$many_code] = Some(Op::$many);)*
            let mut found = [Op::Constant; COUNT];
            let mut code = 0;
            while code < COUNT {
                found[code] = ops[code].expect("codes have no gaps");
                code += 1;
            }
            found
        };

        impl Op {
            /// Every op, by code.
            pub const ALL: &'static [Op] = &BY_CODE;

            /// The name, in lower case; Python puts `tr_` before it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Op::$leaf => stringify!($leaf_name),)*
                    $(Op::$alias => stringify!($alias_name),)*
                    $(Op::$grad => stringify!($grad_name),)*
                    $(Op::$op => stringify!($name),)*
                    $(Op::$many => stringify!($many_name),)*
                }
            }

            /// The formula, for documentation.
            pub const fn formula(self) -> &'static str {
                match self {
                    $(Op::$leaf => $leaf_formula,)*
                    $(Op::$alias => $alias_formula,)*
                    $(Op::$grad => $grad_formula,)*
                    $(Op::$op => $formula,)*
                    $(Op::$many => $many_formula,)*
                }
            }

            /// How many inputs the op has.
            pub const fn arity(self) -> Arity {
                match self {
                    $(Op::$leaf => Arity::Leaf,)*
                    $(Op::$alias => Arity::Alias,)*
                    $(Op::$grad => Arity::$grad,)*
                    $(Op::$op => Arity::$arity,)*
                    $(Op::$many => Arity::Variadic,)*
                }
            }

            /// Facts about the op; none for a leaf or an alias.
            pub const fn facts(self) -> Option<&'static Facts> {
                match self {
                    $(Op::$leaf => None,)*
                    $(Op::$alias => None,)*
                    $(Op::$grad => None,)*
                    $(Op::$op => Some(const { &<super::$family::$op as $arity>::FACTS }),)*
                    $(Op::$many => Some(const { &<super::$many_family::$many as Variadic>::FACTS }),)*
                }
            }

            /// Facts about the pole of an op that may be singular.
            #[inline]
            pub const fn singular(self) -> Option<PoleFacts> {
                match self {
                    $(Op::$op => <super::$family::$op as Elementwise>::POLE,)*
                    _ => None,
                }
            }

            /// The value of an elementwise op; NaN for any other. `b` is the exponent of a power.
            #[inline(always)]
            pub fn value(self, a: f64, b: f64) -> f64 {
                match self {
                    $(Op::$op => <super::$family::$op as Elementwise>::value(a, b).full(),)*
                    _ => f64::NAN,
                }
            }

            /// The classical contributions of an elementwise op to its operands; NaN for any other.
            pub fn classical(self, g: f64, a: f64, b: f64, z: f64) -> [f64; 2] {
                match self {
                    $(Op::$op => <super::$family::$op as Elementwise>::classical(g, a, b, z).full(),)*
                    _ => [f64::NAN; 2],
                }
            }

            /// The bounded contributions of a singular op to its operands, NaN for any other; `s` is the bound.
            pub fn bounded(self, g: f64, a: f64, b: f64, z: f64, s: f64) -> [f64; 2] {
                match self {
                    $(Op::$op => <super::$family::$op as Elementwise>::bounded(g, a, b, z, s).full(),)*
                    _ => [f64::NAN; 2],
                }
            }

            /// The second partials of the value, for documentation; none for a leaf.
            pub const fn second_formula(self) -> Option<&'static str> {
                match self {
                    $(Op::$leaf => None,)*
                    $(Op::$alias => None,)*
                    $(Op::$grad => None,)*
                    $(Op::$op => Some(second_formula!($arity super::$family::$op)),)*
                    $(Op::$many => Some(<super::$many_family::$many as CurvedVariadic>::FORMULA),)*
                }
            }

            /// What the second partials of an elementwise op are computed from, classical or bounded.
            pub const fn second_reads(self) -> &'static [Read] {
                match self {
                    $(Op::$op => <super::$family::$op as Curved>::SECOND_READS,)*
                    _ => &[],
                }
            }

            /// Which second partials of an elementwise op are not 0 for all operands.
            #[doc(hidden)]
            pub const fn coupled(self) -> crate::op::curvature::Coupled {
                match self {
                    $(Op::$op => <super::$family::$op as Curved>::COUPLED,)*
                    _ => [false; 4],
                }
            }

            /// How the partials of an elementwise op change with its operands, `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`
            /// at finite operands, each multiplied by `weight`; `s` is the bound, `None` for the classical
            /// ones. NaN for any other op.
            pub fn second_partials(self, weight: f64, a: f64, b: f64, z: f64, s: Option<f64>) -> [f64; 4] {
                match self {
                    $(Op::$op => match s {
                        None => <super::$family::$op as Curved>::curvature(a, b, z).weighted(weight),
                        Some(s) => <super::$family::$op as Curved>::bounded_curvature(a, b, z, s).weighted(weight),
                    },)*
                    _ => [f64::NAN; 4],
                }
            }

            /// A number whose magnitude is the distance to the op's pole, not finite where no REAL operand
            /// has one; `None` if the op has no pole.
            #[inline(always)]
            pub fn pole(self, a: f64, b: f64) -> Option<f64> {
                match self {
                    $(Op::$op => <super::$family::$op as Elementwise>::pole(a, b),)*
                    _ => None,
                }
            }

            /// The value of a variadic op over the inputs that it keeps; NaN for any other op.
            pub fn fold(self, kept: impl Iterator<Item = f64> + Clone) -> f64 {
                match self {
                    $(Op::$many => <super::$many_family::$many as Variadic>::value(kept),)*
                    _ => f64::NAN,
                }
            }

            /// What the shares of all inputs of a variadic op have in common, given the inputs kept and the
            /// value.
            pub fn shared(self, kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
                match self {
                    $(Op::$many => <super::$many_family::$many as Variadic>::shared(kept, z),)*
                    _ => [f64::NAN; 2],
                }
            }

            /// The contribution of a variadic op to a kept input `x`; NaN for any other.
            pub fn share(self, g: f64, x: f64, shared: [f64; 2]) -> f64 {
                match self {
                    $(Op::$many => <super::$many_family::$many as Variadic>::share(g, x, shared).full(),)*
                    _ => f64::NAN,
                }
            }
        }

        /// Runs code for the type of an elementwise op, or other code for any other op.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! with_elementwise {
            ($d op:expr, $d type:ident => $d body:expr, else $d other:expr) => {
                match $d op {
                    $($crate::op::Op::$op => {
                        type $d type = $crate::op::$family::$op;
                        $d body
                    })*
                    _ => $d other,
                }
            };
        }

        /// Runs code for the type of a variadic op, or other code for any other op.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! with_variadic {
            ($d op:expr, $d type:ident => $d body:expr, else $d other:expr) => {
                match $d op {
                    $($crate::op::Op::$many => {
                        type $d type = $crate::op::$many_family::$many;
                        $d body
                    })*
                    _ => $d other,
                }
            };
        }

        /// Invokes a macro with one `(Variant, name, Arity, "formula")` per elementwise op: how
        /// other modules and crates derive code from the registry.
        #[macro_export]
        macro_rules! for_each_elementwise_op {
            ($d callback:ident) => {
                $d callback! { $(($op, $name, $arity, $formula))* }
            };
        }

        /// Invokes a macro with one `(Variant, name, "formula")` per variadic op.
        #[macro_export]
        macro_rules! for_each_variadic_op {
            ($d callback:ident) => {
                $d callback! { $(($many, $many_name, $many_formula))* }
            };
        }
    };
}

macro_rules! second_formula {
    (Unary $op:path) => {
        <$op as CurvedUnary>::FORMULA
    };
    (Binary $op:path) => {
        <$op as CurvedBinary>::FORMULA
    };
    (Power $op:path) => {
        <$op as CurvedPower>::FORMULA
    };
}

/// An op as sweeps and kernels see it.
macro_rules! elementwise {
    (Unary $op:ident in $family:ident) => {
        impl Elementwise for super::$family::$op {
            const ARITY: Arity = Arity::Unary;
            const IS_OPERATOR: bool = !matches!(<Self as Unary>::FACTS.notation, Notation::Call(_));
            const POLE: Option<PoleFacts> = <<Self as Unary>::Singular as SingularUnary>::POLE;

            #[inline(always)]
            fn value(a: f64, _b: f64) -> impl Form<f64> {
                <Self as Unary>::value(a)
            }

            #[inline(always)]
            fn classical(g: f64, a: f64, _b: f64, z: f64) -> impl Form<[f64; 2]> {
                First(<Self as Unary>::classical(g, a, z))
            }

            #[inline(always)]
            fn pole(a: f64, _b: f64) -> Option<f64> {
                <<Self as Unary>::Singular as SingularUnary>::pole(a)
            }

            #[inline(always)]
            fn bounded(g: f64, a: f64, _b: f64, z: f64, s: f64) -> impl Form<[f64; 2]> {
                First(<<Self as Unary>::Singular as SingularUnary>::bounded(g, a, z, s))
            }

            const HAS_MARGIN: bool = false;

            #[inline(always)]
            fn margin(_contributions: [f64; 2], _z: f64) -> f64 {
                0.0
            }
        }

        impl Curved for super::$family::$op {
            const COUPLED: Coupled = [!<Self as CurvedUnary>::FLAT, false, false, false];
            const IS_QUOTIENT: bool = false;
            const SECOND_READS: &'static [Read] = <Self as CurvedUnary>::READS;

            #[inline(always)]
            fn curvature(a: f64, _b: f64, z: f64) -> impl Entries {
                One(<Self as CurvedUnary>::curvature(a, z))
            }

            #[inline(always)]
            fn bounded_curvature(a: f64, _b: f64, z: f64, s: f64) -> impl Entries {
                One(<<Self as Unary>::Singular as CurvedPoleUnary>::bounded_curvature(a, z, s))
            }
        }
    };
    (Binary $op:ident in $family:ident) => {
        impl Elementwise for super::$family::$op {
            const ARITY: Arity = Arity::Binary;
            const IS_OPERATOR: bool = !matches!(<Self as Binary>::FACTS.notation, Notation::Call(_));
            const POLE: Option<PoleFacts> = <<Self as Binary>::Singular as SingularBinary>::POLE;

            #[inline(always)]
            fn value(a: f64, b: f64) -> impl Form<f64> {
                <Self as Binary>::value(a, b)
            }

            #[inline(always)]
            fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
                <Self as Binary>::classical(g, a, b, z)
            }

            #[inline(always)]
            fn pole(a: f64, b: f64) -> Option<f64> {
                <<Self as Binary>::Singular as SingularBinary>::pole(a, b)
            }

            #[inline(always)]
            fn bounded(g: f64, a: f64, b: f64, z: f64, s: f64) -> impl Form<[f64; 2]> {
                <<Self as Binary>::Singular as SingularBinary>::bounded(g, a, b, z, s)
            }

            const HAS_MARGIN: bool = <Self as Binary>::HAS_MARGIN;

            #[inline(always)]
            fn margin(contributions: [f64; 2], z: f64) -> f64 {
                <Self as Binary>::margin(contributions, z)
            }
        }

        impl Curved for super::$family::$op {
            const COUPLED: Coupled = <Self as CurvedBinary>::COUPLED;
            const IS_QUOTIENT: bool = <Self as CurvedBinary>::IS_QUOTIENT;
            const SECOND_READS: &'static [Read] = <Self as CurvedBinary>::READS;

            #[inline(always)]
            fn curvature(a: f64, b: f64, z: f64) -> impl Entries {
                <Self as CurvedBinary>::curvature(a, b, z)
            }

            #[inline(always)]
            fn bounded_curvature(a: f64, b: f64, z: f64, s: f64) -> impl Entries {
                <<Self as Binary>::Singular as CurvedPoleBinary>::bounded_curvature(a, b, z, s)
            }
        }
    };
    (Power $op:ident in $family:ident) => {
        impl Elementwise for super::$family::$op {
            const ARITY: Arity = Arity::Power;
            const IS_OPERATOR: bool = !matches!(<Self as Power>::FACTS.notation, Notation::Call(_));
            const POLE: Option<PoleFacts> = Some(<Self as Power>::POLE);

            #[inline(always)]
            fn value(a: f64, n: f64) -> impl Form<f64> {
                <Self as Power>::value(a, n as i32)
            }

            #[inline(always)]
            fn classical(g: f64, a: f64, n: f64, z: f64) -> impl Form<[f64; 2]> {
                First(<Self as Power>::classical(g, a, n as i32, z))
            }

            #[inline(always)]
            fn pole(a: f64, n: f64) -> Option<f64> {
                <Self as Power>::pole(a, n as i32)
            }

            #[inline(always)]
            fn bounded(g: f64, a: f64, n: f64, z: f64, s: f64) -> impl Form<[f64; 2]> {
                First(<Self as Power>::bounded(g, a, n as i32, z, s))
            }

            const HAS_MARGIN: bool = false;

            #[inline(always)]
            fn margin(_contributions: [f64; 2], _z: f64) -> f64 {
                0.0
            }
        }

        impl Curved for super::$family::$op {
            const COUPLED: Coupled = [true, false, false, false];
            const IS_QUOTIENT: bool = false;
            const SECOND_READS: &'static [Read] = <Self as CurvedPower>::READS;

            #[inline(always)]
            fn curvature(a: f64, n: f64, z: f64) -> impl Entries {
                One(<Self as CurvedPower>::curvature(a, n as i32, z))
            }

            #[inline(always)]
            fn bounded_curvature(a: f64, n: f64, z: f64, s: f64) -> impl Entries {
                One(<Self as CurvedPower>::bounded_curvature(a, n as i32, z, s))
            }
        }
    };
}

registry! {
    ($)
    leaves {
        0 Constant constant "a value that no gradient flows to"
        1 Parameter parameter "a value to learn"
        2 Input input "a coordinate: a given value that gradients may be asked for"
    }
    aliases {
        63 Where where "the operand that a condition chose"
    }
    gradients {
        64 Gradients gradients "the gradients of a node, which can be differentiated once more"
        65 Gradient gradient "one of the gradients of a node"
    }
    elementwise {
        3 Add add Binary in arithmetic "a + b"
        4 Sub sub Binary in arithmetic "a − b"
        5 Mul mul Binary in arithmetic "a × b"
        6 Div div Binary in arithmetic "a ÷ b"
        7 Minimum minimum Binary in order "the smaller of a and b; ties share the gradient"
        8 Maximum maximum Binary in order "the larger of a and b; ties share the gradient"
        9 Neg neg Unary in arithmetic "−a"
        10 Abs abs Unary in order "|a|; subgradient 0 at 0"
        11 Sign sign Unary in order "−1, 0 or 1; gradient 0"
        12 Log log Unary in logarithms "ln a for a > 0, else Φ"
        13 Sqrt sqrt Unary in roots "√a for a ≥ 0, else Φ"
        14 Exp exp Unary in exponentials "eᵃ"
        15 Sin sin Unary in trigonometric "sin a"
        16 Cos cos Unary in trigonometric "cos a"
        17 Tanh tanh Unary in hyperbolic "tanh a"
        18 PowInt pow_int Power in powers "aⁿ by squaring; Φ for 0⁰ and for any a⁰ that is not REAL"
        19 Sinc sinc Unary in trigonometric "sin πa ÷ πa, 1 at 0"
        20 Hypot hypot Binary in lengths "√(a² + b²)"
        21 Atan2 atan2 Binary in inverse_trigonometric "the angle of the point (b, a) from the first axis"
        22 Xlogy xlogy Binary in logarithms "a·ln b, 0 where a = 0 and b ≥ 0"
        23 Expm1 expm1 Unary in exponentials "eᵃ − 1"
        24 Log1p log1p Unary in logarithms "ln(1 + a) for a > −1, else Φ"
        25 Pow pow Binary in real_powers "aᵇ for real b; Φ for 0⁰, ∞⁰, 1^±∞, and for a < 0 unless b is an integer"
        26 Asin asin Unary in inverse_trigonometric "arcsin a on [−1, 1], else Φ"
        27 Acos acos Unary in inverse_trigonometric "arccos a on [−1, 1], else Φ"
        28 Tan tan Unary in trigonometric "tan a"
        29 Sigmoid sigmoid Unary in exponentials "1 ÷ (1 + e⁻ᵃ)"
        30 Softplus softplus Unary in exponentials "ln(1 + eᵃ)"
        35 Atan atan Unary in inverse_trigonometric "arctan a"
        36 Sinh sinh Unary in hyperbolic "sinh a"
        37 Cosh cosh Unary in hyperbolic "cosh a"
        38 Asinh asinh Unary in hyperbolic "arsinh a"
        39 Acosh acosh Unary in hyperbolic "arcosh a for a ≥ 1, else Φ"
        40 Atanh atanh Unary in hyperbolic "artanh a for −1 < a < 1, else Φ"
        41 Erf erf Unary in special "erf a, the error function"
        42 Erfc erfc Unary in special "1 − erf a"
        43 LogNdtr log_ndtr Unary in special "ln Φ(a), Φ the standard normal distribution"
        44 LogSigmoid log_sigmoid Unary in exponentials "ln(1 ÷ (1 + e⁻ᵃ))"
        45 Square square Unary in powers "a²"
        46 Log2 log2 Unary in logarithms "log₂ a for a > 0, else Φ"
        47 Log10 log10 Unary in logarithms "log₁₀ a for a > 0, else Φ"
        48 Exprel exprel Unary in exponentials "(eᵃ − 1) ÷ a, 1 at 0"
        49 Log1prel log1prel Unary in logarithms "ln(1 + a) ÷ a for a > −1, 1 at 0, else Φ"
        50 Cosc cosc Unary in trigonometric "(1 − cos a) ÷ a², ½ at 0"
        51 Floor floor Unary in rounding "the largest integer ≤ a"
        52 Ceil ceil Unary in rounding "the smallest integer ≥ a"
        53 Round round Unary in rounding "the integer nearest to a; halves go to even"
        54 Remainder remainder Binary in rounding "a − b·⌊a ÷ b⌋, Φ for b = 0"
        55 ClipMin clip_min Binary in order "a, or b where that is larger; at a tie the gradient is a's"
        56 ClipMax clip_max Binary in order "a, or b where that is smaller; at a tie the gradient is a's"
        57 Copysign copysign Binary in order "the magnitude of a with the sign of b"
        61 Cbrt cbrt Unary in roots "∛a"
        62 Unit unit Unary in powers "1 for REAL a, else Φ: the operator a ** 0"
    }
    variadic {
        31 Sum sum in reductions "the sum of the inputs kept"
        32 Mean mean in reductions "the mean of the inputs kept"
        33 Norm norm in lengths "√Σx² over the inputs kept"
        34 Logsumexp logsumexp in reductions "ln Σeˣ over the inputs kept"
        58 Max max in reductions "the largest of the inputs kept"
        59 Min min in reductions "the smallest of the inputs kept"
        60 Prod prod in reductions "the product of the inputs kept"
    }
}
