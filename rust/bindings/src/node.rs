//! `TRNode`: a Python handle on a node of the arena.

use crate::arena;
use crate::context;
use crate::enums;
use crate::number::{Operand, exponent, expect_number, expect_operand, operand};
use crate::scalar::{TRScalar, compare, format, no_modulus, text};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use zeroproof::graph::{Graph, Handle};
use zeroproof::{Op, Status, TrScalar};

/// A node of the computation graph: a TR value and how it was computed.
///
/// Make leaves with ``TRNode.parameter``, ``TRNode.input`` and ``TRNode.constant``; operators and
/// the functions of ``tr_ops_grad`` make the others. An operation none of whose inputs needs a
/// gradient gives a constant. Nodes compare by value and hash by identity, as tensors do. Nodes may
/// be used and dropped from any thread.
///
/// A leaf pickles and copies as its value, kind and name, without its gradient; other nodes refuse
/// and name ``detach()``.
#[pyclass(frozen, name = "TRNode", module = "zeroproof.autodiff.tr_node")]
pub(crate) struct TRNode(Handle);

impl TRNode {
    #[inline(always)]
    pub(crate) fn handle(&self) -> Handle {
        self.0
    }

    fn read<R>(&self, py: Python<'_>, f: impl FnOnce(&mut Graph, Handle) -> R) -> R {
        arena::with(py, |arena| f(&mut arena.graph, self.0))
    }

    fn tr_value(&self, py: Python<'_>) -> TrScalar {
        self.read(py, |graph, node| graph.value(node))
    }
}

impl Drop for TRNode {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: a node lives inside a Python object, whose deallocation holds the GIL, or on the
        // stack of a function that made it and has not given the GIL up.
        let py = unsafe { Python::assume_attached() };
        arena::with(py, |arena| arena.graph.release(self.0));
    }
}

/// Records an op of two operands, at least one of them a node.
#[inline(always)]
pub(crate) fn record_binary(py: Python<'_>, op: Op, a: Operand, b: Operand) -> TRNode {
    TRNode(arena::with(py, |arena| match (a, b) {
        (Operand::Node(a), Operand::Node(b)) => arena.graph.binary(op, a, b),
        (Operand::Node(a), Operand::Value(b)) => arena.graph.binary_with_constant(op, a, b),
        (Operand::Value(a), Operand::Node(b)) => arena.graph.constant_with_binary(op, a, b),
        (Operand::Value(a), Operand::Value(b)) => {
            arena.graph.leaf(Op::Constant, op.value(a, b), None)
        }
    }))
}

/// Records an op of one operand; `n` is the exponent of a power.
#[inline(always)]
pub(crate) fn record_unary(py: Python<'_>, op: Op, a: Operand, n: i32) -> TRNode {
    TRNode(arena::with(py, |arena| match a {
        Operand::Node(a) if op == Op::PowInt => arena.graph.pow_int(a, n),
        Operand::Node(a) => arena.graph.unary(op, a),
        Operand::Value(a) => arena.graph.leaf(Op::Constant, op.value(a, f64::from(n)), None),
    }))
}

/// Records a sum or mean over operands.
pub(crate) fn record_reduction(
    values: &Bound<'_, PyAny>,
    op: Op,
    mode: zeroproof::Reduction,
) -> PyResult<TRNode> {
    // The objects are kept until the node is recorded: an iterator may be their only owner.
    let objects: Vec<_> = values.try_iter()?.collect::<PyResult<_>>()?;
    let operands: Vec<_> = objects.iter().map(expect_operand).collect::<PyResult<_>>()?;
    Ok(TRNode(arena::with(values.py(), |arena| {
        let graph = &mut arena.graph;
        let handles: Vec<_> = operands
            .iter()
            .map(|operand| match *operand {
                Operand::Node(handle) => {
                    graph.retain(handle);
                    handle
                }
                Operand::Value(value) => graph.leaf(Op::Constant, value, None),
            })
            .collect();
        let node = graph.reduce(op, mode, &handles);
        handles.into_iter().for_each(|handle| graph.release(handle));
        node
    })))
}

/// `op(this, other)`, or `NotImplemented` for what is no operand.
#[inline(always)]
fn forward<'py>(op: Op, this: &TRNode, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = other.py();
    match operand(other)? {
        Some(b) => new_node(py, record_binary(py, op, Operand::Node(this.0), b)),
        None => Ok(py.NotImplemented().into_bound(py)),
    }
}

