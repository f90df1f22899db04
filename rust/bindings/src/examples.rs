//! The examples in the docstrings of the op functions: the same few operands for every op, and what the engine
//! makes of them. The Python tests run them.

use crate::flags;
use zeroproof::backward::Scratch;
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{ModeState, Op, Reduction, TrScalar};

/// Operands at which an op is REAL, the second of a power its exponent: the first that will do is shown.
const INSIDE: [[f64; 2]; 2] = [[0.5, 2.0], [2.0, 0.5]];
/// Operands at which it may not be.
const AT_THE_EDGE: [[f64; 2]; 4] = [[0.0, -1.0], [1.0, 0.0], [-1.0, 0.0], [f64::INFINITY, f64::INFINITY]];

/// The section of the docstring of a function that answers in the kind of its operands, or always records a node.
pub(crate) fn section(op: Op, records: bool) -> String {
    let lines = flags::keeping(|| match (op.arity(), records) {
        (Arity::Variadic, false) => reduced(op),
        (Arity::Variadic, true) => reduced_nodes(op),
        (_, false) => computed(op),
        (_, true) => differentiated(op),
    });
    format!("Examples:\n    {}", lines.join("\n    "))
}

/// Whether the value is as wanted, of the first operands where it is; else the last ones.
fn operands(op: Op, candidates: &[[f64; 2]], real: bool) -> [f64; 2] {
    let fits = |[a, b]: &[f64; 2]| op.value(*a, *b).is_finite() == real;
    *candidates.iter().find(|operands| fits(operands)).unwrap_or(&candidates[candidates.len() - 1])
}

/// A number as an argument.
fn written(number: f64) -> String {
    if number.is_infinite() { "pinf()".into() } else { format!("{number:?}") }
}

/// A value as Python shows it.
fn shown(value: f64) -> String {
    let value = TrScalar::from(value);
    if value.is_real() { format!("TRScalar({:?})", value.to_ieee()) } else { format!("TRScalar({value})") }
}

/// A call with these operands, the first of which may be a name.
fn call(op: Op, first: &str, second: f64) -> String {
    let name = op.name();
    match op.arity() {
        Arity::Binary => format!("tr_{name}({first}, {})", written(second)),
        Arity::Power => format!("tr_{name}({first}, {second})"),
        _ => format!("tr_{name}({first})"),
    }
}

fn computed(op: Op) -> Vec<String> {
    let points = [operands(op, &INSIDE, true), operands(op, &AT_THE_EDGE, false)];
    let calls = points.map(|[a, b]| call(op, &written(a), b));
    let values = points.map(|[a, b]| shown(op.value(a, b)));
    let names = if calls[1].contains("pinf") { "pinf, " } else { "" };
    vec![
        format!(">>> from zeroproof import {names}tr_{}", op.name()),
        format!(">>> {}, {}", calls[0], calls[1]),
        format!("({}, {})", values[0], values[1]),
    ]
}

fn differentiated(op: Op) -> Vec<String> {
    let [a, b] = operands(op, &INSIDE, true);
    let mut graph = Graph::new();
    let x = graph.leaf(Op::Parameter, a, None);
    let y = match op.arity() {
        Arity::Binary => graph.binary_with_constant(op, x, b, None).handle,
        _ => graph.unary_with_immediate(op, x, b as i32).handle,
    };
    let mut lines = beginning(op);
    lines.push(format!(">>> x = TRNode.parameter({a:?})"));
    lines.push(format!(">>> y = {}", call(op, "x", b)));
    lines.extend(ending(&mut graph, y, x));
    lines
}

fn reduced(op: Op) -> Vec<String> {
    let name = op.name();
    let value = |values: &[f64], mode: Reduction| {
        let mut graph = Graph::new();
        let handles: Vec<_> = values.iter().map(|value| graph.constant(*value)).collect();
        let result = graph.reduce(op, mode, &handles);
        shown(graph.value(result).to_ieee())
    };
    vec![
        format!(">>> from zeroproof import ReductionMode, phi, tr_{name}"),
        format!(">>> tr_{name}([3.0, 4.0]), tr_{name}([3.0, phi()])"),
        format!(
            "({}, {})",
            value(&[3.0, 4.0], Reduction::Strict),
            value(&[3.0, f64::NAN], Reduction::Strict)
        ),
        format!(">>> tr_{name}([3.0, phi()], ReductionMode.DROP_NULL)"),
        value(&[3.0, f64::NAN], Reduction::DropNull),
    ]
}

fn reduced_nodes(op: Op) -> Vec<String> {
    let mut graph = Graph::new();
    let inputs = [graph.leaf(Op::Parameter, 3.0, None), graph.constant(4.0)];
    let y = graph.reduce(op, Reduction::Strict, &inputs);
    let mut lines = beginning(op);
    lines.push(">>> x = TRNode.parameter(3.0)".into());
    lines.push(format!(">>> y = tr_{}([x, 4.0])", op.name()));
    lines.extend(ending(&mut graph, y, inputs[0]));
    lines
}

fn beginning(op: Op) -> Vec<String> {
    vec![
        ">>> from zeroproof.autodiff import TRNode".into(),
        format!(">>> from zeroproof.autodiff.tr_ops_grad import tr_{}", op.name()),
    ]
}

/// The backward pass, the value and the gradient.
fn ending(graph: &mut Graph, y: Handle, x: Handle) -> [String; 3] {
    let passed = graph.backward(y, 1.0.into(), &ModeState::default(), None, &mut Scratch::default());
    let gradient =
        passed.ok().and_then(|_| graph.gradient(x)).map_or(f64::NAN, |(gradient, _)| gradient.to_ieee());
    let value = graph.value(y).to_ieee();
    [
        ">>> y.backward()".into(),
        ">>> y.value, x.gradient".into(),
        format!("({}, {})", shown(value), shown(gradient)),
    ]
}
