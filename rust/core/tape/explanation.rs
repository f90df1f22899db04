//! `Var::explain`: why a value is not REAL, and why a gradient is zero, incomplete or bounded, in words.

use super::{Arena, Tape, Var};
use crate::backward::Scratch;
use crate::backward::explain::{Event, Explanation as Answer, What};
use crate::graph::Graph;
use crate::graph::origins::MOST_OPERANDS;
use crate::mode::ModeState;
use crate::op::Op;
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;
use std::cell::RefCell;
use std::fmt;

/// So many events of a kind are told in words; `answer` holds more of them.
const TOLD: usize = 3;
/// So many events of a kind `Var::explain` has told in full.
const LIMIT: usize = 20;

/// Why a value is not REAL, and why gradients below it are zero, incomplete or bounded.
///
/// Its `Display` tells it; `answer` holds it. The variables in it keep the graph alive.
#[derive(Debug)]
pub struct Explanation<'t, A: Arena = RefCell<Graph>> {
    /// The value explained.
    pub value: TrScalar,
    /// The gradient explained and how it came about; `None` unless the variable is a parameter or input
    /// that a backward pass has reached.
    pub gradient: Option<(TrScalar, Status)>,
    /// What happened at which variables.
    pub answer: Answer<Var<'t, A>>,
}

impl<'t, A: Arena> Var<'t, A> {
    /// Explains the value, and what a backward pass in Mask-REAL mode does below it. Of a parameter or
    /// input, explains its gradient in the last backward pass, whose root must still be alive. Nothing
    /// changes.
    ///
    /// ```
    /// use zeroproof::Tape;
    ///
    /// let tape = Tape::new();
    /// let (p, x) = (tape.parameter(1.0), tape.input(2.0));
    /// let loss = (&p / (&x - 2.0)).exp() * 0.5;
    /// assert_eq!(
    ///     loss.explain().to_string(),
    ///     "the value is +∞: 1.0 ÷ 0.0 = +∞; 2 later ops carried it on\n\
    ///      the gradient to the parameter 1.0 and the input 2.0 is silenced at +∞ × 0.5 = +∞"
    /// );
    /// ```
    pub fn explain(&self) -> Explanation<'t, A> {
        self.explain_with(None, &ModeState::default(), &Statistics::default(), LIMIT)
    }

    /// Explains the value, and what a backward pass in the mode that `state` names does on the way to
    /// all leaves below or to `wrt`. At most `limit` events of each kind are told in full.
    pub fn explain_with(
        &self,
        wrt: Option<&Self>,
        state: &ModeState,
        statistics: &Statistics,
        limit: usize,
    ) -> Explanation<'t, A> {
        let tape: &'t Tape<A> = self.tape;
        wrt.iter().for_each(|wrt| wrt.assert_on(tape));
        let wrt = wrt.map(|wrt| wrt.handle);
        let mut scratch = Scratch::default();
        let mut graph = tape.graph();
        let answer = graph.explain(self.handle, wrt, state, statistics, &mut scratch, limit);
        let value = graph.value(self.handle);
        let is_leaf = matches!(graph.op(self.handle), Op::Parameter | Op::Input);
        let gradient = graph.gradient(self.handle).filter(|_| is_leaf && wrt.is_none());
        drop(graph);
        Explanation { value, gradient, answer: answer.map(&mut |handle| tape.var(handle)) }
    }
}

impl<A: Arena> fmt::Display for Explanation<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value is {}", Number(self.value))?;
        if !self.value.is_real() {
            self.tell_origins(f)?;
        }
        if let Some((gradient, status)) = self.gradient {
            write!(f, "\nits gradient is {} [{status:?}]", Number(gradient))?;
            if self.answer.root.is_none() {
                f.write_str("; the graph of its last backward pass is gone")?;
            } else if !self.answer.depends {
                f.write_str("; the last backward pass did not lead to it")?;
            }
        }
        tell_pass(f, &self.answer, !self.value.is_real(), "")?;
        for inner in &self.answer.inner {
            if inner.counts[1..] != [0; 3] {
                f.write_str("\nthrough gradients that were computed before:")?;
                tell_pass(f, inner, false, "  ")?;
            }
        }
        Ok(())
    }
}

