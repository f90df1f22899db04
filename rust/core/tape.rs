//! Tapes and variables: the idiomatic API over the arena.
//!
//! A [`Tape`] owns an arena; a [`Var`] is a handle on one of its nodes that knows its tape, counts
//! itself on clone and gives the node back on drop. The tape comes in two forms that differ only in
//! how the arena is shared, and the compiler knows which is which:
//!
//! * [`Tape`] belongs to one thread: its variables are neither `Send` nor `Sync`, and an operation
//!   costs no synchronization. Parallel work uses a tape per thread.
//! * [`SharedTape`] locks the arena for each operation: its variables may be used, cloned and
//!   dropped from any thread. The order of recording is the order in which threads get the lock;
//!   since a variable's operands exist before it does, every result is the same as on one thread.

mod explanation;
mod second_order;

use crate::backward::Scratch;
use crate::error::Error;
use crate::graph::{Graph, Handle};
use crate::mode::ModeState;
use crate::op::Op;
use crate::reduce::Reduction;
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::ops::{Add, DerefMut, Div, Mul, Neg, Sub};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use explanation::Explanation;
pub use second_order::Along;

/// How a tape lends its arena out.
pub trait Arena {
    /// Exclusive access to the arena for as long as the guard lives.
    type Guard<'a>: DerefMut<Target = Graph>
    where
        Self: 'a;

    /// Takes that access; nothing in this crate holds two guards at once.
    fn graph(&self) -> Self::Guard<'_>;
}

impl Arena for RefCell<Graph> {
    type Guard<'a> = RefMut<'a, Graph>;

    #[inline(always)]
    fn graph(&self) -> RefMut<'_, Graph> {
        self.borrow_mut()
    }
}

impl Arena for Mutex<Graph> {
    type Guard<'a> = MutexGuard<'a, Graph>;

    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records operations on its variables. See the [module](self) for the two forms.
///
/// ```
/// use zeroproof::Tape;
/// let tape = Tape::new();
/// let (a, b) = (tape.parameter(2.0), tape.parameter(3.0));
/// let y = &a * &b + a.sin();
/// y.backward()?;
/// assert_eq!(a.gradient().unwrap().to_ieee(), 3.0 + 2.0f64.cos());
/// # Ok::<(), zeroproof::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Tape<A = RefCell<Graph>> {
    arena: A,
}

/// A tape whose variables may be used from any thread.
pub type SharedTape = Tape<Mutex<Graph>>;

impl Tape {
    /// A tape for one thread.
    pub fn new() -> Self {
        Self::default()
    }
}

impl SharedTape {
    /// A tape for many threads.
    pub fn shared() -> Self {
        Self::default()
    }
}

impl<A: Arena> Tape<A> {
    /// A value to learn: gradients accumulate on it.
    pub fn parameter(&self, value: impl Into<TrScalar>) -> Var<'_, A> {
        self.leaf(Op::Parameter, value.into())
    }

    /// A value that no gradient flows to.
    pub fn constant(&self, value: impl Into<TrScalar>) -> Var<'_, A> {
        self.var(self.graph().constant(value.into().to_ieee()))
    }

    /// A coordinate: a given value that gradients may be asked for and exploration regions refer
    /// to.
    pub fn input(&self, value: impl Into<TrScalar>) -> Var<'_, A> {
        self.leaf(Op::Input, value.into())
    }

    fn leaf(&self, op: Op, value: TrScalar) -> Var<'_, A> {
        self.var(self.graph().leaf(op, value.to_ieee(), None))
    }

    fn reduce(&self, op: Op, inputs: &[Var<'_, A>], mode: Reduction) -> Var<'_, A> {
        inputs.iter().for_each(|v| v.assert_on(self));
        let handles: Vec<_> = inputs.iter().map(|v| v.handle).collect();
        self.var(self.graph().reduce(op, mode, &handles))
    }

    #[inline(always)]
    fn graph(&self) -> A::Guard<'_> {
        self.arena.graph()
    }

    #[inline(always)]
    fn var(&self, handle: Handle) -> Var<'_, A> {
        Var { tape: self, handle }
    }

    /// How many nodes can still be reached; reclaims all others first.
    pub fn live_nodes(&self) -> usize {
        let mut graph = self.graph();
        graph.collect();
        graph.len()
    }

    /// The bytes that the arena occupies.
    pub fn allocated_bytes(&self) -> usize {
        self.graph().allocated_bytes()
    }
}

