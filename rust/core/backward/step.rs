//! The reverse step: what one node does with its adjoint.
//!
//! The sweep over the arena, the per-sample interpreter of batches and explanations all ask these two
//! functions. They differ in their [`Sink`]: where contributions go, and who is told what happened.

use super::policies::{Policy, Rule};
use crate::op::{Elementwise, Form, Variadic};
use crate::reduce::Reduction;
use crate::status::Status;

/// What arrived at a node: its adjoint and the flags of that.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// The adjoint.
    pub g: f64,
    /// Its flags.
    pub status: u8,
}

/// Where the contributions of a node go. Operands are named by their place.
pub trait Sink {
    /// A contribution for an operand, REAL or not.
    fn receive(&mut self, place: usize, contribution: f64, from: Arrived);
    /// An operand gets nothing.
    fn silence(&mut self, place: usize, from: Arrived);
    /// The node passes nothing to any of its operands, since its value is not REAL.
    fn mask(&mut self, operands: usize, from: Arrived);
    /// The node uses bounded partials.
    fn saturate(&mut self);
}

/// The step of an elementwise node: `node` is what the policy calls it, `b` the exponent of a power.
#[inline(always)]
pub fn elementwise<O: Elementwise, P: Policy>(
    policy: &mut P,
    node: usize,
    from: Arrived,
    [a, b, z]: [f64; 3],
    sink: &mut impl Sink,
) {
    let (contributions, from) = match policy.rule::<O>(node, a, b, z) {
        Rule::Silence => return sink.mask(O::ARITY.operands(), from),
        // A constant, here and where else bounded partials are chosen, so that none are compiled for an op without.
        Rule::Bounded(bound) if const { O::POLE.is_some() } => {
            sink.saturate();
            let status = from.status | Status::SATURATED.bits();
            (O::bounded(from.g, a, b, z, bound).full(), Arrived { status, ..from })
        }
        Rule::Classical | Rule::Bounded(_) => (O::classical(from.g, a, b, z).full(), from),
    };
    sink.receive(0, contributions[0], from);
    if O::ARITY.operands() == 2 {
        sink.receive(1, contributions[1], from);
    }
}

/// The step of a variadic node: each input that it kept gets its share, the others are silenced.
#[inline(always)]
pub fn variadic<O: Variadic, P: Policy>(
    policy: &mut P,
    from: Arrived,
    inputs: impl ExactSizeIterator<Item = f64> + Clone,
    mode: Reduction,
    z: f64,
    sink: &mut impl Sink,
) {
    if let Rule::Silence = policy.rule_without_pole(z) {
        return sink.mask(inputs.len(), from);
    }
    let shared = O::shared(mode.kept(inputs.clone()), z);
    for (place, x) in inputs.enumerate() {
        if mode.keeps(x) {
            sink.receive(place, O::share(from.g, x, shared).full(), from);
        } else {
            sink.silence(place, from);
        }
    }
}
