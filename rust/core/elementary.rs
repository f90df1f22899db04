//! Elementary functions: the same bits on every machine and path, errors of at most 1 ulp.
//!
//! Each function has a **fast form** ([`fast`]), which covers the operands that occur in practice
//! without a branch, so that loops over it vectorise, and a fallback form for the others: overflow,
//! subnormals, huge angles, infinities, NaN. The fast form says itself whether it holds, so which of the
//! two is used depends on the operand only. A scalar, a vector of two, four or eight lanes and any
//! number of threads then compute the same bits, since nothing but IEEE `+ − × ÷` and operations on
//! bits is used: no fused multiply-add, and no platform's libm.
//!
//! Wherever the last bit counts, kernels split their operands so that the leading terms are exact (Cody
//! and Waite; Dekker) and end in one addition of a large and a small term. Polynomials are minimax
//! (Remez in 60 digits, coefficients then rounded to doubles).
//!
//! | function | largest error found, in ulp | for subnormal results |
//! |---|---|---|
//! | `exp` | 0.63 | 0.77 |
//! | `ln` | 0.69 | |
//! | `sin`, `cos` | 0.74 | |
//! | `tanh` | 0.58 | |
//! | `expm1` | 0.66 | |
//! | `ln_1p` | 0.67 | |
//! | `sigmoid` | 0.53 | 0.77 |
//! | `softplus` | 0.67 | 0.77 |
//! | `pow` | 0.54 | 0.76 |
//! | `hypot` | 0.51 | 0.75 |
//! | `tan` | 0.58 | |
//! | `sin_cos_pi` | 0.71 | 0.75 |
//! | `sinc` | 0.77 | |
//! | `sinc_slope` | 0.78 | 0.75 |
//! | `asin` | 0.69 | |
//! | `acos` | 0.67 | |
//! | `atan2` | 0.78 | 0.51 |
//! | `atan` | 0.79 | |
//! | `sinh` | 0.57 | |
//! | `cosh` | 0.53 | |
//! | `asinh` | 0.66 | |
//! | `acosh` | 0.68 | |
//! | `atanh` | 0.55 | |
//! | `cbrt` | 0.501 | |
//! | `log2` | 0.75 | |
//! | `log10` | 0.65 | |
//! | `remainder` | 0.5 | 0 |
//! | `floor_quotient` | 0 below 2⁵³, 0.5 beyond | |
//! | `erf` | 0.79 | 0.74 |
//! | `erfc` | 0.76 | 0.79 |
//! | `erf_slope` | 0.54 | 0.75 |
//! | `log_ndtr` | 0.80 | 0.77 |
//! | `log_ndtr_slope` | 0.84 | 0.76 |
//! | `exprel` | 0.59 | 0.50 |
//! | `exprel_slope` | 0.66 | 0.75 |
//! | `log1prel` | 0.67 | |
//! | `log1prel_slope` | 0.82 | 0.74 |
//! | `cosc` | 0.69 | 0.75 |
//! | `cosc_slope` | 0.98 | 0.75 |
//!
//! Found among 2·10⁸ operands for the first five functions, 3·10⁶ for `sinc_slope` and from `erf` on, and
//! 2.5·10⁷ to 10⁸ for each of the others, of all kinds: random bits, every binade alike, both sides of
//! poles, zeros and changes of form, subnormals, overflow. The reference has 113 bits. A result that is
//! rounded once as a normal double and once more as a subnormal is off by up to about ¾ ulp.

mod cosc;
mod cube_root;
mod error_function;
mod exact;
mod exponential;
pub mod fast;
mod fixed_point;
mod floor_division;
mod half_turns;
mod hyperbolic;
mod inverse;
mod inverse_hyperbolic;
mod lengths;
mod logarithm;
mod near_one;
mod normal_distribution;
mod payne_hanek;
mod power;
mod relative;
mod scaled_logarithms;
pub(crate) mod second;
mod tangent;
mod trigonometric;

/// `eˣ`: +∞ on overflow, subnormals and 0 on underflow, NaN for NaN.
#[inline]
pub fn exp(x: f64) -> f64 {
    let (value, holds) = fast::exp(x);
    if holds { value } else { exponential::exp_fallback(x) }
}

