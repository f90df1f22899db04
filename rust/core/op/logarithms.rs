//! Logarithms: of a to the bases e, 2 and 10, of 1 + a, and products with them. The pole lies where the
//! argument of the logarithm is 0.

use super::bounded::{smoothed, times_recip, times_recip_fast};
use super::facts::Read::{A, B};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, exact, guarded, scaled};
use super::kinds::{Binary, SingularBinary, SingularUnary, Unary};
use super::range::{is_full, is_normal, within};
use crate::elementary;
use crate::scaled::Scaled;
use std::f64::consts::{LN_2, LN_10};

/// `ln a`.
pub struct Log;

impl Unary for Log {
    const FACTS: Facts = Facts {
        domain: "a > 0",
        units: None,
        partials: "ḡ ÷ a",
        reason: "Left of 0 there is no real logarithm, and 0 is the end of that side: Φ, which no adjoint \
                 passes.",
        notation: Notation::Call("ln"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::ln(a), a > 0.0), move || elementary::ln(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g / a)
    }
}

impl SingularUnary for Log {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(0),
        is_real_there: false,
        distance: "|a|",
        bounded: "ḡ·recip(a)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, a, s)
    }
}

/// `log₂ a`.
pub struct Log2;

impl Unary for Log2 {
    const FACTS: Facts = Facts {
        domain: "a > 0",
        units: None,
        partials: "ḡ ÷ (a·ln 2)",
        reason: "As log. Exact at powers of two.",
        notation: Notation::Call("log₂"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::log2(a), a > 0.0), move || elementary::log2(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        over_product(g, a, LN_2)
    }
}

impl SingularUnary for Log2 {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(0),
        is_real_there: false,
        distance: "|a|",
        bounded: "ḡ·recip(a·ln 2)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        recip_product(g, a, LN_2, s)
    }
}

/// `log₁₀ a`.
pub struct Log10;

impl Unary for Log10 {
    const FACTS: Facts = Facts {
        domain: "a > 0",
        units: None,
        partials: "ḡ ÷ (a·ln 10)",
        reason: "As log. Exact at powers of ten that are doubles.",
        notation: Notation::Call("log₁₀"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::log10(a), a > 0.0), move || elementary::log10(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        over_product(g, a, LN_10)
    }
}

impl SingularUnary for Log10 {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(0),
        is_real_there: false,
        distance: "|a|",
        bounded: "ḡ·recip(a·ln 10)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        recip_product(g, a, LN_10, s)
    }
}

/// `ḡ/(a·ln base)`.
#[inline(always)]
fn over_product(g: f64, a: f64, ln_base: f64) -> impl Form<f64> {
    let product = a * ln_base;
    guarded((g / product, is_normal(product)), move || over_product_fallback(g, a, ln_base))
}

/// Where the product leaves the range.
#[cold]
fn over_product_fallback(g: f64, a: f64, ln_base: f64) -> f64 {
    if !a.is_finite() || !g.is_finite() || a == 0.0 {
        return g / (a * ln_base);
    }
    Scaled::new(g).div(Scaled::new(a)).div(Scaled::new(ln_base)).to_f64()
}

/// `ḡ·recip(a·ln base)`.
#[inline(always)]
fn recip_product(g: f64, a: f64, ln_base: f64, s: f64) -> impl Form<f64> {
    let product = a * ln_base;
    let (contribution, holds) = times_recip_fast(g, product, s);
    guarded((contribution, holds & is_normal(product)), move || recip_product_fallback(g, a, ln_base, s))
}

#[cold]
fn recip_product_fallback(g: f64, a: f64, ln_base: f64, s: f64) -> f64 {
    if !a.is_finite() || a == 0.0 || !g.is_finite() {
        return times_recip(g, a, s).full();
    }
    let product = Scaled::new(a).mul(Scaled::new(ln_base));
    Scaled::new(if a < 0.0 { -g } else { g }).div(product.hypot(s)).to_f64()
}

/// `ln(1 + a)`.
pub struct Log1p;

impl Unary for Log1p {
    const FACTS: Facts = Facts {
        domain: "a > −1",
        units: None,
        partials: "ḡ ÷ (1 + a)",
        reason: "Keeps the digits that ln(1 + a) cancels near 0; at −1 what log is at 0.",
        notation: Notation::Call("log1p"),
        smooth_on: (-0.5, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::ln_1p(a), a > -1.0), move || elementary::ln_1p(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g / (1.0 + a))
    }
}

impl SingularUnary for Log1p {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: false,
        distance: "|1 + a|",
        bounded: "ḡ·recip(1 + a)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(1.0 + a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, 1.0 + a, s)
    }
}

/// `ln(1 + a)/a`.
pub struct Log1prel;

