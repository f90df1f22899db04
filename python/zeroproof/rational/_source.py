"""The source text of a plain Python function that computes a rational function."""

from __future__ import annotations

import keyword

from .._arrays import Array
from ._chebyshev import Interval

__all__ = ["python_source"]

FRAME = '''\
def {name}(x):
    """{title}

    Takes a number or a NumPy array. A number at a pole raises ZeroDivisionError.
    """
    u = (x - {centre!r}) / {half!r}  # in [-1, 1] on the data
    return {value}


def _{name}_chebyshev(coefficients, u):
    """A sum of Chebyshev polynomials, by Clenshaw's recurrence."""
    here, above = coefficients[-1] + 0.0 * u, 0.0
    for c in coefficients[-2:0:-1]:
        here, above = 2.0 * u * here - above + c, here
    return u * here - above + coefficients[0] if len(coefficients) > 1 else here
'''


def python_source(
    name: str, title: str, numerator: Array, denominator: Array, order: int, interval: Interval
) -> str:
    """The text; it needs no import.

    Raises:
        ValueError: if the name is not an identifier.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"name must be a Python identifier, not {name!r}")
    top, bottom = (
        f"_{name}_chebyshev({[float(c) for c in each]}, u)" for each in (numerator, denominator)
    )
    power = "" if order == 1 else f" ** {order}"
    return FRAME.format(
        name=name,
        title=title,
        centre=interval.centre,
        half=interval.half,
        value=f"{top} / {bottom}{power}",
    )