/// `ln x`: −∞ for ±0, NaN for negative numbers and NaN.
#[inline]
pub fn ln(x: f64) -> f64 {
    let (value, holds) = fast::ln(x);
    if holds { value } else { logarithm::ln_fallback(x) }
}

/// `sin x`, for every finite x; NaN for ±∞ and NaN.
#[inline]
pub fn sin(x: f64) -> f64 {
    let (value, holds) = fast::sin(x);
    if holds { value } else { trigonometric::sin_cos_fallback(x)[0] }
}

/// `cos x`, for every finite x; NaN for ±∞ and NaN.
#[inline]
pub fn cos(x: f64) -> f64 {
    let (value, holds) = fast::cos(x);
    if holds { value } else { trigonometric::sin_cos_fallback(x)[1] }
}

/// `[sin x, cos x]`, the bits of [`sin`] and [`cos`].
#[inline]
pub fn sin_cos(x: f64) -> [f64; 2] {
    let (values, holds) = fast::sin_cos(x);
    if holds { values } else { trigonometric::sin_cos_fallback(x) }
}

/// `tanh x`; NaN for NaN.
#[inline]
pub fn tanh(x: f64) -> f64 {
    let (value, holds) = fast::tanh(x);
    if holds { value } else { exponential::tanh_fallback(x) }
}

/// `eˣ − 1`, with all its digits near 0; NaN for NaN.
#[inline]
pub fn expm1(x: f64) -> f64 {
    let (value, holds) = fast::expm1(x);
    if holds { value } else { near_one::expm1_fallback(x) }
}

/// `ln(1 + x)`, with all its digits near 0: −∞ for −1, NaN below and for NaN.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    let (value, holds) = fast::ln_1p(x);
    if holds { value } else { near_one::ln_1p_fallback(x) }
}

/// The logistic function `1/(1 + e⁻ˣ)`, with all its digits also where it is close to 0; NaN for NaN.
#[inline]
pub fn sigmoid(x: f64) -> f64 {
    let (value, holds) = fast::sigmoid(x);
    if holds { value } else { near_one::sigmoid_fallback(x) }
}

/// `ln(1 + eˣ)`, with all its digits also where it is close to 0; NaN for NaN.
#[inline]
pub fn softplus(x: f64) -> f64 {
    let (value, holds) = fast::softplus(x);
    if holds { value } else { near_one::softplus_fallback(x) }
}

/// `xʸ` for real exponents, with the special cases of C99's `pow`: 1 if x is 1 or y is 0, even beside NaN;
/// NaN for negative numbers to no integer.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    let (value, holds) = fast::pow(x, y);
    if holds { value } else { power::pow_fallback(x, y) }
}

/// `√(a² + b²)` without avoidable overflow or underflow: NaN for NaN, also beside ±∞, else +∞ for ±∞.
#[inline]
pub fn hypot(a: f64, b: f64) -> f64 {
    norm([a, b].into_iter())
}

/// `√Σv²`, summed in the order given: the bits of [`hypot`] for two values, |v| for one, 0 for none.
///
/// The sum is kept in two doubles, so the error does not grow with the number of values. NaN and ±∞ as
/// in [`hypot`].
#[inline]
pub fn norm(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (value, holds) = fast::norm(values.clone());
    if holds { value } else { lengths::norm_fallback(values) }
}

/// `tan x`, for every finite x; NaN for ±∞ and NaN.
#[inline]
pub fn tan(x: f64) -> f64 {
    let (value, holds) = fast::tan(x);
    if holds { value } else { tangent::tan_fallback(x) }
}

/// `[sin πx, cos πx]`, for every finite x; NaN for ±∞ and NaN.
///
/// Zeros and ±1 are exact. At integers the sine has the sign of x; zeros of the cosine are positive.
#[inline]
pub fn sin_cos_pi(x: f64) -> [f64; 2] {
    let (values, holds) = fast::sin_cos_pi(x);
    if holds { values } else { half_turns::sin_cos_pi_fallback(x) }
}

/// `sinc x = sin πx/(πx)`: 1 at ±0, +0 at the other integers and at ±∞, NaN for NaN.
#[inline]
pub fn sinc(x: f64) -> f64 {
    let (value, holds) = fast::sinc(x);
    if holds { value } else { half_turns::sinc_fallback(x) }
}

