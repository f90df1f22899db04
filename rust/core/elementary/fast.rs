//! The forms for loops: a value and whether it holds, without a branch.
//!
//! A loop stores the values, gathers the flags, and asks the full function again where one is false;
//! the value means nothing there. Any bits may go in.
//!
//! ```
//! use zeroproof::elementary::{exp, fast};
//!
//! let (x, mut z, mut all_hold) = ([0.5, 1.0, -800.0], [0.0; 3], true);
//! for i in 0..3 {
//!     let (value, holds) = fast::exp(x[i]);
//!     z[i] = value;
//!     all_hold &= holds;
//! }
//! if !all_hold {
//!     z = x.map(exp);
//! }
//! assert_eq!(z, [exp(0.5), exp(1.0), 0.0]);
//! ```

use super::{
    cube_root, error_function, exponential, floor_division, half_turns, hyperbolic, inverse,
    inverse_hyperbolic, lengths, logarithm, near_one, normal_distribution, power, relative,
    scaled_logarithms, tangent, trigonometric,
};

/// `eˣ`, where it is a normal double.
#[inline(always)]
pub fn exp(x: f64) -> (f64, bool) {
    exponential::exp_fast(x)
}

/// `ln x`, for normal x > 0.
#[inline(always)]
pub fn ln(x: f64) -> (f64, bool) {
    logarithm::ln_fast(x)
}

/// `sin x`, for |x| up to 1.6·10⁶.
#[inline(always)]
pub fn sin(x: f64) -> (f64, bool) {
    let ([sin, _], holds) = trigonometric::sin_cos_fast(x);
    (sin, holds)
}

/// `cos x`, for |x| up to 1.6·10⁶.
#[inline(always)]
pub fn cos(x: f64) -> (f64, bool) {
    let ([_, cos], holds) = trigonometric::sin_cos_fast(x);
    (cos, holds)
}

/// `[sin x, cos x]`, for |x| up to 1.6·10⁶, at little more than the price of one.
#[inline(always)]
pub fn sin_cos(x: f64) -> ([f64; 2], bool) {
    trigonometric::sin_cos_fast(x)
}

/// `tanh x`, for all numbers.
#[inline(always)]
pub fn tanh(x: f64) -> (f64, bool) {
    exponential::tanh_fast(x)
}

/// `eˣ − 1`, for x up to 708.39 and −∞.
#[inline(always)]
pub fn expm1(x: f64) -> (f64, bool) {
    near_one::expm1_fast(x)
}

/// `ln(1 + x)`, for finite x > −1.
#[inline(always)]
pub fn ln_1p(x: f64) -> (f64, bool) {
    near_one::ln_1p_fast(x)
}

/// `1/(1 + e⁻ˣ)`, for x ≥ −708.39 and +∞.
#[inline(always)]
pub fn sigmoid(x: f64) -> (f64, bool) {
    near_one::sigmoid_fast(x)
}

/// `ln(1 + eˣ)`, for finite x ≥ −600.
#[inline(always)]
pub fn softplus(x: f64) -> (f64, bool) {
    near_one::softplus_fast(x)
}

/// `xʸ`, for normal x > 0, if it is a normal double.
#[inline(always)]
pub fn pow(x: f64, y: f64) -> (f64, bool) {
    power::pow_fast(x, y)
}

/// `√(a² + b²)`, if the larger magnitude lies between 2⁻⁴⁵⁰ and 2⁴⁰⁰.
#[inline(always)]
pub fn hypot(a: f64, b: f64) -> (f64, bool) {
    norm([a, b].into_iter())
}

/// `√Σv²`, if the largest magnitude lies between 2⁻⁴⁵⁰ and 2⁴⁰⁰.
#[inline(always)]
pub fn norm(values: impl Iterator<Item = f64> + Clone) -> (f64, bool) {
    lengths::norm_fast(values)
}

/// `tan x`, for |x| up to 1.6·10⁶.
#[inline(always)]
pub fn tan(x: f64) -> (f64, bool) {
    tangent::tan_fast(x)
}

/// `[sin πx, cos πx]`, for 0 and |x| from 2⁻⁹⁰⁰ to 2⁵⁰.
#[inline(always)]
pub fn sin_cos_pi(x: f64) -> ([f64; 2], bool) {
    half_turns::sin_cos_pi_fast(x)
}

/// `sin πx/(πx)`, for |x| below 2⁵⁰.
#[inline(always)]
pub fn sinc(x: f64) -> (f64, bool) {
    half_turns::sinc_fast(x)
}

/// The derivative of `sinc`, for 0 and |x| from 2⁻⁹⁰⁰ to 2⁵⁰, unless it is almost 0 beside its terms.
#[inline(always)]
pub fn sinc_slope(x: f64) -> (f64, bool) {
    half_turns::sinc_slope_fast(x)
}

/// `asin x`, for |x| ≤ 1.
#[inline(always)]
pub fn asin(x: f64) -> (f64, bool) {
    inverse::asin_fast(x)
}

/// `acos x`, for |x| ≤ 1.
#[inline(always)]
pub fn acos(x: f64) -> (f64, bool) {
    inverse::acos_fast(x)
}

