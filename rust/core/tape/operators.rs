//! What variables are computed with: a method per row of the op table, and the operators of the language.

use super::{Arena, Var};
use crate::graph::Handle;
use crate::op::Op;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// What stands on a side of an operator. An owned variable is given up, and its handle serves the
/// result.
enum Operand<'a, 't, A: Arena> {
    Lent(&'a Var<'t, A>),
    Owned(Var<'t, A>),
    Constant(f64),
}

impl<'t, A: Arena> Operand<'_, 't, A> {
    #[inline(always)]
    fn var(&self) -> Option<&Var<'t, A>> {
        match self {
            Self::Lent(var) => Some(var),
            Self::Owned(var) => Some(var),
            Self::Constant(_) => None,
        }
    }
}

impl<'t, A: Arena> Var<'t, A> {
    /// The handle of a variable that is given up.
    #[inline(always)]
    fn into_handle(self) -> Handle {
        let handle = self.handle;
        std::mem::forget(self);
        handle
    }

    #[inline(always)]
    fn binary(op: Op, a: Operand<'_, 't, A>, b: Operand<'_, 't, A>) -> Self {
        use Operand::{Constant, Lent, Owned};
        let tape = match (&a, &b) {
            (Lent(v), _) | (_, Lent(v)) => v.tape,
            (Owned(v), _) | (_, Owned(v)) => v.tape,
            (Constant(_), Constant(_)) => unreachable!("an operator has a variable"),
        };
        [&a, &b].into_iter().filter_map(Operand::var).for_each(|v| v.assert_on(tape));
        let recorded = match (a, b) {
            (Lent(a), Lent(b)) => tape.graph().binary_taking(op, a.handle, b.handle, None),
            (Owned(a), Lent(b)) => {
                let a = a.into_handle();
                tape.graph().binary_taking(op, a, b.handle, Some(a))
            }
            (Lent(a), Owned(b)) => {
                let b = b.into_handle();
                tape.graph().binary_taking(op, a.handle, b, Some(b))
            }
            (Owned(a), Owned(b)) => {
                let (a, b) = (a.into_handle(), b.into_handle());
                let mut graph = tape.graph();
                let result = graph.binary_taking(op, a, b, Some(a));
                graph.release(b);
                result
            }
            (Lent(a), Constant(b)) => tape.graph().binary_with_constant(op, a.handle, b, None),
            (Owned(a), Constant(b)) => {
                let a = a.into_handle();
                tape.graph().binary_with_constant(op, a, b, Some(a))
            }
            (Constant(a), Lent(b)) => tape.graph().constant_with_binary(op, a, b.handle, None),
            (Constant(a), Owned(b)) => {
                let b = b.into_handle();
                tape.graph().constant_with_binary(op, a, b, Some(b))
            }
            (Constant(_), Constant(_)) => unreachable!("an operator has a variable"),
        };
        tape.var(recorded.handle)
    }
}

/// One method per elementwise row of the op table.
macro_rules! methods {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        impl<A: Arena> Var<'_, A> {
            $(methods! { @$arity $op $name $formula })*
        }
    };
    (@Unary $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        #[inline(always)]
        #[allow(clippy::should_implement_trait, reason = "the operators are implemented too")]
        pub fn $name(&self) -> Self {
            self.tape.var(self.tape.graph().unary(Op::$op, self.handle))
        }
    };
    (@Binary $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        #[inline(always)]
        #[allow(clippy::should_implement_trait, reason = "the operators are implemented too")]
        pub fn $name(&self, other: &Self) -> Self {
            Var::binary(Op::$op, Operand::Lent(self), Operand::Lent(other))
        }
    };
    (@Power $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        #[inline(always)]
        pub fn $name(&self, n: i32) -> Self {
            self.tape.var(self.tape.graph().$name(self.handle, n))
        }
    };
}
for_each_elementwise_op! { methods }

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        operators! { @pair [$trait $method $op] (Var<'t, A>, Owned) (Var<'t, A>, Owned) }
        operators! { @pair [$trait $method $op] (Var<'t, A>, Owned) (&Var<'t, A>, Lent) }
        operators! { @pair [$trait $method $op] (Var<'t, A>, Owned) (f64, Constant) }
        operators! { @pair [$trait $method $op] (&Var<'t, A>, Lent) (Var<'t, A>, Owned) }
        operators! { @pair [$trait $method $op] (&Var<'t, A>, Lent) (&Var<'t, A>, Lent) }
        operators! { @pair [$trait $method $op] (&Var<'t, A>, Lent) (f64, Constant) }
        operators! { @pair [$trait $method $op] (f64, Constant) (Var<'t, A>, Owned) }
        operators! { @pair [$trait $method $op] (f64, Constant) (&Var<'t, A>, Lent) }
    )*};
    (@pair [$trait:ident $method:ident $op:ident] ($left:ty, $a:ident) ($right:ty, $b:ident)) => {
        impl<'t, A: Arena> $trait<$right> for $left {
            type Output = Var<'t, A>;
            #[inline(always)]
            fn $method(self, other: $right) -> Var<'t, A> {
                Var::binary(Op::$op, Operand::$a(self), Operand::$b(other))
            }
        }
    };
}
operators! { Add add Add; Sub sub Sub; Mul mul Mul; Div div Div; }

macro_rules! assigning_operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        assigning_operators! { @pair [$trait $method $op] (Var<'t, A>, Owned) }
        assigning_operators! { @pair [$trait $method $op] (&Var<'t, A>, Lent) }
        assigning_operators! { @pair [$trait $method $op] (f64, Constant) }
    )*};
    (@pair [$trait:ident $method:ident $op:ident] ($right:ty, $b:ident)) => {
        /// The variable becomes another one, the result; what was recorded from it stays as it is.
        impl<'t, A: Arena> $trait<$right> for Var<'t, A> {
            #[inline(always)]
            fn $method(&mut self, other: $right) {
                *self = Var::binary(Op::$op, Operand::Lent(self), Operand::$b(other));
            }
        }
    };
}
assigning_operators! {
    AddAssign add_assign Add; SubAssign sub_assign Sub; MulAssign mul_assign Mul; DivAssign div_assign Div;
}

impl<A: Arena> Var<'_, A> {
    /// A power with an integer exponent, as `f64` calls it: [`pow_int`](Self::pow_int).
    #[inline(always)]
    pub fn powi(&self, n: i32) -> Self {
        self.pow_int(n)
    }

    /// A power with a real exponent, as `f64` calls it: [`pow`](Self::pow) with a constant.
    ///
    /// ```
    /// let tape = zeroproof::Tape::new();
    /// let x = tape.parameter(4.0);
    /// let y = x.powf(1.5) + x.powi(-1);
    /// y.backward()?;
    /// assert_eq!(y.value().to_ieee(), 8.25);
    /// assert_eq!(x.gradient().unwrap().to_ieee(), 1.5 * 2.0 - 1.0 / 16.0);
    /// # Ok::<(), zeroproof::Error>(())
    /// ```
    #[inline(always)]
    pub fn powf(&self, exponent: f64) -> Self {
        Var::binary(Op::Pow, Operand::Lent(self), Operand::Constant(exponent))
    }
}

impl<'t, A: Arena> Neg for &Var<'t, A> {
    type Output = Var<'t, A>;
    fn neg(self) -> Var<'t, A> {
        Var::neg(self)
    }
}

impl<'t, A: Arena> Neg for Var<'t, A> {
    type Output = Var<'t, A>;
    fn neg(self) -> Var<'t, A> {
        Var::neg(&self)
    }
}
