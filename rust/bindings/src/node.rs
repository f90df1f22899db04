//! `TRNode`: a Python handle on a node of the arena.

use crate::arena;
use crate::arrays::{operator_of, with_array};
use crate::callbacks;
use crate::enums;
use crate::errors::{attribute_error, runtime_error, type_error};
use crate::gradients::{backward, nodes, objects};
use crate::number::integer_exponent;
use crate::operand::{Operand, expect_operand, operand, value_of};
use crate::origins;
use crate::raw::{Arguments, Spec, compare_slot, method, new_object, payload, property, set_functions, slot};
use crate::record::{record_binary, record_unary};
use crate::scalar::{compare, format, no_modulus, text};
use crate::values::{TRNode, TRScalar};
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple};
use pyo3::{IntoPyObjectExt, ffi};
use std::ffi::{CStr, c_int};
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{Op, Status, TrScalar};

fn read<R>(py: Python<'_>, node: TRNode, f: impl FnOnce(&mut Graph, Handle) -> R) -> R {
    let (mut arena, node) = arena::at(py, node.0);
    f(&mut arena.graph, node)
}

fn tr_value(py: Python<'_>, node: TRNode) -> TrScalar {
    read(py, node, |graph, node| graph.value(node))
}

/// The double of a constant, where Python or NumPy wants a plain number.
///
/// # Errors
/// `TypeError` for any other node: what is computed from the number would lose the gradient silently. A gradient
/// is no exception.
fn plain(py: Python<'_>, node: TRNode) -> PyResult<f64> {
    let (value, stays) = read(py, node, |graph, node| (graph.value(node), graph.must_stay_node(node)));
    if !stays {
        return Ok(value.to_ieee());
    }
    Err(PyTypeError::new_err(
        "a TRNode that requires a gradient is not turned into a number, since no gradient would flow \
         through that: compute with nodes (tr_sin(x), not math.sin(x); arrays of dtype object), or leave \
         the graph by x.value, x.item() or x.detach()",
    ))
}

/// `op(a, b)` for a number slot; `NotImplemented` if one is no operand.
#[inline(always)]
fn binary<'py>(
    py: Python<'py>,
    op: Op,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match (operand(a)?, operand(b)?) {
        (Some(a), Some(b)) => new_object(py, record_binary(py, op, a, b)?),
        _ => with_array(operator_of(op), a, b),
    }
}

/// `aⁿ` for a number slot.
fn power<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    n: &Bound<'py, PyAny>,
    modulus: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    no_modulus(modulus)?;
    match (payload::<TRNode>(a), integer_exponent(n)?) {
        (Some(base), Some(0)) => new_object(py, record_unary(py, Op::Unit, Operand::Node(base.0), 0)?),
        (Some(base), Some(n)) => new_object(py, record_unary(py, Op::PowInt, Operand::Node(base.0), n)?),
        _ => binary(py, Op::Pow, a, n),
    }
}

fn unary<'py>(py: Python<'py>, op: Op, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    new_object(py, record_unary(py, op, expect_operand(a)?, 0)?)
}

/// A leaf from anything that has a value.
fn leaf(py: Python<'_>, op: Op, value: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<TRNode> {
    let value = value_of(value)?;
    let mut arena = arena::own(py);
    arena.graph.reserve_leaf().map_err(runtime_error)?;
    let leaf = arena.graph.leaf(op, value, name);
    if value.is_finite() { Ok(TRNode(arena.node(leaf))) } else { origins::note(arena, leaf, op, &[]) }
}

/// A leaf from the arguments `(value, name=None)`.
fn named_leaf<'py>(py: Python<'py>, op: Op, arguments: &Arguments<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    if let Some([value]) = arguments.positional() {
        return new_object(py, leaf(py, op, value, None)?);
    }
    let [value, name] = arguments.named(op.name(), ["value", "name"], 1)?;
    let name: Option<String> = name.filter(|name| !name.is_none()).map(|name| name.extract()).transpose()?;
    let value = value.expect("a required argument");
    new_object(py, leaf(py, op, &value, name.as_deref())?)
}

/// Assigns a leaf the value of a number or node.
fn assign(
    py: Python<'_>,
    node: TRNode,
    value: &Bound<'_, PyAny>,
    refused: fn(zeroproof::Error) -> PyErr,
) -> PyResult<()> {
    let value = value_of(value)?;
    let (mut arena, handle) = arena::at(py, node.0);
    arena.graph.assign(handle, value).map_err(refused)?;
    if !value.is_finite() {
        origins::note_assigned(arena, handle, node.0);
    }
    Ok(())
}

