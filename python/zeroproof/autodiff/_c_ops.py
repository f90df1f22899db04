"""The operations in C: values, and what they pass to their operands.

In the expressions ``a`` and ``b`` are the operands, ``z`` is the value and ``g`` the adjoint; the
functions that begin with ``zp_`` are those of ``_c_runtime.py``.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BINARY", "CONDITIONS", "FOLDS", "REDUCTIONS", "UNARY", "Binary", "Unary"]


class Unary(NamedTuple):
    """An operation of one operand."""

    value: str
    to_a: str


class Binary(NamedTuple):
    """An operation of two operands."""

    value: str
    to: str
    """Statements that set ``to[0]`` and ``to[1]``."""


_WINNER = "zp_to_winner(g, {a}, {b}, to);"

UNARY = {
    "neg": Unary("-a", "-g"),
    "abs": Unary("fabs(a)", "g * zp_sign(a)"),
    "sign": Unary("zp_sign(a)", "g * 0.0"),
    "sqrt": Unary("sqrt(a)", "g / (2.0 * z)"),
    "square": Unary("a * a", "zp_square_to(g, a)"),
    "unit": Unary("(isfinite(a) ? 1.0 : NAN)", "g * 0.0"),
    "floor": Unary("floor(a)", "g * 0.0"),
    "ceil": Unary("ceil(a)", "g * 0.0"),
    "round": Unary("rint(a)", "g * 0.0"),
    "exp": Unary("exp(a)", "g * z"),
    "expm1": Unary("expm1(a)", "g * exp(a)"),
    "log": Unary("zp_log(a)", "g / a"),
    "log2": Unary("zp_log2(a)", "zp_log_to(g, a, 0x1.62e42fefa39efp-1)"),
    "log10": Unary("zp_log10(a)", "zp_log_to(g, a, 0x1.26bb1bbb55516p+1)"),
    "log1p": Unary("zp_log1p(a)", "g / (1.0 + a)"),
    "sin": Unary("zp_sin(a)", "g * cos(a)"),
    "cos": Unary("zp_cos(a)", "g * -sin(a)"),
    "tan": Unary("zp_tan(a)", "g * (1.0 + z * z)"),
    "asin": Unary("zp_asin(a)", "g / sqrt((1.0 - a) * (1.0 + a))"),
    "acos": Unary("zp_acos(a)", "-g / sqrt((1.0 - a) * (1.0 + a))"),
    "atan": Unary("atan(a)", "g / hypot(a, 1.0) / hypot(a, 1.0)"),
    "sinh": Unary("sinh(a)", "g * cosh(a)"),
    "cosh": Unary("cosh(a)", "g * sinh(a)"),
    "tanh": Unary("tanh(a)", "zp_tanh_to(g, a)"),
    "asinh": Unary("asinh(a)", "g / hypot(a, 1.0)"),
    "acosh": Unary("zp_acosh(a)", "g / (sqrt(a - 1.0) * sqrt(a + 1.0))"),
    "atanh": Unary("zp_atanh(a)", "g / ((1.0 - a) * (1.0 + a))"),
    "cbrt": Unary("cbrt(a)", "g / (3.0 * (z * z))"),
    "sigmoid": Unary("zp_sigmoid(a)", "g * zp_bell(a)"),
    "softplus": Unary("zp_softplus(a)", "g * zp_sigmoid(a)"),
    "log_sigmoid": Unary("-zp_softplus(-a)", "g * zp_sigmoid(-a)"),
    "erf": Unary("erf(a)", "g * (0x1.20dd750429b6dp+0 * zp_gauss(a))"),
    "erfc": Unary("erfc(a)", "-g * (0x1.20dd750429b6dp+0 * zp_gauss(a))"),
}

BINARY = {
    "add": Binary("a + b", "to[0] = g; to[1] = g;"),
    "sub": Binary("a - b", "to[0] = g; to[1] = -g;"),
    "mul": Binary("a * b", "to[0] = g * b; to[1] = g * a;"),
    "div": Binary("a / b", "zp_div_to(g, a, b, z, to);"),
    "minimum": Binary("zp_smaller(a, b)", _WINNER.format(a="a <= b", b="b <= a")),
    "maximum": Binary("zp_larger(a, b)", _WINNER.format(a="a >= b", b="b >= a")),
    "clip_min": Binary("zp_larger(a, b)", _WINNER.format(a="a >= b", b="b > a")),
    "clip_max": Binary("zp_smaller(a, b)", _WINNER.format(a="a <= b", b="b < a")),
    "copysign": Binary(
        "zp_copysign(a, b)", "to[0] = g * (zp_sign(a) * copysign(1.0, b)); to[1] = g * 0.0;"
    ),
    "hypot": Binary("zp_hypot(a, b)", "zp_hypot_to(g, a, b, z, to);"),
    "atan2": Binary("zp_atan2(a, b)", "zp_atan2_to(g, a, b, to);"),
    "pow": Binary("zp_pow(a, b)", "zp_pow_to(g, a, b, z, to);"),
}

#: Of each operation of any number of operands the function of its value and its code.
FOLDS = {
    name: (f"zp_{name}", f"ZP_{name.upper()}")
    for name in ("sum", "mean", "max", "min", "prod", "norm", "logsumexp")
}

REDUCTIONS = {
    "strict": "ZP_STRICT",
    "drop_null": "ZP_DROP_NULL",
    "drop_nonreal": "ZP_DROP_NONREAL",
}

CONDITIONS = {
    "less": "a < b",
    "less_equal": "a <= b",
    "equal": "a == b || (isnan(a) && isnan(b))",
    "is_real": "isfinite(a)",
    "is_infinite": "isinf(a)",
    "is_phi": "isnan(a)",
    "and": "a != 0.0 && b != 0.0",
    "or": "a != 0.0 || b != 0.0",
    "not": "a == 0.0",
}