/// One method per variadic row of the op table.
macro_rules! reductions {
    ($(($op:ident, $name:ident, $formula:literal))*) => {
        impl<A: Arena> Tape<A> {
            $(
                #[doc = $formula]
                pub fn $name(&self, inputs: &[Var<'_, A>], mode: Reduction) -> Var<'_, A> {
                    self.reduce(Op::$op, inputs, mode)
                }
            )*
        }
    };
}
for_each_variadic_op! { reductions }

/// A variable: a node of a [`Tape`].
///
/// `+ − × ÷` and negation work on variables, references to them and doubles. A variable of one tape
/// cannot meet one of another: that panics.
pub struct Var<'t, A: Arena = RefCell<Graph>> {
    tape: &'t Tape<A>,
    handle: Handle,
}

impl<A: Arena> Clone for Var<'_, A> {
    fn clone(&self) -> Self {
        self.tape.graph().retain(self.handle);
        Self { ..*self }
    }
}

impl<A: Arena> Drop for Var<'_, A> {
    #[inline(always)]
    fn drop(&mut self) {
        self.tape.graph().release(self.handle);
    }
}

impl<A: Arena> fmt::Debug for Var<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var({}, {})", self.value(), self.op().name())
    }
}

impl<'t, A: Arena> Var<'t, A> {
    /// The value.
    pub fn value(&self) -> TrScalar {
        self.tape.graph().value(self.handle)
    }

    /// The op that made it.
    pub fn op(&self) -> Op {
        self.tape.graph().op(self.handle)
    }

    /// The gradient: accumulated over passes for a parameter or input, the adjoint of the last pass
    /// for any other node, `None` before the first.
    pub fn gradient(&self) -> Option<TrScalar> {
        self.tape.graph().gradient(self.handle).map(|(gradient, _)| gradient)
    }

    /// How the gradient came about.
    pub fn status(&self) -> Status {
        self.tape.graph().status(self.handle)
    }

    /// Sets the gradient to 0.
    pub fn zero_gradient(&self) {
        self.tape.graph().zero_gradient(self.handle);
    }

    /// Assigns a value to a parameter or input, which keeps its gradient. What was recorded from it keeps
    /// the old value, and backward passes from there still add to its gradient.
    ///
    /// ```
    /// let tape = zeroproof::Tape::new();
    /// let w = tape.parameter(3.0);
    /// let y = &w * &w;
    /// w.assign(5.0)?;
    /// y.backward()?;
    /// assert_eq!((y.value().to_ieee(), w.value().to_ieee()), (9.0, 5.0));
    /// assert_eq!(w.gradient().unwrap().to_ieee(), 6.0);
    /// # Ok::<(), zeroproof::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotAssignable`] if it is no parameter or input.
    pub fn assign(&self, value: impl Into<TrScalar>) -> Result<(), Error> {
        let value = value.into().to_ieee();
        self.tape.graph().assign(self.handle, value)
    }

    /// A constant of the same value.
    pub fn detach(&self) -> Var<'t, A> {
        self.tape.constant(self.value())
    }

    /// Differentiates this variable in Mask-REAL mode.
    ///
    /// # Errors
    /// [`Error::NoParameter`] if it depends on no parameter or input.
    pub fn backward(&self) -> Result<(), Error> {
        self.backward_with(1.0, &ModeState::default(), &mut Statistics::default())
    }

    /// Differentiates this variable with the root adjoint `seed`, in the mode that `state` names,
    /// and counts into `statistics`.
    ///
    /// # Errors
    /// [`Error::NoParameter`] if it depends on no parameter or input.
    pub fn backward_with(
        &self,
        seed: impl Into<TrScalar>,
        state: &ModeState,
        statistics: &mut Statistics,
    ) -> Result<(), Error> {
        let counts = with_scratch(|scratch| {
            let graph = &mut *self.tape.graph();
            graph.backward(self.handle, seed.into(), state, Some(statistics), scratch)
        })?;
        statistics.add_pass(counts);
        Ok(())
    }

    fn assert_on<B: Arena>(&self, tape: &Tape<B>) {
        let same = std::ptr::addr_eq(self.tape, tape);
        assert!(same, "variables of different tapes meet; record both on one tape");
    }

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

/// What passes work in, one for each thread.
fn with_scratch<R>(pass: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());
    SCRATCH.with_borrow_mut(pass)
}

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
