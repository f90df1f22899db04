"""The report of a fit, as data for ``--json`` and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ..core import TRTag
from .data import Dataset, FloatArray
from .model import Pole
from .train import Fit

__all__ = [
    "Bucket",
    "as_json",
    "as_text",
    "buckets",
    "build",
    "distances",
    "error_in",
    "errors_of",
    "errors_text",
    "kept_out_text",
    "nearest",
    "problem_of",
    "reference_poles",
    "true_pole",
]

# Statistics given as coordinates of input nodes, which are scaled.
IN_SCALED_COORDINATE = "exploration_regions"


@dataclass(frozen=True)
class Bucket:
    """The rows at a distance from the nearest pole in [low, high)."""

    low: float
    high: float
    rows: npt.NDArray[np.bool_]


def best_of(fits: Sequence[Fit]) -> Fit:
    """The fit with the smallest loss, the first of equals."""
    return min(fits, key=lambda fit: fit.loss)


def reference_poles(data: Dataset, fits: Sequence[Fit]) -> list[float]:
    """The poles that distances are measured from: the true ones, or those of the best fit."""
    if data.true_poles:
        return list(data.true_poles)
    return [pole.x for pole in best_of(fits).model.poles() if pole.inside and not pole.cancelled]


def distances(x: FloatArray, poles: Sequence[float]) -> FloatArray:
    """How far each x is from the nearest pole; infinite if there is none."""
    if not poles:
        return np.full(len(x), np.inf)
    gaps = np.abs(x[:, None] - np.array(poles)[None, :])
    return np.asarray(gaps.min(axis=1), dtype=np.float64)


def relative_errors(data: Dataset, fit: Fit) -> FloatArray:
    """|f - y| / max(|y|, y scale) for every usable row; infinite where f is not REAL."""
    return errors_of(data, fit.model, fit.model.frame.y_scale)


def errors_of(data: Dataset, model: Callable[[FloatArray], Any], y_scale: float) -> FloatArray:
    """|f - y| / max(|y|, y scale) for every usable row; infinite where f is not REAL."""
    rows = data.usable
    x, y = data.x[rows], data.y[rows]
    with np.errstate(all="ignore"):
        errors = np.abs(model(x) - y) / np.maximum(np.abs(y), y_scale)
    return np.where(np.isfinite(errors), errors, np.inf)


def buckets(x: FloatArray, poles: Sequence[float], half_range: float) -> list[Bucket]:
    """Decades of distance, the widest ending at the power of ten below half the range."""
    gap = distances(x, poles)
    if not np.isfinite(gap).any():
        return [Bucket(0.0, math.inf, gap >= 0.0)]
    widest = 10.0 ** math.floor(math.log10(half_range))
    edges = [0.0, widest / 100.0, widest / 10.0, widest, math.inf]
    return [Bucket(low, high, (gap >= low) & (gap < high)) for low, high in zip(edges, edges[1:])]


def build(
    data: Dataset, degree: tuple[int, int], seed: int, epochs: int, fits: Sequence[Fit]
) -> dict[str, Any]:
    """The report as data; numbers may be infinite or NaN."""
    poles, half_range = reference_poles(data, fits), fits[0].model.frame.half_range
    spans = buckets(data.x[data.usable], poles, half_range)
    return {
        "problem": problem_of(data),
        "degree": list(degree),
        "coefficients": degree[0] + degree[1] + 1,
        "seed": seed,
        "epochs": epochs,
        "interrupted": any(fit.stopped_by == "interrupt" for fit in fits),
        "distance_from": poles,
        "runs": [_run(data, fit, spans) for fit in fits],
    }


def problem_of(data: Dataset) -> dict[str, Any]:
    """What the data are."""
    return {
        "name": data.name,
        "rows": len(data.x),
        "usable_rows": int(data.usable.sum()),
        "kept_out_rows": int((~data.usable).sum()),
        "targets": data.targets_by_tag(),
        "true_poles": list(data.true_poles),
    }


def _run(data: Dataset, fit: Fit, spans: Sequence[Bucket]) -> dict[str, Any]:
    model, frame = fit.model, fit.model.frame
    errors = relative_errors(data, fit)
    poles = model.poles()
    return {
        "mode": fit.mode,
        "loss": fit.loss,
        "epochs": fit.epochs,
        "starts": fit.starts,
        "stopped_by": fit.stopped_by,
        "start_poles": fit.start_poles,
        "poles": [_pole(data, pole, poles) for pole in poles],
        "complex_poles": [[pole.real, pole.imag] for pole in model.complex_poles()],
        "true_poles": [true_pole(true, [pole.x for pole in poles]) for true in data.true_poles],
        "errors": [error_in(bucket, errors) for bucket in spans],
        "masked_share": fit.masked_share,
        "saturated_share": fit.saturated_share,
        "schedule": fit.schedule,
        "statistics": _in_x(fit),
        "model": {
            "numerator": model.numerator.tolist(),
            "denominator": model.denominator.tolist(),
            "center": frame.center,
            "half_range": frame.half_range,
            "y_scale": frame.y_scale,
        },
    }


def nearest(x: float, values: FloatArray) -> Optional[float]:
    """The nearest of the values; None of none."""
    return float(values[np.argmin(np.abs(values - x))]) if len(values) else None


def _pole(data: Dataset, pole: Pole, poles: Sequence[Pole]) -> dict[str, Any]:
    """A learned pole, the true pole that it approximates, if any, and the nearest rows."""
    true = None
    for candidate in data.true_poles:
        owner = min(poles, key=lambda learned: abs(learned.x - candidate))
        true = candidate if owner is pole else true
    return {
        "x": pole.x,
        "true": true,
        "error": None if true is None else abs(pole.x - true),
        "residue": pole.residue,
        "inside_data": pole.inside,
        "cancelled": pole.cancelled,
        "nearest_row": nearest(pole.x, data.x),
        "nearest_kept_out_row": nearest(pole.x, data.x[~data.usable]),
    }


def true_pole(true: float, learned: Sequence[float]) -> dict[str, Any]:
    """A true pole and the learned one that is nearest, if there is any."""
    found = nearest(true, np.array(learned))
    error = None if found is None else abs(found - true)
    return {"x": true, "nearest_learned": found, "error": error}


def error_in(bucket: Bucket, errors: FloatArray) -> dict[str, Any]:
    """Median and largest error there."""
    inside = errors[bucket.rows]
    return {
        "from": bucket.low,
        "to": bucket.high,
        "rows": len(inside),
        "median": float(np.median(inside)) if len(inside) else None,
        "largest": float(inside.max()) if len(inside) else None,
        "not_real": int(np.isinf(inside).sum()),
    }


def _in_x(fit: Fit) -> Optional[dict[str, Any]]:
    """The statistics, with coordinates in x."""
    if fit.statistics is None:
        return None
    statistics = dict(fit.statistics)
    to_x = fit.model.frame.to_x
    regions = statistics[IN_SCALED_COORDINATE]
    statistics[IN_SCALED_COORDINATE] = [[to_x(low), to_x(high)] for low, high in regions]
    return statistics


def as_json(report: dict[str, Any]) -> str:
    """Strict JSON: a number that is not finite is null."""
    return json.dumps(_strict(report), indent=2, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_text(report: dict[str, Any], verbose: bool) -> str:
    """The report as text, in ASCII except for the name of the data: in brief, or all of it."""
    problem, runs = report["problem"], report["runs"]
    top, bottom = report["degree"]
    lines = [
        f"problem   {problem['name']}: {problem['usable_rows']} of {problem['rows']} rows usable",
        f"model     y = P(x)/Q(x) of degree {top}/{bottom}, {report['coefficients']} coefficients",
    ]
    if problem["kept_out_rows"]:
        lines.append(kept_out_text(problem))
    if report["interrupted"]:
        lines.append("note      interrupted: this is the fit so far")
    for run in runs:
        lines += ["", *_run_text(run)]
    if not verbose:
        lines += ["", "--verbose adds errors by distance to a pole and the schedule's statistics"]
        return "\n".join(lines) + "\n"
    scale = runs[0]["model"]["y_scale"]
    columns = {run["mode"]: run["errors"] for run in runs}
    lines += ["", *errors_text(columns, report["distance_from"], scale)]
    for run in runs:
        if run["statistics"] is not None:
            lines += ["", *_statistics_text(run)]
    return "\n".join(lines) + "\n"


def _run_text(run: dict[str, Any]) -> list[str]:
    reason = {
        "exact fit": "the fit is exact",
        "agreement": "the best loss was found repeatedly",
        "epochs": "the epochs are used up",
        "interrupt": "interrupted",
    }[run["stopped_by"]]
    starts = ", ".join(f"{x:.4g}" for x in run["start_poles"])
    lines = [
        f"{run['mode']}: loss {run['loss']:.3g} after {run['epochs']} epochs, "
        f"{run['starts']} start{'s' if run['starts'] != 1 else ''} ({reason})",
        f"  best start had its poles at {starts}",
        f"  masked samples {run['masked_share']:.2%}, "
        f"saturated samples {run['saturated_share']:.2%}",
    ]
    for pole in run["poles"]:
        lines.append(f"  pole at x = {pole['x']:<14.9g} {_remark(pole)}")
    for real_part, imaginary in run["complex_poles"]:
        lines.append(f"  pole pair off the real axis at {real_part:.6g} +- {imaginary:.6g}i")
    for true in run["true_poles"]:
        if true["nearest_learned"] is None:
            lines.append(f"  true pole {true['x']:g} was not found: no pole on the real axis")
    if not run["poles"] and not run["complex_poles"]:
        lines.append("  no poles")
    return lines


def _remark(pole: dict[str, Any]) -> str:
    if pole["true"] is not None:
        origin = f"true {pole['true']:g}, error {pole['error']:.2g}"
    elif not pole["inside_data"]:
        origin = "outside the data"
    elif pole["nearest_kept_out_row"] is not None:
        origin = f"nearest row kept out {pole['nearest_kept_out_row']:.6g}"
    else:
        origin = f"nearest row {pole['nearest_row']:.6g}"
    cancelled = ", cancelled by a zero of P" if pole["cancelled"] else ""
    return f"{origin}, residue {pole['residue']:.4g}{cancelled}"


def kept_out_text(problem: dict[str, Any]) -> str:
    """How many targets of which kind are not REAL."""
    tags = ", ".join(
        f"{problem['targets'][tag.name]} {tag.name}"
        for tag in TRTag
        if tag is not TRTag.REAL and problem["targets"][tag.name]
    )
    return f"kept out  {problem['kept_out_rows']} with a target that is not REAL ({tags})"


def errors_text(
    columns: dict[str, list[dict[str, Any]]], distance_from: Sequence[float], scale: float
) -> list[str]:
    """The table of errors by distance to a pole, with a column for each title."""
    poles = ", ".join(f"{x:.6g}" for x in distance_from) or "none"
    lines = [
        f"error |P/Q - y| / max(|y|, {scale:.3g}), median and largest, by distance to a pole "
        f"({poles})",
        "  " + f"{'distance':<18}{'rows':>6}" + "".join(f"{title:>22}" for title in columns),
    ]
    for index, bucket in enumerate(next(iter(columns.values()))):
        if math.isinf(bucket["to"]):
            span = f">= {bucket['from']:g}" if bucket["from"] else "any"
        else:
            span = f"{bucket['from']:g} to {bucket['to']:g}"
        cells = ""
        for errors in columns.values():
            found = errors[index]
            text = f"{found['median']:.2g}  {found['largest']:.2g}" if found["rows"] else "-"
            cells += f"{text:>22}"
        lines.append(f"  {span:<18}{bucket['rows']:>6}{cells}")
    return lines


def _statistics_text(run: dict[str, Any]) -> list[str]:
    lines = [
        f"statistics of the schedule, last epoch of the best start ({run['schedule']})",
        "  one decision a sample, at the distance |Q|; Q is scaled to norm 1",
    ]
    for name, value in run["statistics"].items():
        if value is None or value == []:
            text = "-"
        elif isinstance(value, float):
            text = f"{value:.4g}"
        elif isinstance(value, list):
            text = "; ".join(f"{low:.4g} to {high:.4g}" for low, high in value)
        else:
            text = str(value)
        lines.append(f"  {name:<24}{text}")
    return lines