/// `op(other, this)`, or `NotImplemented` for what is no operand.
#[inline(always)]
fn reflected<'py>(op: Op, this: &TRNode, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = other.py();
    match operand(other)? {
        Some(a) => new_node(py, record_binary(py, op, a, Operand::Node(this.0))),
        None => Ok(py.NotImplemented().into_bound(py)),
    }
}

#[inline(always)]
fn new_node(py: Python<'_>, node: TRNode) -> PyResult<Bound<'_, PyAny>> {
    Ok(Bound::new(py, node)?.into_any())
}

/// A leaf from anything that has a value.
fn leaf(py: Python<'_>, op: Op, value: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<TRNode> {
    let value = match expect_operand(value)? {
        Operand::Value(value) => value,
        Operand::Node(handle) => arena::with(py, |arena| arena.graph.value(handle).to_ieee()),
    };
    Ok(TRNode(arena::with(py, |arena| arena.graph.leaf(op, value, name))))
}

#[pymethods]
impl TRNode {
    /// A value to learn: ``backward()`` accumulates its gradient.
    ///
    /// Args:
    ///     value: a TRScalar, a number, or a node whose value is taken.
    ///     name: shown by ``repr``.
    #[staticmethod]
    #[pyo3(signature = (value, name=None))]
    fn parameter(py: Python<'_>, value: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Self> {
        leaf(py, Op::Parameter, value, name)
    }

    /// A value that no gradient flows to.
    #[staticmethod]
    fn constant(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        leaf(py, Op::Constant, value, None)
    }

    /// A coordinate: a given value that gradients may be asked for, and whose neighbourhood
    /// exploration regions refer to.
    #[staticmethod]
    #[pyo3(signature = (value, name=None))]
    fn input(py: Python<'_>, value: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Self> {
        leaf(py, Op::Input, value, name)
    }

    /// The TR value.
    #[getter]
    fn value(&self, py: Python<'_>) -> TRScalar {
        TRScalar(self.tr_value(py))
    }

    /// The class of the value.
    #[getter]
    fn tag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        enums::tag(py, self.tr_value(py).tag())
    }

    /// The gradient as a TRScalar: accumulated over backward passes for a parameter or input, the
    /// adjoint of the last pass for any other node, None before the first.
    #[getter]
    fn gradient(&self, py: Python<'_>) -> Option<TRScalar> {
        self.read(py, |graph, node| graph.gradient(node)).map(|(gradient, _)| TRScalar(gradient))
    }

    /// How the gradient came about, as GradientStatus flags; EXACT (0) also before any backward.
    #[getter]
    fn gradient_status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = self.read(py, |graph, node| graph.gradient(node)).map(|(_, status)| status);
        enums::status(py, status.unwrap_or(Status::EXACT))
    }

    /// Whether gradients flow to the node.
    #[getter]
    fn requires_grad(&self, py: Python<'_>) -> bool {
        self.read(py, |graph, node| graph.requires_grad(node))
    }

    /// Whether the node was made from a value and not by an operation.
    #[getter]
    fn is_leaf(&self, py: Python<'_>) -> bool {
        self.read(py, |graph, node| graph.op(node)).arity() == zeroproof::ops::Arity::Leaf
    }

    /// The name given to a parameter or input.
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<String> {
        self.read(py, |graph, node| graph.name(node).map(Into::into))
    }

    /// The operation that made the node, an OpType.
    #[getter]
    fn op<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        enums::op(py, self.read(py, |graph, node| graph.op(node)))
    }

    /// The operands, a tuple of nodes; empty for a leaf.
    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let inputs = self.read(py, |graph, node| graph.inputs(node));
        let nodes: Vec<_> = inputs.into_iter().map(|h| Bound::new(py, TRNode(h))).collect::<Result<_, _>>()?;
        PyTuple::new(py, nodes)
    }

    /// Differentiates this node, in the gradient mode in force, and adds to the gradient of every
    /// parameter and input it depends on.
    ///
    /// Args:
    ///     grad_output: the adjoint of this node, 1 unless given.
    ///
    /// Raises:
    ///     RuntimeError: if it depends on no parameter.
    #[pyo3(signature = (grad_output=None))]
    pub(crate) fn backward(&self, py: Python<'_>, grad_output: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(py, g))?;
        context::run_pass(py, |arena, state, statistics| {
            arena.graph.backward(self.0, seed, state, statistics, &mut arena.scratch)
        })?
        .map_err(runtime_error)
    }

    /// Sets the gradient to REAL 0.
    fn zero_grad(&self, py: Python<'_>) {
        self.read(py, |graph, node| graph.zero_gradient(node));
    }

    /// A constant of the same value.
    fn detach(&self, py: Python<'_>) -> Self {
        Self(self.read(py, |graph, node| {
            let value = graph.value(node).to_ieee();
            graph.leaf(Op::Constant, value, None)
        }))
    }

    // NumPy numbers on the left leave the operation to this class.
    #[classattr]
    fn __array_ufunc__() -> Option<bool> {
        None
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        forward(Op::Add, self, other)
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(Op::Add, self, other)
    }

    fn __sub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        forward(Op::Sub, self, other)
    }

    fn __rsub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(Op::Sub, self, other)
    }

    fn __mul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        forward(Op::Mul, self, other)
    }

    fn __rmul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(Op::Mul, self, other)
    }

    fn __truediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        forward(Op::Div, self, other)
    }

    fn __rtruediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(Op::Div, self, other)
    }

    fn __neg__(&self, py: Python<'_>) -> Self {
        record_unary(py, Op::Neg, Operand::Node(self.0), 0)
    }

    fn __pos__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __abs__(&self, py: Python<'_>) -> Self {
        record_unary(py, Op::Abs, Operand::Node(self.0), 0)
    }

    fn __pow__(&self, n: &Bound<'_, PyAny>, modulus: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        no_modulus(modulus)?;
        Ok(record_unary(n.py(), Op::PowInt, Operand::Node(self.0), exponent(n)?))
    }

    fn __bool__(&self, py: Python<'_>) -> bool {
        self.tr_value(py).is_truthy()
    }

    fn __float__(&self, py: Python<'_>) -> f64 {
        self.tr_value(py).to_ieee()
    }

    fn __hash__(&self) -> u64 {
        u64::from(self.0.id())
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        let other = match operand(other)? {
            Some(Operand::Node(handle)) => Some(arena::with(py, |arena| arena.graph.value(handle).to_ieee())),
            Some(Operand::Value(value)) => Some(value),
            None => None,
        };
        compare(self.tr_value(py), other, op, py)
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        self.__repr__(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (value, op, gradient, name) = self.read(py, |graph, node| {
            (graph.value(node), graph.op(node), graph.gradient(node), graph.name(node).map(str::to_owned))
        });
        let tag = enums::tag(py, value.tag())?.getattr("name")?;
        let name = name.map_or(String::new(), |name| format!(", name={name:?}"));
        let gradient = match gradient {
            None => String::new(),
            Some((gradient, Status::EXACT)) => format!(", gradient={}", text(gradient, py)?),
            Some((gradient, status)) => format!(", gradient={} [{status:?}]", text(gradient, py)?),
        };
        Ok(format!("TRNode({}, {tag}{name}, op={}{gradient})", text(value, py)?, op.name()))
    }

    fn __format__(&self, py: Python<'_>, spec: &str) -> PyResult<String> {
        if spec.is_empty() { self.__repr__(py) } else { format(self.tr_value(py), spec, py) }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let (value, op, name) = slf.get().read(py, |graph, node| {
            (graph.value(node), graph.op(node), graph.name(node).map(str::to_owned))
        });
        let make = match op {
            Op::Constant | Op::Parameter | Op::Input => slf.get_type().getattr(op.name())?,
            _ => {
                return Err(PyTypeError::new_err(
                    "only leaves can be pickled or copied, since a copy has no graph; call detach() for a \
                     constant of the same value",
                ));
            }
        };
        let value = Bound::new(py, TRScalar(value))?.into_any();
        let arguments = match name {
            Some(name) => PyTuple::new(py, [value, name.into_pyobject(py)?.into_any()])?,
            None => PyTuple::new(py, [value])?,
        };
        PyTuple::new(py, [make, arguments.into_any()])
    }
}

