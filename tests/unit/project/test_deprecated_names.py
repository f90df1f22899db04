"""Old names warn, and give what the new ones give."""

from __future__ import annotations

import importlib
import sys

import pytest

from zeroproof import TRNode, sample_mask


def test_the_module_quarantine() -> None:
    sys.modules.pop("zeroproof.quarantine", None)
    with pytest.warns(DeprecationWarning, match=r"zeroproof\.sample_mask") as caught:
        module = importlib.import_module("zeroproof.quarantine")
    assert len(caught) == 1
    assert module.__all__ == sample_mask.__all__
    for name in module.__all__:
        assert getattr(module, name) is getattr(sample_mask, name)


def test_births_are_origins() -> None:
    y = 1.0 / TRNode.parameter(0.0)
    found = y.explain()
    with pytest.warns(DeprecationWarning, match=r"Explanation\.births is now origins") as caught:
        assert found.births is found.origins
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(DeprecationWarning, match=r"counts\['origins'\]") as caught:
        assert found.counts["births"] == found.counts["origins"] == 1
    assert [warning.filename for warning in caught] == [__file__]
    assert "births" not in found.counts
    with pytest.raises(KeyError, match="other"):
        found.counts["other"]


def test_the_lines_of_assignments() -> None:
    x = TRNode.parameter(0.0)
    y = 1.0 / x
    [origin] = y.explain().origins
    expression = origin.expression
    assert expression is not None
    with pytest.warns(DeprecationWarning, match=r"Expression\.origins is now assigned_at"):
        assert expression.origins == expression.assigned_at
    assert expression.assigned_at[1] is not None
