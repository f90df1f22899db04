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
mod operators;
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
use std::ops::DerefMut;
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
/// `+ − × ÷`, `+= −= ×= ÷=` and negation work on variables, references to them and doubles. A variable of one tape
/// cannot meet one of another: that panics. An iterator of variables is added up by [`Tape::sum`]: an empty one
/// has no tape, so there is no [`Sum`](std::iter::Sum).
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
}

/// What passes work in, one for each thread.
fn with_scratch<R>(pass: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());
    SCRATCH.with_borrow_mut(pass)
}