/// An operator that puts its result in the place of the left operand.
#[inline(always)]
fn in_place<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    operator: &str,
    result: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if read(py, this(a)?, |graph, node| graph.has_leaf_gradient(node)) {
        return Err(rebound(operator));
    }
    result()
}

/// The error of an update of a leaf that would leave the name with another node.
#[cold]
fn rebound(operator: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{operator} gives a new node and would leave the name without the parameter or input, which holds a \
         gradient: to update it, assign as in w.assign(w.value - lr * w.gradient), or use zeroproof.optim; \
         to record an operation, write it out as in y = w {} x",
        operator.trim_end_matches('=')
    ))
}

fn gradient(py: Python<'_>, node: TRNode) -> Option<(TrScalar, Status)> {
    read(py, node, |graph, node| graph.gradient(node))
}

fn inputs<'py>(py: Python<'py>, node: TRNode) -> PyResult<Bound<'py, PyAny>> {
    let (mut arena, node) = arena::at(py, node.0);
    let inputs = arena.graph.try_inputs(node).map_err(runtime_error)?;
    let inputs = nodes(&mut arena, inputs);
    drop(arena);
    Ok(PyTuple::new(py, objects(py, inputs)?)?.into_any())
}

fn rich_compare<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    op: CompareOp,
) -> PyResult<Bound<'py, PyAny>> {
    compare(tr_value(py, this(a)?), a, b, op, py)
}

fn repr(py: Python<'_>, node: TRNode) -> PyResult<String> {
    let (value, op, gradient, name) = read(py, node, |graph, node| {
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

/// How a leaf is made again; other nodes have no copy.
fn reduce<'py>(py: Python<'py>, node: TRNode) -> PyResult<Bound<'py, PyAny>> {
    let (value, op, name) = read(py, node, |graph, node| {
        (graph.value(node), graph.op(node), graph.name(node).map(str::to_owned))
    });
    let is_bound = |graph: &mut Graph, node| graph.is_gradient(node) && graph.must_stay_node(node);
    if op.arity() != Arity::Leaf || read(py, node, is_bound) {
        return Err(PyTypeError::new_err(
            "only leaves can be pickled or copied, since a copy has no graph; call detach() for a \
             constant of the same value",
        ));
    }
    let make = py.import("zeroproof._native")?.getattr("make_leaf")?;
    (make, (op.name(), TRScalar(value), name)).into_bound_py_any(py)
}

/// A copy: a leaf of the same kind, value and name. The gradient that a tape by itself returns is its own copy, for
/// as a new constant it would no longer be known to depend on anything.
fn copy<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (py, node) = (object.py(), this(object)?);
    let is_loose = |graph: &mut Graph, node| graph.is_gradient(node) && !graph.must_stay_node(node);
    if read(py, node, is_loose) {
        return Ok(object.clone());
    }
    let (make, arguments): (Bound<'_, PyAny>, Bound<'_, PyTuple>) = reduce(py, node)?.extract()?;
    make.call1(arguments)
}

/// The node that a slot or method was called on.
#[inline(always)]
fn this(object: &Bound<'_, PyAny>) -> PyResult<TRNode> {
    object.extract()
}

/// The node that a method was called on.
fn receiver(object: Option<Bound<'_, PyAny>>) -> PyResult<TRNode> {
    this(&object.expect("a method has a receiver"))
}

const DOC: &CStr = c"A node of the computation graph: a TR value and how it was computed.\n\n\
Make leaves with ``TRNode.parameter``, ``TRNode.input`` and ``TRNode.constant``; operators and the\n\
functions of ``tr_ops_grad`` make the others. An operation none of whose inputs needs a gradient\n\
gives a constant. Nodes compare by value and hash by identity, as tensors do. Nodes may be used and\n\
dropped from any thread.\n\n\
A parameter or input is given another value by ``assign``, or by setting ``value``. ``w -= step`` and the\n\
like make a new node as ``w - step`` does, and raise TypeError where that is likely a mistake: if ``w``\n\
is a parameter or input that holds a gradient.\n\n\
A leaf pickles and copies as its value, kind and name, without its gradient; other nodes refuse\n\
and name ``detach()``.\n\n\
Examples:\n    \
>>> from zeroproof import TRNode\n    \
>>> w, x = TRNode.parameter(3.0, name=\"w\"), TRNode.input(2.0)\n    \
>>> y = w * x + TRNode.constant(1.0)\n    \
>>> y.backward()\n    \
>>> y.item(), w.gradient, x.gradient, w.gradient_status.name\n    \
(7.0, TRScalar(2.0), TRScalar(3.0), 'EXACT')\n    \
>>> w.zero_grad()\n    \
>>> w.assign(w.value - 0.5)\n    \
>>> w\n    \
TRNode(2.5, REAL, name=\"w\", op=parameter, gradient=0.0)\n    \
>>> y.op.name, [node.op.name for node in y.inputs], y.detach().requires_grad\n    \
('ADD', ['MUL', 'CONSTANT'], False)\n    \
>>> z = 1.0 / (w - 2.5)\n    \
>>> z.tag.name, len(z.explain(w).masked_at), z.to_dot().split()[0]\n    \
('PINF', 1, 'digraph')";

