"""The nonlinear regression problems of NIST StRD: models here, data and values in their files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1] / "data" / "nist"


def _misra1a(b: Any, x: Any) -> Any:
    return b["b1"] * (1.0 - np.exp(-b["b2"] * x))


def _misra1b(b: Any, x: Any) -> Any:
    return b["b1"] * (1.0 - (1.0 + b["b2"] * x / 2.0) ** -2)


def _misra1c(b: Any, x: Any) -> Any:
    return b["b1"] * (1.0 - (1.0 + 2.0 * b["b2"] * x) ** -0.5)


def _misra1d(b: Any, x: Any) -> Any:
    return b["b1"] * b["b2"] * x / (1.0 + b["b2"] * x)


def _chwirut(b: Any, x: Any) -> Any:
    return np.exp(-b["b1"] * x) / (b["b2"] + b["b3"] * x)


def _danwood(b: Any, x: Any) -> Any:
    return b["b1"] * x ** b["b2"]


def _enso(b: Any, x: Any) -> Any:
    year, first, second = (2.0 * np.pi * x / period for period in (12.0, b["b4"], b["b7"]))
    return (
        b["b1"]
        + b["b2"] * np.cos(year)
        + b["b3"] * np.sin(year)
        + b["b5"] * np.cos(first)
        + b["b6"] * np.sin(first)
        + b["b8"] * np.cos(second)
        + b["b9"] * np.sin(second)
    )


def _eckerle4(b: Any, x: Any) -> Any:
    return b["b1"] / b["b2"] * np.exp(-0.5 * ((x - b["b3"]) / b["b2"]) ** 2)


def _gauss(b: Any, x: Any) -> Any:
    first = b["b3"] * np.exp(-((x - b["b4"]) ** 2) / b["b5"] ** 2)
    second = b["b6"] * np.exp(-((x - b["b7"]) ** 2) / b["b8"] ** 2)
    return b["b1"] * np.exp(-b["b2"] * x) + first + second


def _cubics(b: Any, x: Any) -> Any:
    p = b["b1"] + x * (b["b2"] + x * (b["b3"] + x * b["b4"]))
    return p / (1.0 + x * (b["b5"] + x * (b["b6"] + x * b["b7"])))


def _kirby2(b: Any, x: Any) -> Any:
    return (b["b1"] + x * (b["b2"] + x * b["b3"])) / (1.0 + x * (b["b4"] + x * b["b5"]))


def _lanczos(b: Any, x: Any) -> Any:
    pairs = (("b1", "b2"), ("b3", "b4"), ("b5", "b6"))
    return sum(b[size] * np.exp(-b[rate] * x) for size, rate in pairs)


def _mgh09(b: Any, x: Any) -> Any:
    return b["b1"] * (x**2 + x * b["b2"]) / (x**2 + x * b["b3"] + b["b4"])


def _mgh10(b: Any, x: Any) -> Any:
    return b["b1"] * np.exp(b["b2"] / (x + b["b3"]))


def _mgh17(b: Any, x: Any) -> Any:
    return b["b1"] + b["b2"] * np.exp(-x * b["b4"]) + b["b3"] * np.exp(-x * b["b5"])


def _nelson(b: Any, x: Any) -> Any:
    return b["b1"] - b["b2"] * x[0] * np.exp(-b["b3"] * x[1])


def _rat42(b: Any, x: Any) -> Any:
    return b["b1"] / (1.0 + np.exp(b["b2"] - b["b3"] * x))


def _rat43(b: Any, x: Any) -> Any:
    return b["b1"] / (1.0 + np.exp(b["b2"] - b["b3"] * x)) ** (1.0 / b["b4"])


def _roszman1(b: Any, x: Any) -> Any:
    return b["b1"] - b["b2"] * x - np.arctan(b["b3"] / (x - b["b4"])) / np.pi


def _bennett5(b: Any, x: Any) -> Any:
    return b["b1"] * (b["b2"] + x) ** (-1.0 / b["b3"])


MODELS: dict[str, Callable[[Any, Any], Any]] = {
    "Bennett5": _bennett5,
    "BoxBOD": _misra1a,
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": _danwood,
    "ENSO": _enso,
    "Eckerle4": _eckerle4,
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubics,
    "Kirby2": _kirby2,
    "Lanczos1": _lanczos,
    "Lanczos2": _lanczos,
    "Lanczos3": _lanczos,
    "MGH09": _mgh09,
    "MGH10": _mgh10,
    "MGH17": _mgh17,
    "Misra1a": _misra1a,
    "Misra1b": _misra1b,
    "Misra1c": _misra1c,
    "Misra1d": _misra1d,
    "Nelson": _nelson,
    "Rat42": _rat42,
    "Rat43": _rat43,
    "Roszman1": _roszman1,
    "Thurber": _cubics,
}
#: The models that are quotients of polynomials, by NIST's classes.
RATIONAL = ("Hahn1", "Kirby2", "MGH09", "Thurber")


@dataclass(frozen=True)
class Problem:
    """A problem: its model and data, two starts, and the certified values."""

    name: str
    model: Callable[[Any, Any], Any]
    x: Any
    y: Any
    starts: tuple[dict[str, float], dict[str, float]]
    certified: Any
    stderr: Any
    sse: float
    dof: int


def read(name: str, folder: Path = FOLDER) -> Problem:
    """A problem by the name of its file."""
    lines = (folder / f"{name}.dat").read_text(encoding="ascii").splitlines()
    rows = [line.split("=") for line in lines[40:60] if re.match(r"\s*b\d+\s*=", line)]
    names = [left.strip() for left, _ in rows]
    columns = np.array([right.split() for _, right in rows], float).T
    data = np.array([line.split() for line in lines[60:] if line.strip()], float)
    y, x = data[:, 0], data[:, 1:]
    return Problem(
        name=name,
        model=MODELS[name],
        x=x[:, 0] if x.shape[1] == 1 else x,
        y=np.log(y) if name == "Nelson" else y,
        starts=(dict(zip(names, columns[0])), dict(zip(names, columns[1]))),
        certified=columns[2],
        stderr=columns[3],
        sse=_value(lines, "Residual Sum of Squares"),
        dof=len(y) - len(names),  # the file of Rat43 misprints it
    )


def correct_digits(found: Any, certified: Any) -> Any:
    """−log₁₀ of the relative error, at most the 11 digits that are certified."""
    error = np.abs(np.asarray(found) - certified) / np.abs(certified)
    return -np.log10(np.maximum(error, 1e-11))


def _value(lines: list[str], head: str) -> float:
    return next(float(line.split(":")[1]) for line in lines if line.strip().startswith(head))
