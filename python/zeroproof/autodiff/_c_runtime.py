"""The part of a generated C source that is the same for all programs.

The functions for values and contributions do what the engine's op table does, step by step: where
plain doubles lose digits or leave the range, the same products are taken with a wide exponent.
"""

from __future__ import annotations

__all__ = ["RUNTIME"]

RUNTIME = r"""
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "infinities and NaN are values here: compile without -ffast-math and -ffinite-math-only"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 2)
#error "doubles must be evaluated as doubles: on 32-bit x86, compile with -msse2 -mfpmath=sse"
#endif

#ifndef ZEROPROOF_RUNTIME
#define ZEROPROOF_RUNTIME 1

#if defined(__GNUC__)
#define ZP_APART __attribute__((noinline, unused)) /* what is large or seldom called */
#else
#define ZP_APART inline
#endif

enum { ZP_MASKED = 1, ZP_DROPPED = 2 };
enum { ZP_STRICT, ZP_DROP_NULL, ZP_DROP_NONREAL };

/* The adjoint of a node: a sum that begins with its first contribution. */
typedef struct {
    double sum;
    unsigned char received, reached, status;
} zp_row;

static inline double zp_adjoint(const zp_row *row) { return row->received ? row->sum : 0.0; }

/* A contribution arrives; one that is not finite is left out, and counts unless g is 0. */
static inline void zp_receive(zp_row *to, double contribution, double g, unsigned char status) {
    if (!to) return;
    to->reached = 1;
    to->status |= status;
    if (!isfinite(contribution)) {
        if (g != 0.0) to->status |= ZP_DROPPED;
        return;
    }
    to->sum = to->received ? to->sum + contribution : contribution;
    to->received = 1;
}

static inline void zp_silence(zp_row *to, unsigned char status) {
    if (!to) return;
    to->reached = 1;
    to->status |= status | ZP_MASKED;
}

/* The same for long functions, which are compiled in a fraction of the time. */
static ZP_APART void zp_receive_apart(zp_row *to, double contribution, double g,
                                      unsigned char status) {
    zp_receive(to, contribution, g, status);
}

static ZP_APART void zp_silence_apart(zp_row *to, unsigned char status) { zp_silence(to, status); }

/* (hi + lo) * 2^exponent, hi in [1, 2) up to its sign, or 0. */
typedef struct {
    double hi, lo;
    int64_t exponent;
} zp_wide;

static inline double zp_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t zp_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double zp_power_of_two(int64_t e) { return zp_from_bits((uint64_t)(e + 1023) << 52); }

static inline zp_wide zp_normalized(double hi, double lo, int64_t exponent) {
    zp_wide wide = {hi, 0.0, 0};
    if (hi == 0.0) return wide;
    int64_t biased = (int64_t)(zp_bits(hi) >> 52 & 0x7ff);
    if (biased == 0) { /* subnormal, and exact */
        hi *= 0x1p64;
        lo = 0.0;
        exponent -= 64;
        biased = (int64_t)(zp_bits(hi) >> 52 & 0x7ff);
    }
    const int64_t shift = biased - 1023;
    wide.hi = zp_from_bits((zp_bits(hi) & 0x800fffffffffffffu) | (uint64_t)1023 << 52);
    wide.lo = lo == 0.0 ? 0.0 : lo * zp_power_of_two(-shift);
    wide.exponent = exponent + shift;
    return wide;
}

static inline zp_wide zp_widened(double x) { return zp_normalized(x, 0.0, 0); }

static inline double zp_product_error(double a, double b, double product) {
    const double scaled_a = 134217729.0 * a, scaled_b = 134217729.0 * b;
    const double ah = scaled_a - (scaled_a - a), bh = scaled_b - (scaled_b - b);
    const double al = a - ah, bl = b - bh;
    return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
}

/* e^(-a^2), with what rounding took from the square; it is 0 from 28 on. */
static inline double zp_gauss(double a) {
    const double square = a * a;
    return fabs(a) < 64.0 ? exp(-square) * (1.0 - zp_product_error(a, a, square)) : 0.0;
}

static inline zp_wide zp_wide_mul(zp_wide a, zp_wide b) {
    const double product = a.hi * b.hi;
    const double error = zp_product_error(a.hi, b.hi, product) + (a.hi * b.lo + a.lo * b.hi);
    const double hi = product + error;
    return zp_normalized(hi, (product - hi) + error, a.exponent + b.exponent);
}

static inline zp_wide zp_wide_div(zp_wide a, zp_wide b) {
    const double quotient = a.hi / b.hi, back = quotient * b.hi;
    const double error = zp_product_error(quotient, b.hi, back);
    const double rest = ((a.hi - back) - error) + (a.lo - quotient * b.lo);
    const double correction = rest / b.hi, hi = quotient + correction;
    return zp_normalized(hi, (quotient - hi) + correction, a.exponent - b.exponent);
}

static inline zp_wide zp_wide_power(zp_wide base, uint64_t n) {
    zp_wide result = {1.0, 0.0, 0};
    while (n > 0) {
        if (n & 1) result = zp_wide_mul(result, base);
        base = zp_wide_mul(base, base);
        n >>= 1;
    }
    return result;
}

static inline double zp_narrowed(zp_wide wide) {
    const double unit = wide.lo == 0.0 ? wide.hi : wide.hi + wide.lo;
    if (wide.exponent > 1023) return unit * INFINITY;
    if (wide.exponent >= -1022) return unit * zp_power_of_two(wide.exponent);
    if (wide.exponent >= -1100) /* subnormal: rounded once, by the last product */
        return unit * zp_power_of_two(wide.exponent + 200) * zp_power_of_two(-200);
    return unit * 0.0;
}

/* Whether a factor lost nothing: it is normal, or 0 because its numerator is. */
static inline int zp_is_full(double factor, double numerator) {
    return isnormal(factor) || (numerator == 0.0 && factor == 0.0);
}

/* g / (a ln_base), the slope of a logarithm. */
static inline double zp_log_to(double g, double a, double ln_base) {
    const double product = a * ln_base;
    if (isnormal(product) || !isfinite(a) || !isfinite(g) || a == 0.0) return g / product;
    return zp_narrowed(zp_wide_div(zp_wide_div(zp_widened(g), zp_widened(a)), zp_widened(ln_base)));
}

static inline double zp_sign(double a) { return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a + 0.0; }
static inline double zp_larger(double a, double b) { return b > a || isnan(b) ? b : a; }
static inline double zp_smaller(double a, double b) { return b < a || isnan(b) ? b : a; }
static inline double zp_copysign(double a, double b) { return isnan(b) ? b : copysign(a, b); }

static inline void zp_to_winner(double g, int a_wins, int b_wins, double to[2]) {
    to[0] = a_wins ? b_wins ? 0.5 * g : g : 0.0 * g;
    to[1] = a_wins ? b_wins ? 0.5 * g : 0.0 * g : g;
}

static inline double zp_square_to(double g, double a) {
    const double twice = 2.0 * g;
    return isfinite(twice) || !isfinite(g) ? twice * a : g * (2.0 * a);
}

static ZP_APART double zp_div_far(double g, double a, double y) {
    const zp_wide wide = zp_widened(y), product = zp_wide_mul(zp_widened(-g), zp_widened(a));
    return zp_narrowed(zp_wide_div(zp_wide_div(product, wide), wide));
}

static inline void zp_div_to(double g, double a, double y, double z, double to[2]) {
    to[0] = g / y;
    to[1] = -to[0] * z;
    if (zp_is_full(to[0], g) && zp_is_full(z, a)) return;
    if (isfinite(g) && isfinite(a) && isfinite(y) && y != 0.0) to[1] = zp_div_far(g, a, y);
}

static inline double zp_power(double x, int32_t n) {
    if (n == 0) return x != 0.0 && isfinite(x) ? 1.0 : NAN;
    double result = 1.0, base = x;
    for (uint32_t bits = n < 0 ? 0u - (uint32_t)n : (uint32_t)n; bits > 0; bits >>= 1) {
        if (bits & 1) result *= base;
        base *= base;
    }
    return n < 0 ? 1.0 / result : result;
}

static ZP_APART double zp_power_to(double g, double x, int32_t n) {
    const double scale = g * (double)n, square = x * x;
    const int64_t m = (int64_t)n - 1;
    const uint64_t size = m < 0 ? (uint64_t)-m : (uint64_t)m;
    if (n == 0) return g * 0.0;
    if (n == 1) return g;
    if (n == 2) {
        if (isfinite(scale) || !isfinite(g)) return scale * x;
    } else if (size <= 4) {
        const double power =
            size == 1 ? x : size == 2 ? square : size == 3 ? square * x : square * square;
        if (isnormal(power) && zp_is_full(scale, g)) return n > 0 ? scale * power : scale / power;
    }
    if (isinf(x) && m < 0) return g * 0.0;
    if (!isfinite(g) || !isfinite(x) || (x == 0.0 && m < 0)) {
        const double power = zp_power(x, size > INT32_MAX ? INT32_MAX : (int32_t)size);
        return m < 0 ? scale / power : scale * power;
    }
    const zp_wide wide = zp_wide_mul(zp_widened(g), zp_widened((double)n));
    const zp_wide power = zp_wide_power(zp_widened(x), size);
    return zp_narrowed(m < 0 ? zp_wide_div(wide, power) : zp_wide_mul(wide, power));
}

static inline int zp_keeps(int mode, double x) {
    return mode == ZP_STRICT || (mode == ZP_DROP_NULL ? !isnan(x) : isfinite(x));
}

static inline int zp_only_null(int mode, const double *x, size_t n) {
    if (mode != ZP_DROP_NULL) return 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) return 0;
    return 1;
}

static inline size_t zp_kept(int mode, const double *x, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += zp_keeps(mode, x[i]);
    return count;
}

static ZP_APART double zp_sum(int mode, const double *x, size_t n) {
    double sum = 0.0;
    size_t count = 0;
    if (zp_only_null(mode, x, n)) return NAN;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) sum = count++ ? sum + x[i] : x[i];
    return sum;
}

static inline double zp_mean(int mode, const double *x, size_t n) {
    return zp_sum(mode, x, n) / (double)zp_kept(mode, x, n);
}

static ZP_APART double zp_prod(int mode, const double *x, size_t n) {
    double product = 1.0;
    size_t count = 0;
    if (zp_only_null(mode, x, n)) return NAN;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) product = count++ ? product * x[i] : x[i];
    return product;
}

static ZP_APART double zp_max(int mode, const double *x, size_t n) {
    double z = NAN;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) z = count++ ? zp_larger(z, x[i]) : x[i];
    return z;
}

static ZP_APART double zp_min(int mode, const double *x, size_t n) {
    double z = NAN;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) z = count++ ? zp_smaller(z, x[i]) : x[i];
    return z;
}

static ZP_APART double zp_norm(int mode, const double *x, size_t n) {
    double largest = 0.0, sum = 0.0;
    int exponent;
    if (zp_only_null(mode, x, n)) return NAN;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) largest = zp_larger(largest, fabs(x[i]));
    if (largest == 0.0 || !isfinite(largest)) return largest;
    frexp(largest, &exponent);
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) {
            const double scaled = ldexp(x[i], -exponent);
            sum += scaled * scaled;
        }
    return ldexp(sqrt(sum), exponent);
}

static ZP_APART double zp_logsumexp(int mode, const double *x, size_t n) {
    double largest = -INFINITY, sum = 0.0;
    int found = 0;
    if (zp_only_null(mode, x, n)) return NAN;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) largest = zp_larger(largest, x[i]);
    if (!isfinite(largest)) return largest;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) {
            if (x[i] == largest && !found) found = 1;
            else sum += exp(x[i] - largest);
        }
    return largest + log1p(sum);
}

/* g times the product of the inputs other than x. All are finite; product is without zeros. */
static inline double zp_rest(double g, double x, zp_wide product, size_t zeros) {
    const double whole = zp_narrowed(product), rest = whole / x;
    const int is_plain = zeros == 0 && isnormal(whole);
    if (is_plain && zp_is_full(rest, whole)) return g * rest;
    if (zeros > 1 || (zeros == 1 && x != 0.0)) return g * 0.0;
    const double mantissa = is_plain ? whole : product.hi + product.lo;
    if (!isfinite(g)) return g * mantissa;
    zp_wide found = zp_wide_mul(zp_widened(g), zp_widened(mantissa));
    if (!is_plain && found.hi != 0.0) found.exponent += product.exponent;
    return zp_narrowed(zeros ? found : zp_wide_div(found, zp_widened(x)));
}

/* e^(x - m) for x <= m, with what rounding took from the difference. */
static inline double zp_exp_difference(double x, double m) {
    const double d = x - m, back = d - x, rest = (x - (d - back)) + (-m - back);
    const double power = exp(d);
    return isfinite(rest) ? power + power * rest : power;
}

enum { ZP_SUM, ZP_MEAN, ZP_MAX, ZP_MIN, ZP_PROD, ZP_NORM, ZP_LOGSUMEXP };

/* What an operation of any number of inputs passes to them. */
static ZP_APART void zp_share(int op, int mode, const double *x, zp_row *const *to, size_t n,
                              double z, double g, unsigned char status) {
    double count = (double)zp_kept(mode, x, n), largest = -INFINITY, sum = 0.0;
    zp_wide product = {1.0, 0.0, 0};
    size_t ties = 0, zeros = 0;
    for (size_t i = 0; i < n; i++)
        if (zp_keeps(mode, x[i])) {
            ties += x[i] == z;
            largest = zp_larger(largest, x[i]);
            zeros += x[i] == 0.0;
            if (op == ZP_PROD && x[i] != 0.0) product = zp_wide_mul(product, zp_widened(x[i]));
        }
    /* What scaling loses is too small to count. */
    const double lift = z < DBL_MIN ? 0x1p600 : 1.0;
    double length = z;
    if (op == ZP_NORM && z < DBL_MIN) {
        length = 0.0;
        for (size_t i = 0; i < n; i++)
            if (zp_keeps(mode, x[i])) length += x[i] * lift * (x[i] * lift);
        length = sqrt(length);
    }
    if (op == ZP_LOGSUMEXP)
        for (size_t i = 0; i < n; i++)
            if (zp_keeps(mode, x[i])) sum += zp_exp_difference(x[i], largest);
    for (size_t i = 0; i < n; i++) {
        if (!zp_keeps(mode, x[i])) {
            zp_silence(to[i], status);
            continue;
        }
        double share = g;
        switch (op) {
        case ZP_MEAN: share = g / count; break;
        case ZP_MAX:
        case ZP_MIN: share = x[i] == z ? g / (double)ties : g * 0.0; break;
        case ZP_PROD: share = zp_rest(g, x[i], product, zeros); break;
        case ZP_NORM: share = z == 0.0 ? g * 0.0 : g * (x[i] * lift / length); break;
        case ZP_LOGSUMEXP: share = g * (zp_exp_difference(x[i], largest) / sum); break;
        }
        zp_receive(to[i], share, g, status);
    }
}

/* Elementary functions: those of the C library, outside of their domain NaN. */
static inline double zp_log(double a) { return a > 0.0 ? log(a) : NAN; }
static inline double zp_log2(double a) { return a > 0.0 ? log2(a) : NAN; }
static inline double zp_log10(double a) { return a > 0.0 ? log10(a) : NAN; }
static inline double zp_log1p(double a) { return a > -1.0 ? log1p(a) : NAN; }
static inline double zp_sin(double a) { return isfinite(a) ? sin(a) : NAN; }
static inline double zp_cos(double a) { return isfinite(a) ? cos(a) : NAN; }
static inline double zp_tan(double a) { return isfinite(a) ? tan(a) : NAN; }
static inline double zp_asin(double a) { return fabs(a) <= 1.0 ? asin(a) : NAN; }
static inline double zp_acos(double a) { return fabs(a) <= 1.0 ? acos(a) : NAN; }
static inline double zp_acosh(double a) { return a >= 1.0 ? acosh(a) : NAN; }
static inline double zp_atanh(double a) { return fabs(a) < 1.0 ? atanh(a) : NAN; }
static inline double zp_hypot(double a, double b) {
    return isnan(a) || isnan(b) ? NAN : hypot(a, b);
}

static inline double zp_sigmoid(double a) {
    const double e = exp(-fabs(a));
    return a >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

static inline double zp_bell(double a) {
    const double e = exp(-fabs(a));
    return e / ((1.0 + e) * (1.0 + e));
}

static inline double zp_softplus(double a) {
    return (a > 0.0 ? a : isnan(a) ? a : 0.0) + log1p(exp(-fabs(a)));
}

static inline double zp_tanh_to(double g, double a) {
    const double c = cosh(a);
    return g / c / c;
}

static inline double zp_atan2(double a, double b) {
    if ((a == 0.0 && b == 0.0) || (isinf(a) && isinf(b))) return NAN;
    return atan2(a, b);
}

/* Where squares would leave the range operands are multiplied by a power of two. */
static inline double zp_lift(double a, double b) {
    const double largest = zp_larger(fabs(a), fabs(b));
    return largest < 0x1p-500 ? 0x1p600 : largest > 0x1p500 ? 0x1p-600 : 1.0;
}

static ZP_APART void zp_atan2_to(double g, double a, double b, double to[2]) {
    const double lift = zp_lift(a, b), y = a * lift, x = b * lift, h = hypot(y, x);
    to[0] = isinf(h) ? g * 0.0 : g / h * (x / h) * lift;
    to[1] = isinf(h) ? g * 0.0 : -(g / h) * (y / h) * lift;
}

static ZP_APART void zp_hypot_to(double g, double a, double b, double z, double to[2]) {
    const double lift = zp_lift(a, b), x = a * lift, y = b * lift, h = hypot(x, y);
    to[0] = z == 0.0 ? g * 0.0 : g * (x / h);
    to[1] = z == 0.0 ? g * 0.0 : g * (y / h);
}

static ZP_APART double zp_pow(double a, double b) {
    if (isnan(a) || isnan(b)) return NAN;
    if (isinf(b) && !(a >= 0.0 && a != 1.0)) return NAN;
    if (isinf(a) && !isinf(b) && (b == 0.0 || !(a > 0.0 || trunc(b) == b))) return NAN;
    if (a == 0.0 && b == 0.0) return NAN;
    return pow(a, b);
}

static ZP_APART void zp_pow_to(double g, double a, double b, double z, double to[2]) {
    const int is_plain = isfinite(g) && isfinite(a) && isfinite(b) && isnormal(z) && a != 0.0;
    if (b == 0.0 || b == 1.0)
        to[0] = b == 0.0 ? g * 0.0 : g;
    else if (is_plain)
        to[0] = zp_narrowed(zp_wide_div(
            zp_wide_mul(zp_wide_mul(zp_widened(g), zp_widened(b)), zp_widened(z)), zp_widened(a)));
    else
        to[0] = g * (b * pow(a, b - 1.0));
    if (a == 0.0 && b > 0.0)
        to[1] = g * 0.0;
    else if (is_plain && a > 0.0)
        to[1] = zp_narrowed(
            zp_wide_mul(zp_wide_mul(zp_widened(g), zp_widened(log(a))), zp_widened(z)));
    else
        to[1] = g * (z * zp_log(a));
}
#endif
"""
