//! An entry times its weights, an adjoint and a tangent.

use super::super::form::Fast;
use super::super::range::is_normal;
use super::wide::Wide;

/// `g·t·m` for an entry in fast form, normal or an exact 0, and whether the weight loses nothing. With an entry of 1 it is
/// rounded once, whatever its size.
#[inline(always)]
pub fn term_fast(g: f64, t: f64, m: f64) -> Fast<f64> {
    let weight = g * t;
    (weight * m, is_normal(weight) | (g == 0.0) | (t == 0.0) | (m == 1.0))
}

/// `g·t·m` for an entry in fast form.
#[inline(always)]
pub fn term(g: f64, t: f64, m: f64) -> f64 {
    let (term, holds) = term_fast(g, t, m);
    if holds { term } else { odd_weights(g, t, Wide::new(m)) }
}

/// `g·t·m` for an entry of any size.
#[cold]
pub fn wide_term(g: f64, t: f64, m: Wide) -> f64 {
    odd_weights(g, t, m)
}

#[cold]
#[inline(never)]
fn odd_weights(g: f64, t: f64, m: Wide) -> f64 {
    if g == 0.0 || t == 0.0 { 0.0 } else { Wide::new(g).mul(Wide::new(t)).mul(m).to_f64() }
}
