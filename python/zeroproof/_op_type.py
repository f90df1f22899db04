"""The operations by code. Made by python/generate.py from the op table."""

from enum import IntEnum

__all__ = ["OpType"]


class OpType(IntEnum):
    """The operation that made a node. The codes are stable.

    Examples:
        >>> from zeroproof import OpType, TRNode
        >>> (1.0 / TRNode.parameter(2.0)).op is OpType.DIV
        True
    """

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
    ATAN = 35
    """arctan a"""
    SINH = 36
    """sinh a"""
    COSH = 37
    """cosh a"""
    ASINH = 38
    """arsinh a"""
    ACOSH = 39
    """arcosh a for a ≥ 1, else Φ"""
    ATANH = 40
    """artanh a for −1 < a < 1, else Φ"""
    ERF = 41
    """erf a, the error function"""
    ERFC = 42
    """1 − erf a"""
    LOG_NDTR = 43
    """ln Φ(a), Φ the standard normal distribution"""
    LOG_SIGMOID = 44
    """ln(1 ÷ (1 + e⁻ᵃ))"""
    SQUARE = 45
    """a²"""
    LOG2 = 46
    """log₂ a for a > 0, else Φ"""
    LOG10 = 47
    """log₁₀ a for a > 0, else Φ"""
    EXPREL = 48
    """(eᵃ − 1) ÷ a, 1 at 0"""
    LOG1PREL = 49
    """ln(1 + a) ÷ a for a > −1, 1 at 0, else Φ"""
    COSC = 50
    """(1 − cos a) ÷ a², ½ at 0"""
    FLOOR = 51
    """the largest integer ≤ a"""
    CEIL = 52
    """the smallest integer ≥ a"""
    ROUND = 53
    """the integer nearest to a; halves go to even"""
    REMAINDER = 54
    """a − b·⌊a ÷ b⌋, Φ for b = 0"""
    CLIP_MIN = 55
    """a, or b where that is larger; at a tie the gradient is a's"""
    CLIP_MAX = 56
    """a, or b where that is smaller; at a tie the gradient is a's"""
    COPYSIGN = 57
    """the magnitude of a with the sign of b"""
    MAX = 58
    """the largest of the inputs kept"""
    MIN = 59
    """the smallest of the inputs kept"""
    PROD = 60
    """the product of the inputs kept"""
    CBRT = 61
    """∛a"""
    UNIT = 62
    """1 for REAL a, else Φ: the operator a ** 0"""
    WHERE = 63
    """the operand that a condition chose"""
    GRADIENTS = 64
    """the gradients of a node, which can be differentiated once more"""
    GRADIENT = 65
    """one of the gradients of a node"""
