//! Who may ask for the derivative of a gradient that is computed now: functions that are being differentiated, and
//! open tapes.
//!
//! `tr_grad` and tapes record gradients there. `backward()` cannot: `x.gradient` is a number, and what is computed
//! from it a constant. So it is refused where that would lose a derivative in silence: in a function, if the root
//! depends on what was there before the function was called, as its arguments were; in other threads, which the
//! function may have work done by, if the root depends on its arguments; and where a tape is open, which may be asked
//! for anything.

use crate::arena::{self, Arena, NodeRef};
use crate::callbacks;
use crate::errors::runtime_error;
use crate::operand::{Operand, operand};
use crate::values::TRNode;
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroproof::Error;

/// How many tapes are open, in all threads.
static TAPES: AtomicUsize = AtomicUsize::new(0);

/// How many calls of functions to be differentiated last, in all threads.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// What this thread differentiates.
#[derive(Clone, Copy)]
struct Functions {
    /// How many functions it is in.
    depth: usize,
    /// The newest leaf that was made for one of them. Whoever calls the function keeps it.
    newest: Option<TRNode>,
    /// When the function was called that this was made for.
    called: u64,
}

thread_local! {
    static FUNCTIONS: Cell<Functions> = const { Cell::new(Functions { depth: 0, newest: None, called: 0 }) };
}

/// Refuses a backward pass whose gradients may be asked for their derivative.
#[inline(always)]
pub(crate) fn check_backward(
    py: Python<'_>,
    root: TRNode,
    grad_output: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let Functions { newest, .. } = FUNCTIONS.get();
    if newest.is_none() && TAPES.load(Ordering::Relaxed) == 0 && CALLS.load(Ordering::Relaxed) == 0 {
        return Ok(());
    }
    check_closely(py, root, grad_output)
}

#[cold]
#[inline(never)]
fn check_closely(py: Python<'_>, root: TRNode, grad_output: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let (arena, handle) = arena::at(py, root.0);
    let learns = arena.graph.learns(handle);
    drop(arena);
    if !learns {
        return Ok(()); // refused by the pass itself, as everywhere
    }
    let is_in_tape = match callbacks::IN_TAPE.listener(py) {
        Some(ask) if TAPES.load(Ordering::Relaxed) > 0 => ask.call0()?.is_truthy()?,
        _ => false,
    };
    if is_in_tape {
        return Err(PyNotImplementedError::new_err(
            "backward() is not available where a gradient_tape is open: the gradients that it leaves are numbers, \
             and the tape could not differentiate what is computed from them; use tr_grad or a tape's gradient(), \
             which return nodes, or call backward() outside of the block",
        ));
    }
    let seed = match grad_output.map(operand).transpose()?.flatten() {
        Some(Operand::Node(seed)) => Some(seed),
        _ => None,
    };
    for node in [Some(root.0), seed].into_iter().flatten() {
        if may_be_differentiated(py, node).map_err(runtime_error)? {
            return Err(PyNotImplementedError::new_err(
                "backward() is not available in a function that is being differentiated, for what depends on its \
                 arguments or on other nodes from outside: the gradients that it leaves are numbers, and their own \
                 derivatives would be lost; use tr_grad inside, whose gradients are nodes, or treat what comes \
                 from outside as constants by detach()",
            ));
        }
    }
    Ok(())
}

/// Whether what is computed from the gradients of a node may be differentiated by what a function depends on: one
/// that this thread is in, or one of another thread, by its arguments.
fn may_be_differentiated(py: Python<'_>, node: NodeRef) -> Result<bool, Error> {
    let Functions { depth, newest, called } = FUNCTIONS.get();
    if let Some(newest) = newest {
        let (mut arena, node, newest) = arena::apart(py, node, newest.0);
        let Arena { graph, scratch } = &mut *arena;
        if graph.depends_on_older_than(node, newest, called, scratch)? {
            return Ok(true);
        }
    }
    if CALLS.load(Ordering::Relaxed) == depth {
        return Ok(false);
    }
    let (mut arena, node) = arena::at(py, node);
    let Arena { graph, scratch } = &mut *arena;
    graph.depends_on_argument(node, scratch)
}

/// Whether the caller is in a function that is being differentiated: a gradient that is computed there may depend on
/// its arguments.
#[pyfunction]
fn is_differentiating() -> bool {
    FUNCTIONS.get().depth > 0
}

/// A call of a function to be differentiated by these leaves, which other threads see until it is over.
struct Call<'py> {
    py: Python<'py>,
    leaves: Vec<TRNode>,
}

impl<'py> Call<'py> {
    fn begin(py: Python<'py>, leaves: Vec<TRNode>) -> Self {
        let call = Self { py, leaves };
        call.mark(true);
        CALLS.fetch_add(1, Ordering::Relaxed);
        call
    }

    fn mark(&self, lasts: bool) {
        for leaf in &self.leaves {
            let (mut arena, leaf) = arena::at(self.py, leaf.0);
            arena.graph.set_argument(leaf, lasts);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::Relaxed);
        self.mark(false);
    }
}

/// Calls a function that is to be differentiated by ``leaves``, in the order in which they were made.
#[pyfunction]
#[pyo3(signature = (function, args, keywords, leaves, /))]
fn call_differentiated<'py>(
    function: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    keywords: &Bound<'py, PyDict>,
    leaves: Vec<TRNode>,
) -> PyResult<Bound<'py, PyAny>> {
    let before = FUNCTIONS.get();
    let depth = before.depth + 1;
    FUNCTIONS.set(match leaves.last() {
        Some(&newest) => Functions { depth, newest: Some(newest), called: arena::call_time() },
        None => Functions { depth, ..before },
    });
    let call = Call::begin(function.py(), leaves);
    let result = function.call(args, Some(keywords));
    drop(call);
    FUNCTIONS.set(before);
    result
}

/// Counts one open tape more.
#[pyfunction]
fn begin_tape() {
    TAPES.fetch_add(1, Ordering::Relaxed);
}

/// Counts one open tape less.
#[pyfunction]
fn end_tape() {
    TAPES.fetch_sub(1, Ordering::Relaxed);
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(is_differentiating, module)?,
        wrap_pyfunction!(call_differentiated, module)?,
        wrap_pyfunction!(begin_tape, module)?,
        wrap_pyfunction!(end_tape, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
