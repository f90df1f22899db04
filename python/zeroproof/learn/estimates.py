"""The coefficients of a model of several columns with their standard errors.

Linear theory at the minimum, as for :func:`zeroproof.least_squares`. Q has norm 1, so only changes
along the sphere count, for each Q of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import GradientMode, gradient_mode
from ..fitting._inference import inference
from ..fitting._losses import Loss
from ..models import RationalModel
from ..rational._table import estimate
from .table import FloatArray, Table

__all__ = ["as_text", "estimates"]

#: More coefficients than this are in the JSON report only.
MOST_SHOWN = 60


def estimates(
    table: Table, fitted: npt.NDArray[np.bool_], model: RationalModel, loss: str
) -> dict[str, Any]:
    """Terms, values and standard errors of P, a list for each y, and of Q.

    ``fitted`` are the rows that the model was fitted to, without those kept apart.

    A standard error is None where the rows do not determine the coefficient, and for all without
    degrees of freedom.
    """
    errors, dof = _errors(table, fitted, model, loss)
    split = model.numerator.size
    tops = errors[:split].reshape(model.numerator.shape)
    top, bottom = (_names(terms, table.x_names) for terms in (model._top, model._bottom))
    return {
        "numerator": {
            name: _listed(top, values, deviations)
            for name, values, deviations in zip(table.y_names, model.numerator, tops)
        },
        "denominator": _listed(bottom, model.denominator, errors[split:]),
        "degrees_of_freedom": dof,
        "domain": [list(pair) for pair in model.domain or ()],
    }


def _listed(names: list[str], values: FloatArray, errors: FloatArray) -> list[dict[str, Any]]:
    return [
        {"term": name, "value": value, "stderr": error if np.isfinite(error) else None}
        for name, value, error in zip(names, values.tolist(), errors.tolist())
    ]


def _errors(
    table: Table, fitted: npt.NDArray[np.bool_], model: RationalModel, loss: str
) -> tuple[FloatArray, int]:
    """The standard errors of all coefficients, and the degrees of freedom."""
    x, y = np.ascontiguousarray(table.x[fitted]), table.y[fitted]
    sigma = np.ones(len(x)) if table.sigma is None else table.sigma[fitted]
    size = model.numerator.size + model.denominator.size
    with np.errstate(all="ignore"):
        residuals = ((model.predict(x) - y) / sigma[:, None]).ravel()
        with gradient_mode(GradientMode.MASK_REAL):
            jacobian = model.batched.jacobian(model.numerator, model.denominator, x, argnums=(0, 1))
        rows = (np.asarray(jacobian) / sigma[:, None, None]).reshape(-1, size)
        kept = np.isfinite(residuals) & np.isfinite(rows).all(axis=1)
        tangent = np.linalg.svd(model.denominator[None, :])[2][1:].T
        split = model.numerator.size
        chart = np.zeros((size, size - 1))
        chart[:split, :split] = np.eye(split)
        chart[split:, split:] = tangent
        found = inference(
            rows[kept] @ chart,
            residuals[kept],
            loss=Loss(loss, 1.0),
            noise_is_known=table.sigma is not None,
        )
        dof = int(np.count_nonzero(kept)) - found.rank
        if found.undetermined.any():
            # What is not determined in the chart is not determined in any coefficient it moves.
            lost = np.abs(chart[:, found.undetermined]).max(axis=1) > 0.0
            covariance = np.where(np.isfinite(found.covariance), found.covariance, 0.0)
        else:
            lost, covariance = np.zeros(size, bool), found.covariance
        variances = np.einsum("ij,jk,ik->i", chart, covariance, chart)
        errors = np.sqrt(np.maximum(variances, 0.0))
        errors[np.isnan(variances)] = np.nan
        errors[lost] = np.nan
    return errors, dof


def _names(terms: Any, inputs: tuple[str, ...]) -> list[str]:
    """Products of powers of the scaled columns, such as ``a^2*b``."""
    found = []
    for term in terms:
        factors = [f"{inputs[v]}^{k}" if k > 1 else inputs[v] for v, k, _ in term]
        found.append("*".join(factors) or "1")
    return found


def as_text(found: dict[str, Any], columns: dict[str, list[str]]) -> list[str]:
    """The coefficients, and what a pole is."""
    lines = []
    parts = [(f"P of {name}", terms) for name, terms in found["numerator"].items()]
    parts.append(("Q", found["denominator"]))
    if sum(len(terms) for _, terms in parts) > MOST_SHOWN:
        lines.append("coefficients are in the report of --json, there are too many to show")
    else:
        scaled = ", ".join(
            f"{name} in [{low:.6g}, {high:.6g}]"
            for name, (low, high) in zip(columns["x"], found["domain"])
        )
        lines.append(f"coefficients, each x scaled to [-1, 1]: {scaled}")
        for title, terms in parts:
            for k, term in enumerate(terms):
                error = term["stderr"]
                if error is None:
                    text = f"{term['value']:.8g} (no standard error)"
                elif error == 0.0:
                    text = f"{term['value']:.10g}"
                else:
                    text = estimate(term["value"], error)
                lines.append(f"  {title if k == 0 else '':<12}{term['term']:<14}{text}".rstrip())
    lines.append(
        f"poles     where Q = 0: with {len(columns['x'])} columns x a set of points, such as a "
        "curve or a surface, not a list of numbers"
        if len(columns["x"]) > 1
        else f"poles     where Q = 0, the same for {', '.join(columns['y'])}"
    )
    return lines
