"""Checks of gradients, and tapes, on structures of parameters."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from zeroproof import TRNode
from zeroproof.autodiff import (
    Verdict,
    assert_gradient,
    check_gradient,
    gradient_tape,
    tr_sin,
)


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Layer:
    weights: Any
    bias: Any


P = {"w": np.array([[1.0, 2.0]]), "layers": [Layer([0.5], 0.25), None], "pair": Pair(2.0, {})}
NAMES = ["p['w'][0, 0]", "p['w'][0, 1]", "p['layers'][0].weights[0]", "p['layers'][0].bias"]
NAMES += ["p['pair'].a", "x"]


def function(p: Any, x: Any) -> Any:
    assert p["layers"][1] is None
    layer = p["layers"][0]
    return p["w"][0, 0] * p["w"][0, 1] * layer.weights[0] + layer.bias * p["pair"].a * tr_sin(x)


class TestChecks:
    def test_rows_are_named_by_path(self) -> None:
        check = check_gradient(function, P, 0.5)
        assert check.ok
        assert [row.name for row in check.rows] == NAMES
        s = float(tr_sin(0.5))
        found = [row.gradient for row in check.rows]
        np.testing.assert_allclose(found[:5], [1.0, 0.5, 2.0, 2.0 * s, 0.25 * s], rtol=1e-15)
        assert "p['layers'][0].weights[0]" in repr(check)

    def test_wrong_gradients_are_found_where_they_are(self) -> None:
        def biased(p: Any, x: Any) -> Any:
            hidden = p["layers"][0].bias
            return function(p, x) + 5e-4 * (hidden - hidden.detach())

        check = check_gradient(biased, P, 0.5)
        assert [row.name for row in check.rows if row.verdict is Verdict.WRONG] == [NAMES[3]]
        with pytest.raises(AssertionError, match=r"p\['layers'\]\[0\]\.bias"):
            assert_gradient(biased, P, 0.5)

    def test_lists_of_numbers_are_arrays_and_of_arrays_are_lists(self) -> None:
        assert check_gradient(lambda v: v.sum(), [[1.0, 2.0], [TRNode.parameter(3.0), 4]]).ok
        check = check_gradient(lambda v: v[0] @ v[1], [np.ones(2), np.array([2.0, 3.0])])
        assert [row.name for row in check.rows] == ["v[0][0]", "v[0][1]", "v[1][0]", "v[1][1]"]
        assert [row.gradient for row in check.rows] == [2.0, 3.0, 1.0, 1.0]

    def test_a_number_is_returned(self) -> None:
        [row] = check_gradient(lambda x: x if x > 0 else 0.0, -1.0).rows
        assert (row.gradient, row.verdict) == (0.0, Verdict.OK)
        assert check_gradient(lambda x: 2.5, -1.0).ok

    @pytest.mark.parametrize(
        ("leaf", "error", "message"),
        [
            ("1", TypeError, r"p\['a'\]\[0\] must be a number, a TRScalar or a TRNode, not str"),
            (np.inf, ValueError, r"p\['a'\]\[0\] is inf"),
            (np.array([1.0, np.nan]), ValueError, r"p\['a'\]\[0\]\[1\] is nan"),
        ],
    )
    def test_what_is_refused(self, leaf: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            check_gradient(lambda p: p["b"], {"a": [leaf], "b": 1.0})
        with pytest.raises(ValueError, match="nothing to check"):
            check_gradient(lambda p: 1.0, {"a": []})


def nodes(*shape: int) -> Any:
    array = np.empty(shape, dtype=object)
    for place, index in enumerate(np.ndindex(shape)):
        array[index] = TRNode.parameter(place + 1.0)
    return array


class TestTapes:
    def test_sources_in_every_container(self) -> None:
        w = nodes(2, 2)
        p = OrderedDict(w=w, layer=Layer([TRNode.parameter(5.0)], TRNode.constant(1.0)), none=None)
        with gradient_tape() as tape:
            y = w[0, 0] * w[1, 1] * p["layer"].weights[0]
        found = tape.gradient(y, p)
        assert type(found) is OrderedDict
        assert (found["w"].dtype, found["w"].shape) == (object, (2, 2))
        assert found["w"].astype(float).tolist() == [[20.0, 0.0], [0.0, 5.0]]
        assert float(found["layer"].weights[0]) == 4.0
        assert (found["layer"].bias, found["none"]) == (None, None)
        assert type(gradient_tape().gradient(y, Pair(w[0], ()))) is Pair

    def test_targets_in_arrays_and_structures(self) -> None:
        x = nodes(3)
        y = x * x
        with gradient_tape(persistent=True) as tape:
            found = tape.gradient(y, x)
        assert [each.item() for each in found] == [2.0, 4.0, 6.0]
        found = tape.gradient({"a": y[:1], "b": [y[1]]}, x)
        assert [each.item() for each in found] == [2.0, 4.0, 0.0]
        for adjoints in (np.array([1.0, 10.0, 100.0]), [1.0, 10.0, 100.0], ([1.0], (10.0, 100))):
            found = tape.gradient(y, x, adjoints)
            assert found.astype(float).tolist() == [2.0, 40.0, 600.0]
        with pytest.raises(ValueError, match="3 targets need as many output gradients, not 2"):
            tape.gradient(y, x, [1.0, 2.0])

    def test_an_array_of_one_object(self) -> None:
        x = TRNode.parameter(3.0)
        boxed = np.array(x * x, dtype=object)
        assert float(gradient_tape().gradient(boxed, np.array(x, dtype=object))) == 6.0

    def test_watching(self) -> None:
        c = {"a": np.array([TRNode.constant(2.0)], dtype=object), "b": [TRNode.constant(3.0)]}
        d = TRNode.constant(4.0)
        with gradient_tape() as tape:
            tape.watch(c)
            tape.watch(each for each in [d])
            y = c["a"][0] * c["b"][0] * d
        found, by_d = tape.gradient(y, (c, d))
        assert (float(found["a"][0]), float(found["b"][0]), float(by_d)) == (12.0, 8.0, 6.0)

    def test_nothing_is_watched_of_a_structure_with_a_fault(self) -> None:
        c = TRNode.constant(2.0)
        tape = gradient_tape()
        with pytest.raises(TypeError, match=r"watch takes TRNodes, not float at node\[1\]"):
            tape.watch([c, 1.0])
        assert not (c * c).requires_grad
        assert tape.gradient(TRNode.parameter(1.0) * c, c) is None

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ({"a": [1.0]}, r"not float at sources\['a'\]\[0\]"),
            ([np.ones(2)], r"not ndarray at sources\[0\]"),
            (Pair(np.array([None]), 1.0), r"not NoneType at sources\.a"),
            (None, "not None"),
        ],
    )
    def test_what_is_no_node(self, bad: Any, message: str) -> None:
        x = TRNode.parameter(1.0)
        with pytest.raises(TypeError, match=f"gradient takes TRNodes, {message}"):
            gradient_tape().gradient(x * x, bad)
        with pytest.raises(TypeError, match="gradient takes"):
            gradient_tape().gradient(bad, x)
        with pytest.raises(TypeError, match="gradient takes at least one target"):
            gradient_tape().gradient([], x)
