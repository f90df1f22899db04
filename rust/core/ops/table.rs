//! What becomes of the rows of the op table.

/// The two forms of an entry: `fast`, with a flag that says whether it holds, and `full`, which always
/// does.
macro_rules! entry {
    (($($p:pat => $of:ty),*) -> $result:ty = $fast:expr) => {
        #[inline(always)]
        pub fn fast($($p: $of),*) -> ($result, bool) { ($fast, true) }
        #[inline(always)]
        pub fn full($($p: $of),*) -> $result { $fast }
    };
    (($($p:pat => $of:ty),*) -> $result:ty = $fast:expr, else $slow:expr) => {
        #[inline(always)]
        pub fn fast($($p: $of),*) -> ($result, bool) { $fast }
        #[inline(always)]
        pub fn full($($p: $of),*) -> $result {
            let (result, holds) = $fast;
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
                partials $partials:literal;
                because $reason:literal;
                value($($v:pat),*) = $value:expr $(, else $slow_value:expr)?;
                classical($($c:pat),*) = $classical:expr $(, else $slow_classical:expr)?;
                $(
                    $bounded_rule:ident($($s:pat),*) = $bounded:expr, else $slow_bounded:expr;
                    $pole_rule:ident($($p:pat),*) = $pole:expr, $distance:literal, $limit:literal;
                )?
            }
        )* }
        variadic { $(
            $many:ident $many_name:ident $many_formula:literal {
                partials $many_partials:literal;
                because $many_reason:literal;
                value($fold_kept:pat) = $fold:expr;
                shared($shared_kept:pat, $shared_z:pat) = $shared:expr;
                share($share_g:pat, $share_x:pat, $share_s:pat) = $share:expr $(, else $slow_share:expr)?;
            }
        )* }
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
                    entry! { ($($v => f64),*) -> f64 = $value $(, else $slow_value)? }
                }
                pub mod classical {
                    #![allow(unused_imports, unused_variables, reason = "one of two forms may not need them")]
                    use super::*;
                    entry! { ($($c => f64),*) -> [f64; 2] = $classical $(, else $slow_classical)? }
                }
                $(
                    pub mod $bounded_rule {
                        #![allow(unused_variables, reason = "likewise")]
                        use super::*;
                        entry! { ($($s => f64),*) -> [f64; 2] = $bounded, else $slow_bounded }
                    }
                    #[inline(always)]
                    pub fn $pole_rule($($p: f64),*) -> Option<f64> { $pole }
                )?
            })*
            $(pub(super) mod $many_name {
                #[allow(unused_imports, reason = "each row uses what it needs")]
                use super::super::*;
                #[inline(always)]
                pub fn value($fold_kept: impl Iterator<Item = f64> + Clone) -> f64 { $fold }
                #[inline(always)]
                pub fn shared($shared_kept: impl Iterator<Item = f64> + Clone, $shared_z: f64) -> [f64; 2] {
                    $shared
                }
                pub mod share {
                    #[allow(unused_imports, reason = "likewise")]
                    use super::*;
                    entry! {
                        ($share_g => f64, $share_x => f64, $share_s => [f64; 2]) -> f64 = $share $(, else $slow_share)?
                    }
                }
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

            /// What an adjoint ḡ comes to at each operand, for documentation; nothing for a leaf.
            pub const fn partials(self) -> &'static str {
                match self {
                    $(Op::$leaf => "",)*
                    $(Op::$op => $partials,)*
                    $(Op::$many => $many_partials,)*
                }
            }

            /// Why values and partials are what they are at the edges, for documentation.
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Op::$leaf => "",)*
                    $(Op::$op => $reason,)*
                    $(Op::$many => $many_reason,)*
                }
            }

            /// Of an op that may be singular, the distance to the pole and the bounded contributions, for
            /// documentation.
            pub const fn singular(self) -> Option<(&'static str, &'static str)> {
                match self {
                    $($(Op::$op => Some(($distance, $limit)),)?)*
                    _ => None,
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

            /// The fast form of [`value`](Self::value), and whether it holds.
            #[inline(always)]
            pub(crate) fn value_fast(self, a: f64, b: f64) -> (f64, bool) {
                match self {
                    $(Op::$op => row::$name::value::fast(a, b),)*
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

            /// The fast form of [`classical`](Self::classical), and whether it holds.
            #[inline(always)]
            pub(crate) fn classical_fast(self, g: f64, a: f64, b: f64, z: f64) -> ([f64; 2], bool) {
                match self {
                    $(Op::$op => row::$name::classical::fast(g, a, b, z),)*
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

            /// The fast form of [`bounded`](Self::bounded), and whether it holds.
            #[inline(always)]
            pub(crate) fn bounded_fast(self, g: f64, a: f64, b: f64, z: f64, s: f64) -> ([f64; 2], bool) {
                match self {
                    $($(Op::$op => row::$name::$bounded_rule::fast(g, a, b, z, s),)?)*
                    _ => ([0.0; 2], true),
                }
            }

            /// A number whose magnitude is the distance to the op's pole, not finite where no REAL operand
            /// has one; `None` if the op has no pole.
            #[inline(always)]
            pub fn pole(self, a: f64, b: f64) -> Option<f64> {
                match self {
                    $($(Op::$op => row::$name::$pole_rule(a, b),)?)*
                    _ => None,
                }
            }

            /// The value of a variadic op over the inputs that it keeps; NaN for any other op.
            #[inline(always)]
            pub fn fold(self, kept: impl Iterator<Item = f64> + Clone) -> f64 {
                match self {
                    $(Op::$many => row::$many_name::value(kept),)*
                    _ => f64::NAN,
                }
            }

            /// What the shares of all inputs of a variadic op have in common, given the inputs kept and the
            /// value.
            #[inline(always)]
            pub fn shared(self, kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
                match self {
                    $(Op::$many => row::$many_name::shared(kept, z),)*
                    _ => [0.0; 2],
                }
            }

            /// The contribution of a variadic op to a kept input `x`.
            #[inline(always)]
            pub fn share(self, g: f64, x: f64, shared: [f64; 2]) -> f64 {
                match self {
                    $(Op::$many => row::$many_name::share::full(g, x, shared),)*
                    _ => 0.0,
                }
            }

            /// The fast form of [`share`](Self::share), and whether it holds.
            #[inline(always)]
            pub(crate) fn share_fast(self, g: f64, x: f64, shared: [f64; 2]) -> (f64, bool) {
                match self {
                    $(Op::$many => row::$many_name::share::fast(g, x, shared),)*
                    _ => (0.0, true),
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

        /// Invokes a macro with one `(Variant, name, "formula")` per variadic op.
        #[macro_export]
        macro_rules! for_each_variadic_op {
            ($d callback:ident) => {
                $d callback! { $(($many, $many_name, $many_formula))* }
            };
        }
    };
}