/// A root adjoint: a number, a TR scalar or the value of a node.
fn seed(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<TrScalar> {
    Ok(match expect_operand(object)? {
        Operand::Value(value) => value.into(),
        Operand::Node(handle) => arena::with(py, |arena| arena.graph.value(handle)),
    })
}

fn runtime_error(error: zeroproof::Error) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The gradients of `target` with respect to `sources`: a list with (gradient, status) or None for
/// a source that no path leads to. No node's own gradient changes.
#[pyfunction]
fn gradients_of<'py>(
    target: &Bound<'py, TRNode>,
    sources: Vec<Bound<'py, TRNode>>,
    grad_output: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = target.py();
    let seed = grad_output.map_or(Ok(1.0.into()), |g| seed(py, g))?;
    let handles: Vec<_> = sources.iter().map(|source| source.get().handle()).collect();
    let mut found = vec![];
    context::run_pass(py, |arena, state, statistics| {
        let scratch = &mut arena.scratch;
        let (gradients, counts) =
            arena.graph.gradients_of(target.get().handle(), seed, &handles, state, statistics, scratch);
        found = gradients;
        Ok(counts)
    })?
    .map_err(runtime_error)?;
    gradient_list(py, found)
}

/// What a node passes to each input for an adjoint: a list of (contribution, status).
#[pyfunction]
fn input_gradients<'py>(
    node: &Bound<'py, TRNode>,
    grad_output: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = node.py();
    let seed = seed(py, grad_output)?;
    let found = context::read(py, |arena, state, statistics| {
        arena.graph.contributions(node.get().handle(), seed, state, statistics)
    })?;
    gradient_list(py, found.into_iter().map(Some).collect())
}

