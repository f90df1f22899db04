"""The operations by code. Made by python/generate.py from the op table."""

from enum import IntEnum

__all__ = ["OpType"]


class OpType(IntEnum):
    """The operation that made a node. The codes are stable."""

    CONSTANT = 0
    """a value that no gradient flows to"""
    PARAMETER = 1
    """a value to learn"""
    INPUT = 2
    """a coordinate: a given value that gradients may be asked for"""
    ADD = 3
    """a + b"""
    SUB = 4
    """a − b"""
    MUL = 5
    """a × b"""
    DIV = 6
    """a ÷ b"""
    MINIMUM = 7
    """the smaller of a and b; ties share the gradient"""
    MAXIMUM = 8
    """the larger of a and b; ties share the gradient"""
    NEG = 9
    """−a"""
    ABS = 10
    """|a|; subgradient 0 at 0"""
    SIGN = 11
    """−1, 0 or 1; gradient 0"""
    LOG = 12
    """ln a for a > 0, else Φ"""
    SQRT = 13
    """√a for a ≥ 0, else Φ"""
    EXP = 14
    """eᵃ"""
    SIN = 15
    """sin a"""
    COS = 16
    """cos a"""
    TANH = 17
    """tanh a"""
    POW_INT = 18
    """aⁿ by squaring; Φ for 0⁰ and for any a⁰ that is not REAL"""
    SINC = 19
    """sin πa ÷ πa, 1 at 0"""
    HYPOT = 20
    """√(a² + b²)"""
    ATAN2 = 21
    """the angle of the point (b, a) from the first axis"""
    XLOGY = 22
    """a·ln b, 0 where a = 0 and b ≥ 0"""
    EXPM1 = 23
    """eᵃ − 1"""
    LOG1P = 24
    """ln(1 + a) for a > −1, else Φ"""
    POW = 25
    """aᵇ for real b; Φ for 0⁰, ∞⁰, 1^±∞, and for a < 0 unless b is an integer"""
    ASIN = 26
    """arcsin a on [−1, 1], else Φ"""
    ACOS = 27
    """arccos a on [−1, 1], else Φ"""
    TAN = 28
    """tan a"""
    SIGMOID = 29
    """1 ÷ (1 + e⁻ᵃ)"""
    SOFTPLUS = 30
    """ln(1 + eᵃ)"""
    SUM = 31
    """the sum of the inputs kept"""
    MEAN = 32
    """the mean of the inputs kept"""
    NORM = 33
    """√Σx² over the inputs kept"""
    LOGSUMEXP = 34
    """ln Σeˣ over the inputs kept"""
