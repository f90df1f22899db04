//! Recording what a traced function computes.

use super::objects::{Recording, Trace, TracedCondition, Tracer};
use crate::arena;
use crate::batch::TracedProgram;
use crate::errors::runtime_error;
use crate::operand::{Operand, expect_operand};
use crate::places::{self, NOWHERE};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::Mutex;
use zeroproof::Error;
use zeroproof::batch::{Argument, Kind, NodeId, Program};

#[pymethods]
impl Trace {
    #[new]
    fn new(arguments: Vec<(String, Vec<usize>, bool)>) -> PyResult<Self> {
        let arguments: Vec<_> = arguments
            .into_iter()
            .map(|(name, shape, per_sample)| Argument { name, shape, per_sample })
            .collect();
        let numbers = arguments.iter().map(Argument::size).fold(0, usize::saturating_add);
        if numbers >= 1 << 31 {
            return Err(PyValueError::new_err("a traced function takes fewer than 2^31 numbers"));
        }
        let program = Program::try_new(arguments).map_err(runtime_error)?;
        Ok(Self(Mutex::new(Some(Recording { program, places: vec![] }))))
    }

    /// The elements of an argument in row-major order.
    fn elements<'py>(slf: &Bound<'py, Self>, argument: usize) -> PyResult<Bound<'py, PyList>> {
        let elements = slf.get().lock().as_ref().ok_or_else(leaked)?.program.elements(argument);
        // Appended one by one, which the interpreter refuses with an error if there is no memory.
        let list = PyList::empty(slf.py());
        for node in elements {
            list.append(tracer(slf, node)?)?;
        }
        Ok(list)
    }

    /// Ends the trace; tracers that were kept are refused from now on.
    fn close(&self) {
        self.lock().take();
    }

    /// The program that computes these outputs: tracers, and nodes and TR scalars as constants.
    /// Ends the trace.
    fn finish(slf: &Bound<'_, Self>, outputs: Vec<Bound<'_, PyAny>>) -> PyResult<TracedProgram> {
        let outputs: Vec<_> = outputs.iter().map(traced).collect::<PyResult<_>>()?;
        let outputs = append(slf, &outputs)?;
        let Recording { mut program, mut places } = slf.get().lock().take().ok_or_else(leaked)?;
        program.set_outputs(outputs);
        place_rest(&mut places, program.len(), NOWHERE)?;
        Ok(TracedProgram::new(program, places))
    }
}

/// An operand of a traced operation.
pub(super) enum Traced<'a, 'py> {
    Node(&'a Bound<'py, Trace>, NodeId),
    Constant(f64),
}

/// A tracer, or what counts as a constant.
pub(super) fn traced<'a, 'py>(object: &'a Bound<'py, PyAny>) -> PyResult<Traced<'a, 'py>> {
    if let Ok(tracer) = object.cast::<Tracer>() {
        return Ok(Traced::Node(tracer.get().trace.bind(object.py()), tracer.get().node));
    }
    if object.is_instance_of::<TracedCondition>() {
        return Err(PyTypeError::new_err(
            "a condition is no number: choose between numbers with tr_where(condition, a, b)",
        ));
    }
    match expect_operand(object)? {
        Operand::Value(value) => Ok(Traced::Constant(value)),
        Operand::Node(node) => {
            let (arena, node) = arena::at(object.py(), node);
            let graph = &arena.graph;
            let constant = (!graph.requires_grad(node)).then(|| graph.value(node).to_ieee());
            drop(arena);
            constant.map(Traced::Constant).ok_or_else(|| {
                PyTypeError::new_err(
                    "a node that requires gradients cannot be a constant of a traced function: pass it as an \
                     argument, or take its value with detach()",
                )
            })
        }
    }
}

/// The error for a tracer outside the call that it belongs to.
#[cold]
fn leaked() -> PyErr {
    PyTypeError::new_err(
        "a tracer was used outside the call that it was made for: a traced function may use its arguments \
         and what it computes from them, and must not keep them for later",
    )
}

/// The trace that operands are recorded in, `None` if all are constants.
pub(super) fn common_trace<'a, 'py>(operands: &[Traced<'a, 'py>]) -> Option<&'a Bound<'py, Trace>> {
    operands.iter().find_map(|operand| if let Traced::Node(trace, _) = operand { Some(*trace) } else { None })
}

/// The nodes of operands in a trace, constants appended to it.
fn append(trace: &Bound<'_, Trace>, operands: &[Traced<'_, '_>]) -> PyResult<Vec<NodeId>> {
    let mut recording = trace.get().lock();
    let program = &mut recording.as_mut().ok_or_else(leaked)?.program;
    let node = |operand: &Traced<'_, '_>| match *operand {
        Traced::Node(home, node) if home.is(trace) => Ok(node),
        Traced::Node(..) => Err(leaked()),
        Traced::Constant(value) => program.try_push(Kind::Constant(value), &[]).map_err(runtime_error),
    };
    operands.iter().map(node).collect()
}

/// Gives the nodes that have no place yet this one.
fn place_rest(places: &mut Vec<u32>, nodes: usize, place: u32) -> PyResult<()> {
    let more = nodes.saturating_sub(places.len());
    let generous = more.max(places.len() / 8);
    let reserved = places.try_reserve(more).or_else(|_| places.try_reserve_exact(generous));
    reserved.map_err(|_| runtime_error(Error::OutOfMemory))?;
    places.resize(nodes, place);
    Ok(())
}

/// Appends a node whose operands belong to `trace`.
pub(super) fn push(trace: &Bound<'_, Trace>, kind: Kind, operands: &[Traced<'_, '_>]) -> PyResult<NodeId> {
    let place = places::here(trace.py());
    let operands = append(trace, operands)?;
    let mut recording = trace.get().lock();
    let Recording { program, places } = recording.as_mut().ok_or_else(leaked)?;
    // The place first: a node without one would take that of the next.
    place_rest(places, program.len() + 1, place)?;
    program.try_push(kind, &operands).inspect_err(|_| places.truncate(program.len())).map_err(runtime_error)
}

/// Records an operation at least one of whose operands is a tracer.
///
/// # Errors
/// `TypeError` for an operand that is neither a tracer nor a constant.
#[cold]
pub(crate) fn record<'py>(kind: Kind, operands: &[&Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    let operands: Vec<_> = operands.iter().map(|operand| traced(operand)).collect::<PyResult<_>>()?;
    let trace = common_trace(&operands).ok_or_else(|| PyTypeError::new_err("expected a tracer"))?;
    tracer(trace, push(trace, kind, &operands)?)
}

/// The tracer of a node.
pub(super) fn tracer<'py>(trace: &Bound<'py, Trace>, node: NodeId) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(trace.py(), Tracer { trace: trace.clone().unbind(), node })?.into_any())
}
