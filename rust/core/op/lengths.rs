//! Lengths. What a length passes on is a direction, so at most ḡ.

use super::facts::Read::{A, B, Z};
use super::facts::{Facts, Notation};
use super::form::{Form, guarded};
use super::kinds::{Binary, NoPole, Variadic};
use super::range::{is_full, is_normal};
use crate::elementary;
use crate::scaled::Scaled;

/// `√(a² + b²)`.
pub struct Hypot;

impl Binary for Hypot {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ·a ÷ √(a² + b²), ḡ·b ÷ √(a² + b²); 0, 0 at the origin",
        reason: "The partials are a direction, at most 1, so nothing is bounded. At the origin the middle of \
                 the subgradients; beside an infinite operand (which gets ḡ times its sign) a REAL one does \
                 not count; two infinite ones have no direction.",
        notation: Notation::Call("hypot"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: Some(|operands| operands.iter().all(|&x| x == 0.0)),
        reads: &[A, B, Z],
        propagates: &[A, B],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        guarded(elementary::fast::hypot(a, b), move || elementary::hypot(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
        let (along_a, along_b) = (a / z, b / z);
        let holds = is_normal(z) & is_full(along_a, a) & is_full(along_b, b);
        guarded(([g * along_a, g * along_b], holds), move || hypot_fallback(g, a, b, z))
    }
}

#[cold]
fn hypot_fallback(g: f64, a: f64, b: f64, z: f64) -> [f64; 2] {
    let shared = Norm::shared([a, b].into_iter(), z);
    [norm_fallback(g, a, shared), norm_fallback(g, b, shared)]
}

/// `√Σx²`.
pub struct Norm;

impl Variadic for Norm {
    const FACTS: Facts = Facts {
        domain: "all inputs",
        units: None,
        partials: "ḡ·x ÷ √Σx²; 0 at the origin",
        reason: "As hypot: a direction at most 1 long, the middle of the subgradients at the origin, and of \
                 infinite inputs only a single one has a direction. The norm of nothing is 0.",
        notation: Notation::Call("norm"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| operands.iter().all(|&x| x == 0.0)),
        reads: &[A, Z],
        propagates: &[A],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        elementary::norm(kept)
    }

    /// `[length, e]` with the norm `length·2ᵉ`, `e` 0 where the norm itself is a normal double; beside
    /// infinite inputs `[+∞, how many]`.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
        if is_normal(z) || z == 0.0 {
            return [z, 0.0];
        }
        let infinite = kept.clone().filter(|x| x.is_infinite()).count();
        if infinite > 0 {
            return [f64::INFINITY, infinite as f64];
        }
        // What scaling loses is too small to count.
        let lift = if z.is_infinite() { -LIFT } else { LIFT };
        let unit = 2f64.powi(lift);
        [elementary::norm(kept.map(|x| x * unit)), f64::from(-lift)]
    }

    #[inline(always)]
    fn share(g: f64, x: f64, [length, exponent]: [f64; 2]) -> impl Form<f64> {
        let along = x / length;
        let holds = (exponent == 0.0) & is_normal(length) & is_full(along, x);
        guarded((g * along, holds), move || norm_fallback(g, x, [length, exponent]))
    }
}

/// Inputs whose norm is no normal double are multiplied by two to this or to minus this.
const LIFT: i32 = 600;

#[cold]
fn norm_fallback(g: f64, x: f64, [length, exponent]: [f64; 2]) -> f64 {
    if length == 0.0 {
        g * 0.0
    } else if length.is_infinite() {
        match x.is_infinite() {
            true if exponent == 1.0 => g * x.signum(),
            true => f64::NAN,
            false => g * 0.0,
        }
    } else if g.is_finite() && x.is_finite() && length.is_finite() {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(length).shifted(exponent as i64)).to_f64()
    } else {
        g * x
    }
}
