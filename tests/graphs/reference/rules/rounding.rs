//! Rounding and remainders.

use crate::reference::wide::Wide;

/// The integer nearest to `x`, an even one for halves.
pub fn round(x: f64) -> f64 {
    let low = x.floor();
    match x - low {
        rest if rest < 0.5 => low,
        rest if rest > 0.5 => low + 1.0,
        _ if x.is_infinite() || low % 2.0 == 0.0 => low,
        _ => low + 1.0,
    }
}

/// Whether the truncated quotient is one more than `⌊a/b⌋`.
fn is_above(a: f64, b: f64) -> bool {
    a % b != 0.0 && (a < 0.0) != (b < 0.0)
}

/// Python's `a % b`.
pub fn remainder(a: f64, b: f64) -> f64 {
    match a % b {
        _ if a.is_infinite() || b == 0.0 => f64::NAN,
        0.0 => f64::copysign(0.0, b),
        _ if is_above(a, b) => a % b + b,
        rest => rest,
    }
}

/// `⌊a/b⌋`.
pub fn floor_quotient(a: f64, b: f64) -> Wide {
    let truncated = Wide::new(a - a % b).over(Wide::new(b));
    let (quotient, above) = (truncated.narrow(), f64::from(u8::from(is_above(a, b))));
    if quotient.abs() < 2f64.powi(60) { Wide::new(quotient.round() - above) } else { truncated }
}
