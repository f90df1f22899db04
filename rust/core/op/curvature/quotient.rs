//! The tangent of a quotient.

use super::super::form::Fast;
use super::super::range::is_normal;

/// `(s − z·t) ÷ b` for the quotient z of a and b with tangents s and t: what both contribute, by one division.
/// It holds where the product loses nothing and the result is REAL.
#[inline(always)]
pub fn tangent_of_quotient([s, t]: [f64; 2], b: f64, z: f64) -> Fast<f64> {
    let product = z * t;
    let tangent = (s - product) / b;
    (tangent, (is_normal(product) | (z == 0.0) | (t == 0.0)) & tangent.is_finite())
}