fn gradient_list(
    py: Python<'_>,
    gradients: Vec<Option<(TrScalar, Status)>>,
) -> PyResult<Bound<'_, PyList>> {
    let items = gradients.into_iter().map(|found| {
        found.map(|(gradient, status)| Ok((TRScalar(gradient), enums::status(py, status)?))).transpose()
    });
    let items: Vec<Option<(TRScalar, Bound<'_, PyAny>)>> = items.collect::<PyResult<_>>()?;
    PyList::new(py, items)
}

/// The nodes that gradients flow through below `root`, root first, in reverse of recording.
#[pyfunction]
fn topological_order<'py>(root: &Bound<'py, TRNode>) -> PyResult<Bound<'py, PyList>> {
    let py = root.py();
    let handle = root.get().handle();
    let order = arena::with(py, |arena| arena.graph.topological_order(handle, &mut arena.scratch));
    let nodes: Vec<_> = order.into_iter().map(|h| Bound::new(py, TRNode(h))).collect::<Result<_, _>>()?;
    PyList::new(py, nodes)
}

/// Lets gradients flow to a constant in what is recorded from now on, or stops it; True if that
/// changed anything.
#[pyfunction]
fn watch(node: &Bound<'_, TRNode>, on: bool) -> bool {
    arena::with(node.py(), |arena| arena.graph.watch(node.get().handle(), on))
}

/// How many nodes are alive and how many bytes the arena occupies, after reclaiming all others.
#[pyfunction]
fn arena_usage(py: Python<'_>) -> (usize, usize) {
    arena::with(py, |arena| {
        arena.graph.collect();
        (arena.graph.len(), arena.graph.allocated_bytes())
    })
}

/// The bounded contributions of a singular op to its operands, by the rule that backward uses.
#[pyfunction]
fn saturating_contributions(
    op: &str,
    grad_output: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    bound: f64,
) -> PyResult<(TRScalar, TRScalar)> {
    let op = Op::ALL.iter().find(|known| known.name() == op);
    let op = *op.ok_or_else(|| PyTypeError::new_err("not an op of the table"))?;
    let [g, a, b] = [expect_number(grad_output)?, expect_number(a)?, expect_number(b)?];
    let [to_a, to_b] = zeroproof::rules::saturating_contributions(op, g, a, b, bound);
    Ok((to_a.into(), to_b.into()))
}

/// `sign(y)/√(y² + b²)`, 0 at 0 and for ±∞ and Φ.
#[pyfunction]
fn saturating_reciprocal(y: &Bound<'_, PyAny>, bound: f64) -> PyResult<TRScalar> {
    Ok(zeroproof::rules::recip(expect_number(y)?, bound).into())
}

/// `x/(|x| + b)`, ±1 for ±∞ and 0 for Φ.
#[pyfunction]
fn saturate_value(x: &Bound<'_, PyAny>, bound: f64) -> PyResult<TRScalar> {
    Ok(zeroproof::rules::saturate(expect_number(x)?, bound).into())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TRNode>()?;
    for function in [
        wrap_pyfunction!(gradients_of, module)?,
        wrap_pyfunction!(input_gradients, module)?,
        wrap_pyfunction!(topological_order, module)?,
        wrap_pyfunction!(watch, module)?,
        wrap_pyfunction!(arena_usage, module)?,
        wrap_pyfunction!(saturating_contributions, module)?,
        wrap_pyfunction!(saturating_reciprocal, module)?,
        wrap_pyfunction!(saturate_value, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