/// What a pass did to gradients, in lines that begin so. The origins behind the value may be `known` already.
fn tell_pass<A: Arena>(
    f: &mut fmt::Formatter<'_>,
    answer: &Answer<Var<'_, A>>,
    known: bool,
    start: &str,
) -> fmt::Result {
    for (what, verb) in [
        (What::Masked, "is silenced"),
        (What::Dropped, "lacks a contribution that was not REAL"),
        (What::Saturated, "is bounded"),
    ] {
        for event in told(answer, what) {
            write!(f, "\n{start}the gradient to {} {verb} at {}", Leaves(&event.leaves), Happening(event))?;
            if let Some(cause) = event.cause.as_ref().filter(|_| !known) {
                write!(f, ", since {}", Happening(cause))?;
            }
        }
        tell_rest(f, answer, what, start)?;
    }
    Ok(())
}

/// The events that are told in words.
fn told<N>(answer: &Answer<N>, what: What) -> impl Iterator<Item = &Event<N>> {
    answer.events.iter().filter(move |event| event.what == what).take(TOLD)
}

fn tell_rest<N>(f: &mut fmt::Formatter<'_>, answer: &Answer<N>, what: What, start: &str) -> fmt::Result {
    let rest = answer.counts[what as usize].saturating_sub(TOLD);
    if rest > 0 { write!(f, "\n{start}  and {rest} more") } else { Ok(()) }
}

impl<A: Arena> Explanation<'_, A> {
    fn tell_origins(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, origin) in told(&self.answer, What::Born).enumerate() {
            f.write_str(if place == 0 { ": " } else { "\n  and " })?;
            write!(f, "{}", Happening(origin))?;
            match origin.steps {
                0 => {}
                1 => f.write_str("; 1 later op carried it on")?,
                steps => write!(f, "; {steps} later ops carried it on")?,
            }
        }
        tell_rest(f, &self.answer, What::Born, "")
    }
}

/// A number that shows that it is none of the integers.
struct Number(TrScalar);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_real() { write!(f, "{:?}", self.0.to_ieee()) } else { self.0.fmt(f) }
    }
}

/// What was computed.
struct Happening<'a, N>(&'a Event<N>);

impl<N> fmt::Display for Happening<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { what, op, operands, value, input, .. } = self.0;
        let value = Number((*value).into());
        let shown: Vec<_> = operands.iter().map(|&operand| Number(operand.into()).to_string()).collect();
        match (op, &shown[..]) {
            (_, []) => return write!(f, "{value} came in as a {}", op.name()),
            (Op::Add, [a, b]) => write!(f, "{a} + {b}"),
            (Op::Sub, [a, b]) => write!(f, "{a} − {b}"),
            (Op::Mul, [a, b]) => write!(f, "{a} × {b}"),
            (Op::Div, [a, b]) => write!(f, "{a} ÷ {b}"),
            (Op::PowInt, [a, _]) => write!(f, "{}({a}, {})", op.name(), operands[1]),
            (_, all) => {
                // There may be more than are remembered.
                let (told, more) =
                    if all.len() < MOST_OPERANDS { (all, "") } else { (&all[..MOST_OPERANDS - 1], ", …") };
                write!(f, "{}({}{more})", op.name(), told.join(", "))
            }
        }?;
        write!(f, " = {value}")?;
        match input.map(|place| place as usize) {
            Some(place) if *what == What::Masked => match shown.get(place) {
                Some(operand) => write!(f, ", where {operand} is left out"),
                None => write!(f, ", where operand {place} is left out"),
            },
            _ => Ok(()),
        }
    }
}

/// The leaves that an event concerns.
struct Leaves<'a, 't, A: Arena>(&'a [Var<'t, A>]);

impl<A: Arena> fmt::Display for Leaves<'_, '_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (place, leaf) in self.0.iter().enumerate().take(TOLD) {
            f.write_str(if place == 0 {
                ""
            } else if place == last {
                " and "
            } else {
                ", "
            })?;
            write!(f, "the {} {}", leaf.op().name(), Number(leaf.value()))?;
        }
        match self.0.len().saturating_sub(TOLD) {
            0 => Ok(()),
            1 => f.write_str(" and 1 more"),
            more => write!(f, " and {more} more"),
        }
    }
}
