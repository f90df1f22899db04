"""The fit of several columns: a rational model of several inputs or outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..models import RationalModel
from ..models._fit import kept_apart
from .estimates import as_text as estimates_text
from .estimates import estimates
from .table import Table
from .text import InputError

__all__ = ["LOSSES", "as_text", "build", "fit"]

#: What the losses of the command are called by the model.
LOSSES = {"linear": "squared", "soft_l1": "soft_l1", "huber": "huber", "cauchy": "cauchy"}


def fit(
    table: Table, degree: tuple[int, int], loss: str, seed: int
) -> tuple[RationalModel, dict[str, Any]]:
    """The model that fits the columns, with the same denominator for each y, and the report.

    Raises:
        InputError: for data that cannot be fitted with this degree.
    """
    inputs, outputs = table.x.shape[1], table.y.shape[1]
    try:
        model = RationalModel(inputs, outputs, degree, seed=seed)
        history = model.fit(
            table.x,
            table.y,
            method="lm",
            sigma=table.sigma,
            loss=LOSSES[loss],
            seed=seed,
            validation=_share(len(table.x)),
        )
    except ValueError as error:
        raise InputError(f"{table.name}: {error}") from None
    apart = kept_apart(table.y, _share(len(table.x)), np.random.default_rng(seed))
    found = build(table, model, history, loss, seed)
    found["estimates"] = estimates(table, ~apart, model, loss)
    return model, found


def _share(rows: int) -> float:
    """The share of rows kept apart: none of few."""
    return 0.2 if rows >= 200 else 0.0


def build(table: Table, model: RationalModel, history: Any, loss: str, seed: int) -> dict[str, Any]:
    """The report as data; numbers may be infinite or NaN."""
    with np.errstate(all="ignore"):
        residuals = table.y - model.predict(table.x)
    usable = np.isfinite(table.y).all(axis=1)
    at_pole = usable & ~np.isfinite(residuals).all(axis=1)
    kept = residuals[usable & ~at_pole]
    held_out = history.validation_loss[history.best_epoch] if history.validation_loss else None
    sizes = {name: int(array.size) for name, array in model.parameters().items()}
    return {
        "problem": {
            "name": table.name,
            "rows": len(table.x),
            "usable_rows": int(usable.sum()),
            "kept_out_rows": int((~usable).sum()),
        },
        "columns": {"x": list(table.x_names), "y": list(table.y_names)},
        "method": "fit",
        "seed": seed,
        "degree": list(model.degree),
        "coefficients": sizes,
        "loss": loss,
        "validation_loss": held_out,
        "epochs": history.epochs,
        "rows_at_a_pole": int(at_pole.sum()),
        "residual_rms": np.sqrt(np.mean(kept**2, axis=0)).tolist() if len(kept) else None,
        "largest_residual": np.abs(kept).max(axis=0).tolist() if len(kept) else None,
    }


def as_text(report: dict[str, Any], verbose: bool) -> str:
    """The report as text: in brief, or with all coefficients."""
    problem, columns = report["problem"], report["columns"]
    n, m = report["degree"]
    sizes = report["coefficients"]
    lines = [
        f"problem   {problem['name']}: {problem['usable_rows']} of {problem['rows']} rows usable",
        f"model     {', '.join(columns['y'])} of {', '.join(columns['x'])}: total degree {n}/{m}, "
        f"{sizes['numerator']} coefficients of P and {sizes['denominator']} of Q",
    ]
    if problem["kept_out_rows"]:
        lines.append(f"kept out  {problem['kept_out_rows']} with a target that is not finite")
    if report["rows_at_a_pole"]:
        lines.append(f"note      the model has a pole at {report['rows_at_a_pole']} of the rows")
    lines.append("")
    if report["residual_rms"] is not None:
        for name, rms, largest in zip(
            columns["y"], report["residual_rms"], report["largest_residual"]
        ):
            lines.append(f"{name}: residuals {rms:.4g} (root mean square), {largest:.4g} (largest)")
    if report["validation_loss"] is not None:
        lines.append(f"loss on the rows kept apart {report['validation_loss']:.4g}")
    if verbose:
        lines += ["", *estimates_text(report["estimates"], columns)]
    else:
        lines.append("--verbose adds the coefficients with standard errors")
    return "\n".join(lines) + "\n"