fn properties() -> Vec<ffi::PyGetSetDef> {
    vec![
        property!(
            c"value",
            c"The TR value. That of a parameter or input can be set, which is ``assign``.",
            |py, node| new_object(py, TRScalar(tr_value(py, this(node)?))),
            set | py,
            node,
            value | assign(py, this(node)?, value, attribute_error)
        ),
        property!(c"tag", c"The class of the value.", |py, node| {
            enums::tag(py, tr_value(py, this(node)?).tag())
        }),
        property!(
            c"gradient",
            c"The gradient as a TRScalar: accumulated over backward passes for a parameter or input,\n\
              the adjoint of the last pass for any other node, None before the first.",
            |py, node| match gradient(py, this(node)?) {
                Some((gradient, _)) => new_object(py, TRScalar(gradient)),
                None => Ok(py.None().into_bound(py)),
            }
        ),
        property!(
            c"gradient_status",
            c"How the gradient came about, as GradientStatus flags; EXACT (0) also before any backward.\n\
              Of a node that tr_grad or a tape returned: how the gradient came about that it holds.",
            |py, node| enums::status(py, read(py, this(node)?, |graph, node| graph.status(node)))
        ),
        property!(c"requires_grad", c"Whether gradients flow to the node.", |py, node| {
            read(py, this(node)?, |graph, node| graph.requires_grad(node)).into_bound_py_any(py)
        }),
        property!(
            c"is_leaf",
            c"Whether the node was made from a value and not by an operation.",
            |py, node| {
                let op = read(py, this(node)?, |graph, node| graph.op(node));
                (op.arity() == Arity::Leaf).into_bound_py_any(py)
            }
        ),
        property!(c"name", c"The name given to a parameter or input, or None.", |py, node| {
            read(py, this(node)?, |graph, node| graph.name(node).map(str::to_owned)).into_bound_py_any(py)
        }),
        property!(c"op", c"The operation that made the node, an OpType.", |py, node| {
            enums::op(py, read(py, this(node)?, |graph, node| graph.op(node)))
        }),
        property!(c"inputs", c"The operands, a tuple of nodes; empty for a leaf.", |py, node| {
            inputs(py, this(node)?)
        }),
    ]
}

/// The functions of the class that make leaves.
fn makers() -> Vec<ffi::PyMethodDef> {
    vec![
        method!(
            c"parameter",
            0,
            c"parameter(value, name=None)\n--\n\n\
              A value to learn: ``backward()`` accumulates its gradient.\n\n\
              Args:\n    value: a TRScalar, a number, or a node whose value is taken.\n    \
              name: shown by ``repr``.",
            |py, _class, arguments| named_leaf(py, Op::Parameter, &arguments)
        ),
        method!(
            c"input",
            0,
            c"input(value, name=None)\n--\n\n\
              A coordinate: a given value that gradients may be asked for, and whose neighbourhood\n\
              exploration regions refer to.",
            |py, _class, arguments| named_leaf(py, Op::Input, &arguments)
        ),
        method!(
            c"constant",
            0,
            c"constant(value)\n--\n\nA value that no gradient flows to.",
            |py, _class, arguments| {
                let value = match arguments.positional() {
                    Some([value]) => *value,
                    None => arguments.named("constant", ["value"], 1)?[0].expect("a required argument"),
                };
                new_object(py, leaf(py, Op::Constant, &value, None)?)
            }
        ),
    ]
}

