"""Files that are no saved models: errors that name the place, and nothing worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.file_targets import columned
from zeroproof import Rational, RationalModel, fit_rational
from zeroproof.__main__ import main

X = np.linspace(-1.0, 1.0, 30)
FIT = fit_rational(X, (1.0 + X) / (X - 0.3) + 1e-3 * np.cos(50.0 * X), (1, 1))
DEEP = "[" * 100_000


def saved(model: Any, path: Path) -> dict[str, Any]:
    model.save(path)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def with_change(content: dict[str, Any], place: str, value: Any) -> str:
    """The text with another value at a place, such as ``fit.rows``."""
    *above, name = place.split(".")
    inner = content
    for key in above:
        inner = inner[key]
    inner[name] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("numerator", [[1.0]], "numerator: expected a number, not list"),
        ("numerator", ["1.5", 2], "numerator: expected a number, not '1.5'"),
        ("numerator", [True], "numerator: expected a number, not True"),
        ("numerator", [10**400], "numerator: the number is too large for a double"),
        ("numerator", ["inf"], "numerator: expected a finite number"),
        ("numerator", [], "spread: expected a row for each coefficient"),
        ("denominator", None, "denominator: expected an array of numbers, not None"),
        ("denominator", [0.0, 0.0], "denominator has no coefficient that is not 0"),
        ("interval", [0.0], "interval: expected two numbers, not 1"),
        ("interval", [1.0, 1.0], "interval must be two numbers"),
        ("centre", "nan", "centre: expected a finite number, not 'nan'"),
        ("half", 0, "half: expected a number of at least"),
        ("half", None, "half: expected a number, not None"),
        ("order", 0, "order: expected a number from 1 to 1000, not 0"),
        ("order", 10**12, "order: expected a number from 1 to 1000"),
        ("order", 2, "spread: expected null, as the order is more than 1"),
        ("order", 1.0, "order: expected a whole number, not 1.0"),
        ("spread", 1, "spread: expected an array of numbers, not 1"),
        ("spread", [[1.0]], "spread: expected a row for each coefficient"),
        ("spread", [[1.0], [1.0, 2.0]], "spread: its rows are not of one length"),
        ("fit", [], "fit: expected an object or null"),
        ("fit.more", 1, "fit: 'more' is not known here"),
        ("fit.rows", -1, "fit.rows: expected a count, not -1"),
        ("fit.exact", 1, "fit.exact: expected true or false, not 1"),
        ("fit.loss", None, "fit.loss: expected a string, not None"),
        ("fit.warnings", "no", "fit.warnings: expected an array of strings, not 'no'"),
        ("fit.warnings", [1], "fit.warnings: expected a string, not 1"),
        ("fit.sse", "much", "fit.sse: expected a number, not 'much'"),
        ("fit.sse", -1e-310, "fit.sse: expected a number that is not negative"),
        ("fit.criterion", {}, "fit.criterion: expected a number, not dict"),
    ],
)
def test_damages_of_rational_functions_are_named(
    tmp_path: Path, place: str, value: Any, message: str
) -> None:
    path = tmp_path / "fit.json"
    text = with_change(saved(FIT, path), place, value)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"fit\.json is no complete Rational") as caught:
        Rational.load(path)
    assert message in str(caught.value)


def test_what_only_infinity_can_be(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    path.write_text(with_change(saved(FIT, path), "fit.criterion", "-inf"), encoding="utf-8")
    again = Rational.load(path)
    assert again.record is not None
    assert again.record.criterion == -np.inf
    assert again.summary()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"degree": [10**9, 1]}, "degree 1000000000 in 1 variables has more than 100000 terms"),
        ({"degree": [1, 2**62]}, "has more than 100000 terms"),
        ({"inputs": 2**40, "degree": [0, 0]}, "inputs should be at most 100000"),
        ({"outputs": 2**40}, "numerator should have a row for each output"),
        ({"outputs": True}, "outputs must be a whole number"),
        ({"numerator": [[10**400, 1.0, 1.0]]}, "numerator should be finite"),
        ({"numerator": [["1", 1.0, 1.0]]}, "numerator should be finite"),
        ({"numerator": [[1.0], [1.0, 2.0]]}, "numerator should have a row for each output"),
        ({"denominator": {"a": 1}}, "denominator should be finite"),
        ({"denominator": [[], [1.0]]}, "denominator should be finite"),
        ({"domain": [[0.0, 10**400]]}, "domain"),
    ],
)
def test_damages_of_models_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "model.json"
    content = saved(RationalModel(1, 1, (2, 1)), path)
    path.write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(ValueError, match="the file is a damaged RationalModel") as caught:
        RationalModel.load(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", [Rational, RationalModel])
def test_other_files_are_refused(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "model.json"
    for content, message in [
        (DEEP.encode(), "nested too deep"),
        (b"\xff\xfe\x00", "is not text"),
        (b"", "not JSON"),
        (b"1" * 4000, "Rational"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            kind.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DEEP, "is not JSON"),
        ({"columns": 1}, "columns.x should be 1 names"),
        ({"columns": {"x": ["x"]}}, "columns.y should be 1 names"),
        ({"columns": {"x": ["x"], "y": [1]}}, "columns.y should be 1 names"),
        ({"columns": {"x": ["x", "u"], "y": ["y"]}}, "columns.x should be 1 names"),
    ],
)
def test_the_command_names_what_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, message: str
) -> None:
    model, table = tmp_path / "model.json", tmp_path / "rows.csv"
    if isinstance(content, dict):
        content = json.dumps({**json.loads(columned()[0]), **content})
    model.write_text(content, encoding="utf-8")
    table.write_text("x\n0.5\n", encoding="utf-8")
    assert main(["predict", str(model), str(table)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
