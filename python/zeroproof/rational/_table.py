"""The table of a fit, as statisticians print it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Optional

import numpy as np

from ._record import Coefficients, Complex, FitRecord, StandardErrors

__all__ = ["estimate", "table"]

POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def estimate(value: float, error: float) -> str:
    """``value ± error``, the error with two digits and the value with as many places."""
    if not math.isfinite(value) or not math.isfinite(error):
        return f"{value:.10g}"
    if error == 0.0:
        return f"{value:.10g} (fixed)"
    last = math.floor(math.log10(error)) - 1
    lead = math.floor(math.log10(max(abs(value), error)))
    if -4 <= lead < 7 and -12 <= last <= 0:
        return f"{value:.{-last}f} ± {error:.{-last}f}"
    places = min(max(lead - last, 1), 16)
    # The power of ten may be no double.
    scaled = [Decimal(number).scaleb(-lead) for number in (value, error)]
    return f"({scaled[0]:.{places}f} ± {scaled[1]:.{places}f})e{lead:+03d}"


def _complex(value: complex, error: complex) -> str:
    real = estimate(value.real, error.real)
    if value.imag == 0.0:
        return real
    return f"({real}) ± i({estimate(abs(value.imag), error.imag)})"


def table(
    degree: tuple[int, int],
    interval: tuple[float, float],
    record: Optional[FitRecord],
    coefficients: Coefficients,
    exact: Sequence[Fraction],
    errors: StandardErrors,
    poles: Complex,
    residues: Complex,
    zeros: Complex,
) -> str:
    """The text, without a line end.

    ``exact`` has the values of the coefficients, which may be beyond the range of doubles.
    """
    n, m = degree
    low, high = interval
    lines = [f"Rational function of degree {n}/{m} on [{low:.6g}, {high:.6g}]"]
    if record is not None:
        lines += _heading(record)
    rows = [*_rows(coefficients, exact, errors.coefficients)]
    rows += _pole_rows(poles, errors.poles, residues, errors.residues)
    rows += _zero_rows(zeros, errors.zeros)
    return "\n".join([*lines, "", *_columns(rows)])


def _heading(record: FitRecord) -> Iterator[str]:
    yield record.choice
    rows = f"{record.rows} rows"
    if record.left_out:
        rows += f", {record.left_out} more with y = Φ left out"
    if record.marked:
        rows += f", {record.marked} more with y = ±∞ taken as poles"
    yield f"{rows}; {record.parameters} parameters, {record.dof} degrees of freedom"
    yield _noise(record)
    for warning in record.warnings:
        yield f"Note: {warning}"


def _noise(record: FitRecord) -> str:
    if record.exact:
        return "the data are fitted up to their rounding errors"
    out_of_range = not math.isfinite(record.sse) or (record.sse == 0.0 and record.scale > 0.0)
    if record.sigma_given:
        line = "χ² beyond the range of doubles" if out_of_range else f"χ² = {record.sse:.6g}"
        if record.dof > 0 and not out_of_range:
            line += f", {record.sse / record.dof:.4g} per degree of freedom"
    else:
        squares = "beyond the range of doubles" if out_of_range else f"{record.sse:.10g}"
        line = f"sum of squares {squares}"
        if record.loss == "linear" and record.dof > 0:
            deviation = math.sqrt(record.sse / record.dof)
            if out_of_range:
                deviation = record.scale * math.sqrt(record.rows / record.dof)
            line += f", residual standard deviation {deviation:.4g}"
    if record.loss != "linear":
        line += f"; loss {record.loss}"
        if record.loss_scale is not None:
            line += f" with f_scale = {record.loss_scale:.4g}"
    return line


def _rows(
    found: Coefficients, exact: Sequence[Fraction], errors: Coefficients
) -> Iterator[tuple[str, str, str]]:
    whole = iter(exact)
    for values, deviations, name in zip(found, errors, found._fields):
        for k, (value, error) in enumerate(zip(values.tolist(), deviations.tolist())):
            power = "1" if k == 0 else "x" if k == 1 else "x" + str(k).translate(POWERS)
            number = next(whole)
            if not math.isfinite(value) or (value == 0.0 and number != 0):
                text = _beyond_doubles(number)
            else:
                text = estimate(value, error)
            yield name if k == 0 else "", power, text


def _beyond_doubles(number: Fraction) -> str:
    """A number that no double is near to."""
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.6e} (no double is so " + (
        "large)" if abs(number) > 1 else "small)"
    )


def _pole_rows(
    poles: Complex, errors: Complex, residues: Complex, deviations: Complex
) -> Iterator[tuple[str, str, str]]:
    first = "poles"
    for k in np.flatnonzero(poles.imag >= 0.0).tolist():
        residue = _complex_number(residues[k], deviations[k])
        yield first, _complex(poles[k], errors[k]), f"residue {residue}"
        first = ""


def _zero_rows(zeros: Complex, errors: Complex) -> Iterator[tuple[str, str, str]]:
    first = "zeros"
    for k in np.flatnonzero(zeros.imag >= 0.0).tolist():
        yield first, _complex(zeros[k], errors[k]), ""
        first = ""


def _complex_number(value: complex, error: complex) -> str:
    if value.imag == 0.0:
        return estimate(value.real, error.real)
    sign = "-" if np.signbit(value.imag) else "+"
    return f"({estimate(value.real, error.real)}) {sign} i({estimate(abs(value.imag), error.imag)})"


def _columns(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(2)]
    for row in rows:
        yield "  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2]]).rstrip()