fn methods() -> Vec<ffi::PyMethodDef> {
    vec![
        method!(
            c"backward",
            0,
            c"backward($self, grad_output=None)\n--\n\n\
              Differentiates this node, in the gradient mode in force, and adds to the gradient of\n\
              every parameter and input it depends on.\n\n\
              Args:\n    grad_output: the adjoint of this node, 1 unless given.\n\n\
              Raises:\n    NotImplementedError: where the gradients may be asked for their own derivative, which \
              numbers do not\n        have: in a block of an open tape, and in a function that is being \
              differentiated, if the node\n        depends on its arguments or on other nodes from outside. \
              Use ``tr_grad`` there; also if the\n        node was computed from a second derivative.\n    \
              RuntimeError: if it depends on no parameter.",
            |py, node, arguments| {
                let grad_output = match arguments.positional() {
                    Some([]) => None,
                    None => arguments.named("backward", ["grad_output"], 0)?[0],
                };
                backward(py, receiver(node)?, grad_output.as_deref())?;
                Ok(py.None().into_bound(py))
            }
        ),
        method!(
            c"assign",
            0,
            c"assign($self, value)\n--\n\n\
              Gives a parameter or input another value; ``w.value = v`` does the same.\n\n\
              Its gradient, name and identity stay. Nodes recorded from it before keep the value that they\n\
              were computed with: their derivatives are those at the old value, and their backward passes\n\
              still add to this gradient.\n\n\
              Args:\n    value: a TRScalar, a number, or a node whose value is taken.\n\n\
              Raises:\n    TypeError: if it is a constant or was made by an operation, or if it is what \
              ``inputs`` gives of\n        a node recorded before an earlier assignment.",
            |py, node, arguments| {
                let value = match arguments.positional() {
                    Some([value]) => *value,
                    None => arguments.named("assign", ["value"], 1)?[0].expect("a required argument"),
                };
                assign(py, receiver(node)?, &value, type_error)?;
                Ok(py.None().into_bound(py))
            }
        ),
        method!(
            c"zero_grad",
            0,
            c"zero_grad($self)\n--\n\nSets the gradient to REAL 0.",
            |py, node, arguments| {
                arguments.exactly::<0>("zero_grad")?;
                let zeroed = read(py, receiver(node)?, |graph, node| {
                    if !graph.is_leaf(node) {
                        graph.reserve_gradient()?;
                    }
                    graph.zero_gradient(node);
                    Ok(())
                });
                zeroed.map_err(runtime_error)?;
                Ok(py.None().into_bound(py))
            }
        ),
        method!(
            c"explain",
            0,
            c"explain($self, wrt=None, *, limit=20)\n--\n\n\
              Why this value is not REAL, or a gradient zero, incomplete or bounded.\n\n\
              Of a parameter or input: its gradient in the last backward pass. Of any other node: its\n\
              value, and what a backward pass from it does in the gradient mode in force. Nothing\n\
              changes.\n\n\
              Args:\n    wrt: the node whose gradient is asked about; all parameters and inputs unless\n        \
              given.\n    limit: how many events of each kind to tell in full.\n\n\
              Returns:\n    An Explanation: str() tells it, its fields hold it.",
            |py, node, arguments| {
                arguments.forward(&callbacks::EXPLAIN.required(py)?, node)
            }
        ),
        method!(
            c"to_dot",
            0,
            c"to_dot($self, *, gradients=True, max_nodes=500)\n--\n\n\
              The graph below this node as Graphviz DOT text. Nodes that are not REAL stand out, origins\n\
              most, and so do edges that the gradient mode in force silences, drops or bounds.\n\n\
              Args:\n    gradients: whether to show what becomes of gradients.\n    \
              max_nodes: where to cut the graph.",
            |py, node, arguments| {
                arguments.forward(&callbacks::DRAW.required(py)?, node)
            }
        ),
        method!(
            c"item",
            0,
            c"item($self)\n--\n\n\
              The value as a float: ``inf``, ``-inf`` and NaN for +\u{221e}, \u{2212}\u{221e} and \u{3a6}. No gradient\n\
              flows through it. ``float(x)`` is this for constants and raises TypeError for nodes that\n\
              require a gradient.",
            |py, node, arguments| {
                arguments.exactly::<0>("item")?;
                tr_value(py, receiver(node)?).to_ieee().into_bound_py_any(py)
            }
        ),
        method!(
            c"detach",
            0,
            c"detach($self)\n--\n\nA constant of the same value.",
            |py, node, arguments| {
                arguments.exactly::<0>("detach")?;
                let (mut arena, node) = arena::at(py, receiver(node)?.0);
                let graph = &mut arena.graph;
                graph.reserve(1).map_err(runtime_error)?;
                let value = graph.value(node);
                let copy = graph.constant(value.to_ieee());
                let copy = match value.is_real() {
                    true => TRNode(arena.node(copy)),
                    false => origins::note_copy(arena, copy, node),
                };
                new_object(py, copy)
            }
        ),
        method!(c"__format__", 0, c"__format__($self, format_spec, /)\n--\n\n", |py, node, arguments| {
            let [spec] = arguments.exactly("__format__")?;
            let (node, spec) = (receiver(node)?, spec.extract::<String>()?);
            let shown = if spec.is_empty() { repr(py, node) } else { format(tr_value(py, node), &spec, py) };
            shown?.into_bound_py_any(py)
        }),
        method!(c"__copy__", 0, c"__copy__($self)\n--\n\n", |_py, node, arguments| {
            arguments.exactly::<0>("__copy__")?;
            copy(&node.expect("a method has a receiver"))
        }),
        method!(c"__deepcopy__", 0, c"__deepcopy__($self, memo, /)\n--\n\n", |_py, node, arguments| {
            arguments.exactly::<1>("__deepcopy__")?;
            copy(&node.expect("a method has a receiver"))
        }),
        method!(c"__reduce__", 0, c"__reduce__($self)\n--\n\n", |py, node, arguments| {
            arguments.exactly::<0>("__reduce__")?;
            reduce(py, receiver(node)?)
        }),
    ]
}

