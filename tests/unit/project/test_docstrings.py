"""Every public function and class has examples in its docstring, which print what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest

import zeroproof
from zeroproof._ufunc_table import METHODS

MODULES = (
    *("zeroproof", "zeroproof.autodiff", "zeroproof.autodiff.tr_ops_grad", "zeroproof.fitting"),
    *("zeroproof.models", "zeroproof.optim", "zeroproof.plot", "zeroproof.rational"),
)
#: The packages that an example needs besides those of the tests.
NEEDED = {"history": "matplotlib", "modes": "matplotlib"}
#: Methods that only write files or draw, which the guides show.
SHOWN_ELSEWHERE = {"plot", "to_onnx"}


def public() -> Iterator[tuple[str, Any]]:
    """Every public function and class, once, by where it is first offered."""
    seen: set[int] = set()
    for module in MODULES:
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if callable(value) and id(value) not in seen:
                seen.add(id(value))
                yield f"{module}.{name}", value


PUBLIC = dict(public())
CLASSES = {
    name: value
    for name, value in PUBLIC.items()
    if inspect.isclass(value) and not issubclass(value, Enum)
}


def examples(value: object, name: str) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(inspect.getdoc(value) or "", name)


def run(text: str, name: str) -> str:
    """Runs the examples of a docstring and returns the report of what differs."""
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "example"}, name, None, None)
    assert test.examples, f"{name} has no example"
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.append)
    return "".join(report)


@pytest.fixture(autouse=True)
def state_as_it_was() -> Iterator[None]:
    threads = zeroproof.get_num_threads()
    yield
    zeroproof.set_num_threads(threads)
    zeroproof.set_native(True)
    zeroproof.autodiff.GradientModeConfig.reset()
    zeroproof.autodiff.HybridGradientContext.reset()


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_a_docstring(name: str) -> None:
    needed = NEEDED.get(name.rsplit(".", 1)[1])
    if needed:
        pytest.importorskip(needed)
    assert run(inspect.getdoc(PUBLIC[name]) or "", name) == ""


def methods(cls: type) -> Iterator[str]:
    """The public methods of a class of this package, but NumPy's functions as methods."""
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        is_method = callable(getattr(cls, name)) and not inspect.isclass(value)
        owner = next(each for each in cls.__mro__ if name in vars(each))
        if not name.startswith("_") and is_method and owner.__module__.startswith("zeroproof"):
            yield name


METHODS_WITH_EXAMPLES = {
    f"{name}.{method}": getattr(cls, method)
    for name, cls in CLASSES.items()
    for method in methods(cls)
    if method not in METHODS and examples(getattr(cls, method), method)
}


@pytest.mark.parametrize("name", METHODS_WITH_EXAMPLES)
def test_examples_of_a_method(name: str) -> None:
    assert run(inspect.getdoc(METHODS_WITH_EXAMPLES[name]) or "", name) == ""


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_is_used_in_an_example(name: str) -> None:
    """Of its own or of its class."""
    cls = CLASSES[name]
    shown = [example for each in cls.__mro__ for example in examples(each, name)]
    source = "".join(example.source for example in shown)
    missing = [
        method
        for method in methods(cls)
        if not re.search(rf"\.{method}\b", source)
        and not examples(getattr(cls, method), method)
        and method not in SHOWN_ELSEWHERE
        and method not in METHODS
    ]
    assert missing == []


def test_what_is_public_was_found() -> None:
    names = {name.rsplit(".", 1)[1] for name in PUBLIC}
    assert names >= {"TRNode", "TRArray", "HybridGradientSchedule", "tr_vmap", "tr_log", "SGD"}
    assert {"backward", "parameter", "assign"} <= set(methods(zeroproof.TRNode))


def test_an_example_that_is_wrong_is_found() -> None:
    assert "Got:\n    2" in run(">>> 1 + 1\n3\n", "wrong")
    with pytest.raises(AssertionError, match="silent has no example"):
        run("No example.", "silent")