/// The angle of (x, y), if both magnitudes lie between 2⁻⁴⁵⁰ and 2⁴⁵⁰ or one of them does and the
/// other is 0.
#[inline(always)]
pub fn atan2(y: f64, x: f64) -> (f64, bool) {
    inverse::atan2_fast(y, x)
}

/// `atan x`, for all numbers.
#[inline(always)]
pub fn atan(x: f64) -> (f64, bool) {
    inverse::atan_fast(x)
}

/// `sinh x`, for |x| up to 708.39.
#[inline(always)]
pub fn sinh(x: f64) -> (f64, bool) {
    let ([sinh, _], holds) = hyperbolic::sinh_cosh_fast(x);
    (sinh, holds)
}

/// `cosh x`, for |x| up to 708.39.
#[inline(always)]
pub fn cosh(x: f64) -> (f64, bool) {
    let ([_, cosh], holds) = hyperbolic::sinh_cosh_fast(x);
    (cosh, holds)
}

/// `[sinh x, cosh x]`, for |x| up to 708.39, at little more than the price of one.
#[inline(always)]
pub fn sinh_cosh(x: f64) -> ([f64; 2], bool) {
    hyperbolic::sinh_cosh_fast(x)
}

/// `asinh x`, for |x| up to 2⁵⁰⁰.
#[inline(always)]
pub fn asinh(x: f64) -> (f64, bool) {
    inverse_hyperbolic::asinh_fast(x)
}

/// `acosh x`, for x from 1 to 2⁵⁰⁰.
#[inline(always)]
pub fn acosh(x: f64) -> (f64, bool) {
    inverse_hyperbolic::acosh_fast(x)
}

/// `atanh x`, for |x| < 1.
#[inline(always)]
pub fn atanh(x: f64) -> (f64, bool) {
    inverse_hyperbolic::atanh_fast(x)
}

/// `∛x`, for normal x.
#[inline(always)]
pub fn cbrt(x: f64) -> (f64, bool) {
    cube_root::cbrt_fast(x)
}

/// `log₂ x`, for normal x > 0.
#[inline(always)]
pub fn log2(x: f64) -> (f64, bool) {
    scaled_logarithms::log2_fast(x)
}

/// `log₁₀ x`, for normal x > 0.
#[inline(always)]
pub fn log10(x: f64) -> (f64, bool) {
    scaled_logarithms::log10_fast(x)
}

/// `x − y·⌊x/y⌋`, for normal y and |x| ≤ 2¹⁰²², if |x/y| is below 2⁵⁰.
#[inline(always)]
pub fn remainder(x: f64, y: f64) -> (f64, bool) {
    floor_division::remainder_fast(x, y)
}

/// `⌊x/y⌋`, for normal y and |x| ≤ 2¹⁰²², if |x/y| is below 2⁵⁰.
#[inline(always)]
pub fn floor_quotient(x: f64, y: f64) -> (f64, bool) {
    floor_division::floor_quotient_fast(x, y)
}

/// `erf x`, for 0 and |x| ≥ 2⁻⁹⁰⁰.
#[inline(always)]
pub fn erf(x: f64) -> (f64, bool) {
    error_function::erf_fast(x)
}

/// `erfc x`, for x up to 26.
#[inline(always)]
pub fn erfc(x: f64) -> (f64, bool) {
    error_function::erfc_fast(x)
}

/// The derivative of `erf`, for |x| up to 26.5.
#[inline(always)]
pub fn erf_slope(x: f64) -> (f64, bool) {
    error_function::erf_slope_fast(x)
}

/// `ln Φ(x)`, for x from −10¹⁵⁰ to 37.
#[inline(always)]
pub fn log_ndtr(x: f64) -> (f64, bool) {
    normal_distribution::log_ndtr_fast(x)
}

/// `φ(x)/Φ(x)`, for finite x up to 37.
#[inline(always)]
pub fn log_ndtr_slope(x: f64) -> (f64, bool) {
    normal_distribution::log_ndtr_slope_fast(x)
}

/// `(eˣ − 1)/x`, for x from −2⁹⁰⁰ to 708.39.
#[inline(always)]
pub fn exprel(x: f64) -> (f64, bool) {
    relative::exprel_fast(x)
}

/// The derivative of `exprel`, for x from −10¹⁵⁰ to 700.
#[inline(always)]
pub fn exprel_slope(x: f64) -> (f64, bool) {
    relative::exprel_slope_fast(x)
}

/// `ln(1 + x)/x`, for x > −1 up to 2⁹⁰⁰.
#[inline(always)]
pub fn log1prel(x: f64) -> (f64, bool) {
    relative::log1prel_fast(x)
}

/// The derivative of `log1prel`, for x > −1 up to 10¹⁵⁰.
#[inline(always)]
pub fn log1prel_slope(x: f64) -> (f64, bool) {
    relative::log1prel_slope_fast(x)
}

/// `(1 − cos x)/x²`, for |x| up to 3.2·10⁶.
#[inline(always)]
pub fn cosc(x: f64) -> (f64, bool) {
    super::cosc::cosc_fast(x)
}

/// The derivative of `cosc`, for 0 and |x| from 2⁻⁹⁰⁰ to 3.2·10⁶, unless it is almost stationary there.
#[inline(always)]
pub fn cosc_slope(x: f64) -> (f64, bool) {
    super::cosc::cosc_slope_fast(x)
}
