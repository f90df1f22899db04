"""The fit of one y to one x, and its report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional, Union

import numpy as np

from ..rational import Rational
from ..rational._table import estimate
from ..rational.fit import fitted
from .data import Dataset
from .report import (
    Bucket,
    buckets,
    error_in,
    errors_of,
    errors_text,
    kept_out_text,
    nearest,
    problem_of,
    true_pole,
)
from .text import InputError

__all__ = ["as_text", "build", "fit"]

#: Standard errors below this share are not aligned with the value.
MANY_DIGITS = 1e-11
#: So many poles are told of without --verbose.
POLES_IN_BRIEF = 3
Degree = Union[str, tuple[int, int]]


def fit(
    data: Dataset, degree: Degree, loss: str, seed: int, tell: Callable[[str], None]
) -> Rational:
    """The function that fits the data.

    Raises:
        InputError: for data that cannot be fitted with this degree.
    """
    if not isinstance(degree, str):
        marks = len(np.unique(data.x[np.isinf(data.y)]))
        data.require_rows(degree[0] + degree[1] + 1 - min(marks, degree[1]))
    try:
        return fitted(data.x, data.y, degree, data.sigma, loss, seed=seed, tell=tell)
    except ValueError as error:
        raise InputError(f"{data.name}: {error}") from None


def build(data: Dataset, model: Rational, seed: int) -> dict[str, Any]:
    """The report as data; numbers may be infinite or NaN."""
    record = model.record
    assert record is not None
    poles = _poles(data, model)
    real = [pole for pole in poles if pole["y"] == 0.0]
    places = list(data.true_poles) or [pole["x"] for pole in real if pole["inside_data"]]
    low, high = model.interval
    usable = data.x[data.usable]
    scale = float(np.median(np.abs(data.y[data.usable]))) or 1.0
    errors = errors_of(data, model, scale)
    dof = record.dof
    return {
        "problem": problem_of(data),
        "columns": {"x": data.x_name, "y": data.y_name},
        "method": "fit",
        "seed": seed,
        "degree": list(model.degree),
        "choice": record.choice,
        "criterion": record.criterion,
        "degrees_refused": record.refused,
        "loss": record.loss,
        "f_scale": record.loss_scale,
        "sigma_given": record.sigma_given,
        "coefficients": {
            name: [
                {"power": power, "value": value, "stderr": error}
                for power, (value, error) in enumerate(zip(values.tolist(), deviations.tolist()))
            ]
            for name, values, deviations in zip(
                ("numerator", "denominator"), model.coefficients, model.stderr.coefficients
            )
        },
        "parameters": record.parameters,
        "degrees_of_freedom": dof,
        "sum_of_squares": record.sse,
        "residual_std": math.sqrt(record.sse / dof) if dof > 0 else None,
        "exact": record.exact,
        "warnings": list(record.warnings),
        "poles": poles,
        "zeros": [
            {"x": place.real, "y": place.imag, "stderr": [error.real, error.imag]}
            for place, error in zip(model.zeros.tolist(), model.stderr.zeros.tolist())
        ],
        "true_poles": [true_pole(true, [pole["x"] for pole in real]) for true in data.true_poles],
        "distance_from": places,
        "y_scale": scale,
        "error": error_in(Bucket(0.0, math.inf, np.ones(len(errors), bool)), errors),
        "errors": [
            error_in(span, errors) for span in buckets(usable, places, high / 2.0 - low / 2.0)
        ],
    }


def _poles(data: Dataset, model: Rational) -> list[dict[str, Any]]:
    """The poles, of conjugate pairs the upper one."""
    found = zip(
        model.poles.tolist(),
        model.stderr.poles.tolist(),
        model.residues.tolist(),
        model.stderr.residues.tolist(),
    )
    kept_out = data.x[~data.usable]
    real = [place.real for place in model.poles.tolist() if place.imag == 0.0]
    poles = []
    for place, error, residue, deviation in found:
        if place.imag < 0.0:
            continue
        true = _true(place, data, real)
        row = nearest(place.real, data.x)
        assert row is not None
        poles.append(
            {
                "x": place.real,
                "y": place.imag,
                "stderr": [error.real, error.imag],
                "residue": [residue.real, residue.imag],
                "residue_stderr": [deviation.real, deviation.imag],
                "true": true,
                "error": None if true is None else abs(place.real - true),
                "inside_data": bool(model.interval[0] <= place.real <= model.interval[1]),
                "nearest_row": row,
                "distance": abs(complex(place.real - row, place.imag)),
                "nearest_kept_out_row": nearest(place.real, kept_out),
            }
        )
    return poles


def _true(place: complex, data: Dataset, real: list[float]) -> Optional[float]:
    """The true pole that this one is nearest to of all."""
    for true in data.true_poles:
        if place.imag == 0.0 and place.real == nearest(true, np.array(real)):
            return true
    return None


def as_text(report: dict[str, Any], model: Rational, verbose: bool) -> str:
    """The report as text: what the fit is like and where its poles are, or all of it."""
    return _in_full(report, model) if verbose else _in_brief(report, model)


def _in_brief(report: dict[str, Any], model: Rational) -> str:
    summary = model.summary().split("\n")
    lines = [*_problem_text(report["problem"]), *summary[: summary.index("")]]
    # Those among the data come first.
    poles = sorted(report["poles"], key=lambda pole: (pole["y"] != 0.0, not pole["inside_data"]))
    lines += [_pole_text(pole) for pole in poles[:POLES_IN_BRIEF]] or ["no poles"]
    if len(poles) > POLES_IN_BRIEF:
        lines.append(f"and {len(poles) - POLES_IN_BRIEF} more poles")
    lines += _not_found(report)
    low, high = report["error"]["median"], report["error"]["largest"]
    lines.append(
        f"error |P/Q - y| / max(|y|, {report['y_scale']:.3g}): median {low:.2g}, largest {high:.2g}"
    )
    lines.append("--verbose adds coefficients, zeros and errors by distance to a pole")
    return "\n".join(lines) + "\n"


def _problem_text(problem: dict[str, Any]) -> list[str]:
    rows = f"{problem['usable_rows']} of {problem['rows']} rows usable"
    kept_out = [kept_out_text(problem)] if problem["kept_out_rows"] else []
    return [f"problem   {problem['name']}: {rows}", *kept_out]


def _not_found(report: dict[str, Any]) -> list[str]:
    return [
        f"true pole {true['x']:g} was not found: no pole on the real axis"
        for true in report["true_poles"]
        if true["nearest_learned"] is None
    ]


def _in_full(report: dict[str, Any], model: Rational) -> str:
    lines = [*_problem_text(report["problem"]), "", model.summary(), ""]
    lines += [_pole_text(pole) for pole in report["poles"]] or ["no poles"]
    lines += _not_found(report)
    if report["degrees_refused"]:
        many = report["degrees_refused"]
        lines.append(
            f"{many} degree{'' if many == 1 else 's'} with spurious poles, which follow the noise "
            f"of single rows, {'was' if many == 1 else 'were'} refused"
        )
    lines += [
        "",
        *errors_text({"fit": report["errors"]}, report["distance_from"], report["y_scale"]),
    ]
    return "\n".join(lines) + "\n"


def _pole_text(pole: dict[str, Any]) -> str:
    """A pole and how far it is from the nearest row."""
    off_axis = pole["y"] != 0.0
    if off_axis:
        place = f"pole pair off the real axis at {pole['x']:.9g} ± {pole['y']:.6g}i"
    else:
        place = f"pole at x = {pole['x']:.12g}"
        error = pole["stderr"][0]
        if error > MANY_DIGITS * abs(pole["x"]) and math.isfinite(error):
            place = f"pole at x = {estimate(pole['x'], error)}"
        elif error > 0.0 and math.isfinite(error):
            place += f" ± {error:.1e}"
    remarks = []
    if pole["true"] is not None:
        remarks.append(f"true {pole['true']:g}, error {pole['error']:.2g}")
    if not pole["inside_data"]:
        remarks.append("outside the data")
    if pole["nearest_kept_out_row"] is not None:
        remarks.append(f"nearest row kept out {pole['nearest_kept_out_row']:.6g}")
    remarks.append(f"nearest row {pole['nearest_row']:.6g}, distance {pole['distance']:.3g}")
    return f"{place.ljust(38)} {', '.join(remarks)}"