fn slots() -> Vec<ffi::PyType_Slot> {
    use ffi::{Py_hash_t, PyObject};
    vec![
        slot!(Py_nb_add, (a, b) -> *mut PyObject, |py| binary(py, Op::Add, a, b)),
        slot!(Py_nb_subtract, (a, b) -> *mut PyObject, |py| binary(py, Op::Sub, a, b)),
        slot!(Py_nb_multiply, (a, b) -> *mut PyObject, |py| binary(py, Op::Mul, a, b)),
        slot!(Py_nb_true_divide, (a, b) -> *mut PyObject, |py| binary(py, Op::Div, a, b)),
        slot!(Py_nb_remainder, (a, b) -> *mut PyObject, |py| binary(py, Op::Remainder, a, b)),
        slot!(Py_nb_negative, (a) -> *mut PyObject, |py| unary(py, Op::Neg, a)),
        slot!(Py_nb_absolute, (a) -> *mut PyObject, |py| unary(py, Op::Abs, a)),
        slot!(Py_nb_positive, (a) -> *mut PyObject, |_py| Ok(Bound::clone(a))),
        slot!(Py_nb_power, (a, n, modulus) -> *mut PyObject, |py| power(py, a, n, modulus)),
        slot!(Py_nb_inplace_add, (a, b) -> *mut PyObject, |py| {
            in_place(py, a, "+=", || binary(py, Op::Add, a, b))
        }),
        slot!(Py_nb_inplace_subtract, (a, b) -> *mut PyObject, |py| {
            in_place(py, a, "-=", || binary(py, Op::Sub, a, b))
        }),
        slot!(Py_nb_inplace_multiply, (a, b) -> *mut PyObject, |py| {
            in_place(py, a, "*=", || binary(py, Op::Mul, a, b))
        }),
        slot!(Py_nb_inplace_true_divide, (a, b) -> *mut PyObject, |py| {
            in_place(py, a, "/=", || binary(py, Op::Div, a, b))
        }),
        slot!(Py_nb_inplace_power, (a, n, modulus) -> *mut PyObject, |py| {
            in_place(py, a, "**=", || power(py, a, n, modulus))
        }),
        slot!(Py_nb_bool, (a) -> c_int, |py| Ok(tr_value(py, this(a)?).is_truthy())),
        slot!(Py_nb_float, (a) -> *mut PyObject, |py| plain(py, this(a)?)?.into_bound_py_any(py)),
        slot!(Py_nb_int, (a) -> *mut PyObject, |py| {
            PyFloat::new(py, plain(py, this(a)?)?).call_method0("__int__")
        }),
        slot!(Py_tp_hash, (a) -> Py_hash_t, |py| Ok(arena::identity(py, this(a)?.0) as isize)),
        slot!(Py_tp_repr, (a) -> *mut PyObject, |py| repr(py, this(a)?)?.into_bound_py_any(py)),
        compare_slot!(rich_compare),
    ]
}

/// Makes a leaf of this kind: how a pickled or copied one comes back.
#[pyfunction]
fn make_leaf(py: Python<'_>, kind: &str, value: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<TRNode> {
    let leaves = [Op::Constant, Op::Parameter, Op::Input];
    let op = leaves.into_iter().find(|op| op.name() == kind);
    leaf(py, op.ok_or_else(|| PyTypeError::new_err("no such kind of leaf"))?, value, name)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let spec = Spec {
        name: c"zeroproof.autodiff.tr_node.TRNode",
        doc: DOC,
        slots: slots(),
        methods: methods(),
        properties: properties(),
    };
    let class = spec.build::<TRNode>(module.py())?;
    set_functions(&class, "", "zeroproof.autodiff.tr_node", makers())?;
    module.add("TRNode", class)?;
    module.add_function(wrap_pyfunction!(make_leaf, module)?)
}
