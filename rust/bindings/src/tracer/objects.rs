//! What a traced function sees, and the recording behind it.

use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroproof::batch::{NodeId, Program};

/// A program under construction.
///
/// Args:
///     arguments: for each argument of the function its name, the shape of what one sample sees and
///         whether every sample has its own.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct Trace(pub Mutex<Option<Recording>>);

/// What a trace has so far: a program, and by node the place in the traced function.
pub(crate) struct Recording {
    pub program: Program,
    pub places: Vec<u32>,
}

impl Trace {
    /// The recording, `None` once the trace has ended.
    pub fn lock(&self) -> MutexGuard<'_, Option<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One number of every sample, while a function is traced for ``tr_vmap``.
///
/// It takes the place of a ``TRNode``: operators and the ``tr_`` functions record what is to be
/// computed. It has no value yet, so whatever asks for one raises TypeError.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct Tracer {
    pub trace: Py<Trace>,
    pub node: NodeId,
}

/// One decision for every sample, while a function is traced for ``tr_vmap``.
///
/// Conditions such as ``tr_less`` make it of tracers, and ``tr_where`` uses it. ``&``, ``|`` and ``~``
/// combine conditions, as ``tr_and``, ``tr_or`` and ``tr_not`` do.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct TracedCondition {
    pub trace: Py<Trace>,
    pub node: NodeId,
}

/// Whether it is a tracer or a traced condition.
pub(crate) fn is_traced(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<Tracer>() || object.is_instance_of::<TracedCondition>()
}

/// Why a tracer cannot answer.
pub(crate) const UNKNOWN: &str = "is not known: the function is traced once and replayed on all samples, so \
                                  its course cannot depend on one sample's value. Choose with tr_where, \
                                  tr_minimum or tr_maximum";
