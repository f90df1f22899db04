"""Names that a C function cannot have: those of the language and of the headers it includes."""

from __future__ import annotations

import re

__all__ = ["HEADERS", "check_name"]

HEADERS = ("float.h", "math.h", "stddef.h", "stdint.h", "string.h")

# Those of C23 and GNU C too, whose mode a compiler may be in.
_KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int
long main register restrict return short signed sizeof static struct switch typedef union unsigned
void volatile while alignas alignof asm bool constexpr false nullptr static_assert thread_local true
typeof typeof_unqual linux unix i386
"""
#: Each also for floats and long doubles, with the suffixes f and l.
_FUNCTIONS = """
acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim
floor fma fmax fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb
lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round scalbln scalbn
sin sinh sqrt tan tanh tgamma trunc drem exp10 finite gamma isinf isnan j0 j1 jn pow10 scalb
significand sincos y0 y1 yn
"""
_OTHERS = """
fpclassify isfinite isnormal signbit isgreater isgreaterequal isless islessequal islessgreater
isunordered lgamma_r gamma_r lgammaf_r lgammal_r gammaf_r gammal_r signgam float_t double_t
math_errhandling HUGE OVERFLOW UNDERFLOW DOMAIN SING PLOSS TLOSS HUGE_VAL HUGE_VALF HUGE_VALL
INFINITY NAN DECIMAL_DIG NULL offsetof size_t ptrdiff_t wchar_t wint_t max_align_t nullptr_t
unreachable bcmp bcopy bzero ffs index rindex basename
"""
_RESERVED = frozenset(_KEYWORDS.split())
_NAMES = frozenset(
    [*_OTHERS.split(), *(name + end for name in _FUNCTIONS.split() for end in ("", "f", "l"))]
)
_PATTERNS = re.compile(
    r"(FP|MATH|FLT|DBL|LDBL|M)_\w+"
    r"|u?int(_least|_fast)?\d+_t|u?int(ptr|max)_t"
    r"|U?INT(_LEAST|_FAST|PTR|MAX)?\d*_(MAX|MIN|C|WIDTH)"
    r"|(PTRDIFF|SIZE|SIG_ATOMIC|WCHAR|WINT)_(MAX|MIN|WIDTH)"
    r"|(str|mem|wcs)[a-z]\w*",
    re.ASCII,
)
_OWN = ("zp_", "zeroproof")


def check_name(name: str) -> None:
    """Raises TypeError or ValueError unless a C function can have this name."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a C function is a string, not {type(name).__name__}")
    is_identifier = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
    if not is_identifier or name in _RESERVED or name.lower().startswith(_OWN):
        raise ValueError(
            f"{name!r} cannot be the name of a C function: it must be letters, digits and "
            "underscores, begin with a letter, be no keyword, and not begin with zp_ or zeroproof"
        )
    if name in _NAMES or _PATTERNS.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a C function: it belongs to one of the headers "
            + ", ".join(HEADERS)
        )
