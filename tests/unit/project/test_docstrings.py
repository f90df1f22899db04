"""The examples of docstrings run and print what they say."""

from __future__ import annotations

import doctest
import inspect

import pytest

import zeroproof
from zeroproof import optim

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (zeroproof, optim)
    for name in module.__all__
}
WITH_EXAMPLES = {
    name: value for name, value in PUBLIC.items() if ">>>" in (inspect.getdoc(value) or "")
}
#: Where most programs begin.
ENTRY_POINTS = {
    *("tr_vmap", "tr_grad", "tr_value_and_grad", "tr_jacobian", "tr_hvp", "gradient_tape"),
    *("gradient_mode", "TRArray", "least_squares", "fit_rational", "RationalModel"),
    *("check_gradient", "watch_singularities", "alarm"),
}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_a_docstring(name):
    text = inspect.getdoc(WITH_EXAMPLES[name])
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert test.examples
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_entry_points_have_examples():
    names = {name.rsplit(".", 1)[1] for name in WITH_EXAMPLES}
    assert names >= ENTRY_POINTS | {"SGD"}


def test_an_example_that_is_wrong_is_found():
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=lambda _: None)
    assert runner.failures == 1