impl Unary for Log1prel {
    const FACTS: Facts = Facts {
        domain: "a > −1",
        units: None,
        partials: "ḡ·(a ÷ (1 + a) − ln(1 + a)) ÷ a², −½ḡ at 0",
        reason: "The removable singularity at 0 is removed: value 1, slope −½. At −1 what log is at 0; \
                 the limit 0 at +∞.",
        notation: Notation::Call("log1prel"),
        smooth_on: (-0.5, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::log1prel(a), a > -1.0), move || elementary::log1prel(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (slope, holds) = elementary::fast::log1prel_slope(a);
        guarded(scaled(g, (slope, holds & is_normal(slope))), move || times_log1prel_slope(g, a))
    }
}

impl SingularUnary for Log1prel {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: false,
        distance: "|1 + a|",
        bounded: "ḡ·m·recip(1 + a), m = (a − (1 + a)·ln(1 + a)) ÷ a²",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(1.0 + a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        // The classical slope is m/(1 + a).
        let y = 1.0 + a;
        let (slope, holds) = elementary::fast::log1prel_slope(a);
        let (contribution, full) = times_recip_fast(g * (slope * y), y, s);
        let holds = holds & full & is_normal(slope) & is_full(g * (slope * y), g);
        guarded((contribution, holds), move || log1prel_bounded_fallback(g, a, s))
    }
}

/// Where the slope is below the range it is `(1 − ln a)/a²`.
#[cold]
fn times_log1prel_slope(g: f64, a: f64) -> f64 {
    let slope = elementary::log1prel_slope(a);
    if is_normal(slope) || !(a > 0.0 && a.is_finite()) || !g.is_finite() {
        return g * slope; // Φ left of −1
    }
    let numerator = Scaled::new(g).mul(Scaled::new(1.0 - elementary::ln(a)));
    numerator.div(Scaled::new(a)).div(Scaled::new(a)).to_f64()
}

/// `ḡ·m·recip(1 + a)`; far out m is `(1 − ln a)/a`.
#[cold]
fn log1prel_bounded_fallback(g: f64, a: f64, s: f64) -> f64 {
    let y = 1.0 + a;
    if y == 0.0 || !y.is_finite() || !g.is_finite() {
        return times_recip(g, y, s).full();
    }
    let slope = elementary::log1prel_slope(a);
    if slope.is_nan() {
        return slope;
    }
    let m = if is_normal(slope) {
        Scaled::new(slope).mul(Scaled::new(y))
    } else {
        Scaled::new(1.0 - elementary::ln(a)).div(Scaled::new(a))
    };
    Scaled::new(g).mul(m).div(Scaled::new(y).hypot(s)).to_f64()
}

/// `a·ln b`.
pub struct Xlogy;

impl Binary for Xlogy {
    const FACTS: Facts = Facts {
        domain: "b > 0, or a = 0 and b = 0",
        units: None,
        partials: "ḡ·ln b, ḡ·a ÷ b; at a = 0 the second is 0",
        reason: "0·ln 0 is 0, as SciPy and PyTorch have it: the limit of p·ln p, and what an impossible \
                 outcome adds to an entropy. For a ≠ 0 the tables of × and log. Toward a the slope at (0, 0) \
                 is −∞ and is dropped.",
        notation: Notation::Call("xlogy"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A, B],
        propagates: &[A],
    };
    type Singular = Self;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        let (log, holds) = elementary::fast::ln(b);
        guarded((if a == 0.0 { 0.0 } else { a * log }, holds), move || xlogy(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        guarded(xlogy_partials_fast(g, a, b), move || xlogy_partials_fallback(g, a, b))
    }
}

impl SingularBinary for Xlogy {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(1),
        is_real_there: true,
        distance: "|b|",
        bounded: "ḡ·ln b, ḡ·a·recip(b)",
    });

    #[inline(always)]
    fn pole(_a: f64, b: f64) -> Option<f64> {
        Some(b)
    }

    /// A double's logarithm is at most 745, so it is not bounded.
    #[inline(always)]
    fn bounded(g: f64, a: f64, b: f64, _z: f64, s: f64) -> impl Form<[f64; 2]> {
        guarded(xlogy_bounded_fast(g, a, b, s), move || xlogy_bounded_fallback(g, a, b, s))
    }
}

fn xlogy(a: f64, b: f64) -> f64 {
    match (a == 0.0, b > 0.0) {
        (true, _) if b >= 0.0 => 0.0,
        (_, true) => a * elementary::ln(b),
        _ => f64::NAN, // a Φ, or the logarithm of 0 or of a negative number
    }
}

#[inline(always)]
fn xlogy_partials_fast(g: f64, x: f64, y: f64) -> Fast<[f64; 2]> {
    let (log, holds) = elementary::fast::ln(y);
    let ratio = x / y;
    ([g * log, g * ratio], holds & is_full(ratio, x))
}

#[cold]
fn xlogy_partials_fallback(g: f64, x: f64, y: f64) -> [f64; 2] {
    let to_y = if x == 0.0 {
        g * 0.0 // constant in y, also where y is 0 or +∞
    } else if g.is_finite() && x.is_finite() && y.is_finite() && y != 0.0 {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(y)).to_f64()
    } else {
        g * (x / y)
    };
    [g * elementary::ln(y), to_y]
}

#[inline(always)]
fn xlogy_bounded_fast(g: f64, x: f64, y: f64, s: f64) -> Fast<[f64; 2]> {
    let (log, holds) = elementary::fast::ln(y);
    let (h, full) = smoothed(y, s);
    let ratio = x / h;
    ([g * log, g * ratio], holds & full & is_full(ratio, x))
}

#[cold]
fn xlogy_bounded_fallback(g: f64, x: f64, y: f64, s: f64) -> [f64; 2] {
    let to_y = if y == 0.0 || !y.is_finite() {
        g * 0.0 * x
    } else if g.is_finite() && x.is_finite() {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(y).hypot(s)).to_f64()
    } else {
        g * x
    };
    [g * elementary::ln(y), to_y]
}