/// The derivative of [`sinc`], `(cos πx − sinc x)/x`: +0 at ±0 and ±∞, NaN for NaN.
#[inline]
pub fn sinc_slope(x: f64) -> f64 {
    let (value, holds) = fast::sinc_slope(x);
    if holds { value } else { half_turns::sinc_slope_fallback(x) }
}

/// `asin x`; NaN outside [−1, 1] and for NaN.
#[inline]
pub fn asin(x: f64) -> f64 {
    let (value, holds) = fast::asin(x);
    if holds { value } else { f64::NAN }
}

/// `acos x`; NaN outside [−1, 1] and for NaN.
#[inline]
pub fn acos(x: f64) -> f64 {
    let (value, holds) = fast::acos(x);
    if holds { value } else { f64::NAN }
}

/// The angle of the point (x, y) in [−π, π], with the special cases of C99's `atan2`.
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    let (value, holds) = fast::atan2(y, x);
    if holds { value } else { inverse::atan2_fallback(y, x) }
}

/// `atan x`; NaN for NaN. The bits of [`atan2`] with 1.
#[inline]
pub fn atan(x: f64) -> f64 {
    let (value, holds) = fast::atan(x);
    if holds { value } else { f64::NAN }
}

/// `sinh x`: ±∞ on overflow, NaN for NaN.
#[inline]
pub fn sinh(x: f64) -> f64 {
    let (value, holds) = fast::sinh(x);
    if holds { value } else { hyperbolic::sinh_cosh_fallback(x)[0] }
}

/// `cosh x`: +∞ on overflow, NaN for NaN.
#[inline]
pub fn cosh(x: f64) -> f64 {
    let (value, holds) = fast::cosh(x);
    if holds { value } else { hyperbolic::sinh_cosh_fallback(x)[1] }
}

/// `[sinh x, cosh x]`, the bits of [`sinh`] and [`cosh`].
#[inline]
pub fn sinh_cosh(x: f64) -> [f64; 2] {
    let (values, holds) = fast::sinh_cosh(x);
    if holds { values } else { hyperbolic::sinh_cosh_fallback(x) }
}

/// `asinh x`, with all its digits near 0; NaN for NaN.
#[inline]
pub fn asinh(x: f64) -> f64 {
    let (value, holds) = fast::asinh(x);
    if holds { value } else { inverse_hyperbolic::asinh_fallback(x) }
}

/// `acosh x`, with all its digits near 1; NaN below 1 and for NaN.
#[inline]
pub fn acosh(x: f64) -> f64 {
    let (value, holds) = fast::acosh(x);
    if holds { value } else { inverse_hyperbolic::acosh_fallback(x) }
}

/// `atanh x`, with all its digits near 0: ±∞ for ±1, NaN beyond and for NaN.
#[inline]
pub fn atanh(x: f64) -> f64 {
    let (value, holds) = fast::atanh(x);
    if holds { value } else { inverse_hyperbolic::atanh_fallback(x) }
}

/// `∛x`, also of negative numbers; NaN for NaN. Roots that are doubles are exact.
#[inline]
pub fn cbrt(x: f64) -> f64 {
    let (value, holds) = fast::cbrt(x);
    if holds { value } else { cube_root::cbrt_fallback(x) }
}

/// `log₂ x`, exact for powers of two: −∞ for ±0, NaN for negative numbers and NaN.
#[inline]
pub fn log2(x: f64) -> f64 {
    let (value, holds) = fast::log2(x);
    if holds { value } else { scaled_logarithms::log2_fallback(x) }
}

/// `log₁₀ x`, an integer for powers of ten: −∞ for ±0, NaN for negative numbers and NaN.
#[inline]
pub fn log10(x: f64) -> f64 {
    let (value, holds) = fast::log10(x);
    if holds { value } else { scaled_logarithms::log10_fallback(x) }
}

/// `x − y·⌊x/y⌋`, which has the sign of y, zeros too: NaN for infinite x, for y = ±0 and for NaN.
///
/// It is Python's `x % y`, bit for bit: exact where x and y have the same sign, else one rounding away, which
/// may give y. For y = ±∞ it is x, or y if their signs differ.
#[inline]
pub fn remainder(x: f64, y: f64) -> f64 {
    let (value, holds) = fast::remainder(x, y);
    if holds { value } else { floor_division::remainder_fallback(x, y) }
}

