//! The docstrings of the op functions, written from the facts of each op.

use crate::examples::section;
use std::ffi::{CStr, CString};
use zeroproof::Op;
use zeroproof::op::Arity;

/// The width of the text.
const WIDTH: usize = 88;

/// What kind of function it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Answers in the kind of its operands.
    InKind,
    /// Always records a node.
    Lifted,
}

/// The docstring of a function of this kind, kept for ever.
pub(crate) fn docstring(op: Op, kind: Kind) -> &'static CStr {
    let parts = [facts(op), takes(op, kind), section(op, kind == Kind::Lifted)].join("\n\n");
    let text = format!("tr_{}{}\n--\n\n{parts}", op.name(), signature(op));
    Box::leak(CString::new(text).expect("facts hold no NUL").into_boxed_c_str())
}

fn signature(op: Op) -> &'static str {
    match op.arity() {
        Arity::Leaf | Arity::Alias | Arity::Gradients | Arity::Gradient => "()",
        Arity::Unary => "(a, /)",
        Arity::Power => "(a, n, /)",
        Arity::Binary => "(a, b, /)",
        Arity::Variadic => "(values, mode=None)",
    }
}

/// The formula, and a line for each fact that there is.
fn facts(op: Op) -> String {
    let mut lines = vec![format!("{}.", op.formula())];
    if let Some(facts) = op.facts() {
        lines.push(format!("\nDomain: {}.", facts.domain));
        lines.extend(facts.units.map(|units| format!("Units: {units}.")));
        lines.push(format!("Partials: {}.", facts.partials));
    }
    if let Some(pole) = op.singular() {
        lines.push(format!(
            "Singular, at the distance {}. Bounded partials: {}.",
            pole.distance, pole.bounded
        ));
    }
    lines.extend(op.facts().map(|facts| format!("\n{}", facts.reason)));
    lines.iter().map(|line| wrapped(line)).collect::<Vec<_>>().join("\n")
}

/// The text in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![];
    for paragraph in text.split('\n') {
        let (mut line, mut width) = (String::new(), 0);
        for word in paragraph.split(' ') {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > WIDTH {
                lines.push(std::mem::take(&mut line));
                width = 0;
            }
            if width > 0 {
                line.push(' ');
                width += 1;
            }
            line.push_str(word);
            width += length;
        }
        lines.push(line);
    }
    lines.join("\n")
}

const MODE: &str = "    mode: the ``ReductionMode``: which values are kept; STRICT, all of them, unless given. The\n        \
                    others get no gradient.";

fn takes(op: Op, kind: Kind) -> String {
    match (op.arity(), kind) {
        (Arity::Variadic, Kind::InKind) => format!(
            "Args:\n    values: TRNodes, TRScalars or numbers.\n{MODE}\n\nReturns:\n    A TRScalar; a TRNode if \
             there is one among the values."
        ),
        (Arity::Variadic, Kind::Lifted) => {
            format!("Args:\n    values: TRNodes, TRScalars or numbers.\n{MODE}\n\nReturns:\n    A TRNode.")
        }
        (arity, kind) => {
            let exponent = if arity == Arity::Power { ", and an int" } else { "" };
            match kind {
                Kind::InKind => format!(
                    "Takes TRScalars or numbers{exponent}, and returns a TRScalar. A TRNode among them gives a \
                     TRNode; an\narray, list or tuple gives an array of objects, element by element."
                ),
                Kind::Lifted => {
                    format!("Takes TRNodes, TRScalars or numbers{exponent}, and returns a TRNode.")
                }
            }
        }
    }
}