/// `⌊x/y⌋` of the exact quotient: NaN where [`remainder`] is.
///
/// Exact below 2⁵³, where Python's `x // y` may be off by one from 2⁵¹ on. Beyond it is `x/y`, which rounds to
/// a double nearest to it: ±∞ on overflow. Zeros have the sign of `x/y`. For y = ±∞ it is 0, or −1 if x is not
/// 0 and the signs differ.
#[inline]
pub fn floor_quotient(x: f64, y: f64) -> f64 {
    let (value, holds) = fast::floor_quotient(x, y);
    if holds { value } else { floor_division::floor_quotient_fallback(x, y) }
}

/// The error function `2/√π·∫₀ˣ e^(−t²) dt`; NaN for NaN.
#[inline]
pub fn erf(x: f64) -> f64 {
    let (value, holds) = fast::erf(x);
    if holds { value } else { error_function::erf_fallback(x) }
}

/// `erfc x = 1 − erf x`, with all its digits also where it is close to 0; NaN for NaN.
#[inline]
pub fn erfc(x: f64) -> f64 {
    let (value, holds) = fast::erfc(x);
    if holds { value } else { error_function::erfc_fallback(x) }
}

/// The derivative of [`erf`], `2/√π·e^(−x²)`; NaN for NaN.
#[inline]
pub fn erf_slope(x: f64) -> f64 {
    let (value, holds) = fast::erf_slope(x);
    if holds { value } else { error_function::erf_slope_fallback(x) }
}

/// `ln Φ(x)`, Φ the distribution function of the standard normal distribution, with all its digits also far
/// from 0: −∞ only where it overflows, near −1.9·10¹⁵⁴; NaN for NaN.
#[inline]
pub fn log_ndtr(x: f64) -> f64 {
    let (value, holds) = fast::log_ndtr(x);
    if holds { value } else { normal_distribution::log_ndtr_fallback(x) }
}

/// The derivative of [`log_ndtr`], `φ(x)/Φ(x)`: close to −x far to the left, +∞ at −∞, NaN for NaN.
#[inline]
pub fn log_ndtr_slope(x: f64) -> f64 {
    let (value, holds) = fast::log_ndtr_slope(x);
    if holds { value } else { normal_distribution::log_ndtr_slope_fallback(x) }
}

/// `(eˣ − 1)/x`: 1 at ±0, 0 at −∞, +∞ only where it overflows; NaN for NaN.
#[inline]
pub fn exprel(x: f64) -> f64 {
    let (value, holds) = fast::exprel(x);
    if holds { value } else { relative::exprel_fallback(x) }
}

/// The derivative of [`exprel`], `(eˣ(x − 1) + 1)/x²`: ½ at ±0, 0 at −∞, +∞ only where it overflows; NaN for
/// NaN.
#[inline]
pub fn exprel_slope(x: f64) -> f64 {
    let (value, holds) = fast::exprel_slope(x);
    if holds { value } else { relative::exprel_slope_fallback(x) }
}

/// `ln(1 + x)/x`: 1 at ±0, +∞ at −1, 0 at +∞; NaN below −1 and for NaN.
#[inline]
pub fn log1prel(x: f64) -> f64 {
    let (value, holds) = fast::log1prel(x);
    if holds { value } else { relative::log1prel_fallback(x) }
}

/// The derivative of [`log1prel`], `(x/(1 + x) − ln(1 + x))/x²`: −½ at ±0, −∞ at −1, +0 at +∞; NaN below −1
/// and for NaN.
#[inline]
pub fn log1prel_slope(x: f64) -> f64 {
    let (value, holds) = fast::log1prel_slope(x);
    if holds { value } else { relative::log1prel_slope_fallback(x) }
}

/// `cosc x = (1 − cos x)/x²`: ½ at ±0, 0 at ±∞; NaN for NaN.
#[inline]
pub fn cosc(x: f64) -> f64 {
    let (value, holds) = fast::cosc(x);
    if holds { value } else { cosc::cosc_fallback(x) }
}

/// The derivative of [`cosc`], `(x·sin x + 2·cos x − 2)/x³`: +0 at ±0 and ±∞, NaN for NaN.
#[inline]
pub fn cosc_slope(x: f64) -> f64 {
    let (value, holds) = fast::cosc_slope(x);
    if holds { value } else { cosc::cosc_slope_fallback(x) }
}

#[doc(hidden)]
#[deprecated = "renamed `fast`"]
pub use fast as hot;
