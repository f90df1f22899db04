"""Batches over structures of parameters, keyword arguments, structured results and further ones."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from support.gradients import mode_block
from zeroproof import TRArray, TRNode, TRScalar, alarm, pinf, real, tr_log, tr_vmap
from zeroproof.autodiff import (
    GradientMode,
    GradientStatus,
    HybridGradientContext,
    tr_value_and_grad,
)
from zeroproof.sample_mask import MaskedSamplesWarning

X = np.array([0.5, -1.5, 2.0, 0.0])
W = np.array([[1.0, -2.0], [0.5, 3.0]])
P: dict[str, Any] = {"w": W, "layers": [(0.25, np.array([1.5, 2.5]))], "none": None}


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class Model:
    slope: Any
    offset: Any = 0.0


def loss(p: Any, x: Any) -> Any:
    [(bias, scale)] = p["layers"]
    hidden = p["w"] @ np.array([x, 1.0 + 0.0 * x], dtype=object)
    return (hidden @ scale + bias) / (1.0 + x * x)


LOSS = tr_vmap(loss, in_axes=(None, 0))


def of_each_sample(f: Any, p: Any, xs: Any) -> tuple[list[float], list[Any]]:
    """Values and gradients by the parameters of each sample, on the scalar path."""
    found = [tr_value_and_grad(f)(p, float(x)) for x in xs]
    return [float(value) for value, _ in found], [gradient for _, gradient in found]


class TestArguments:
    def test_gradients_in_the_structure_of_the_argument(self) -> None:
        values, gradient = LOSS.value_and_grad(P, X)
        expected, gradients = of_each_sample(loss, P, X)
        assert values.to_ieee().tolist() == expected
        assert list(gradient) == ["w", "layers", "none"]
        assert gradient["none"] is None
        [(bias, scale)] = gradient["layers"]
        assert type(gradient["layers"][0]) is tuple
        assert (gradient["w"].shape, bias.shape, scale.shape) == ((4, 2, 2), (4,), (4, 2))
        for sample, each in enumerate(gradients):
            assert gradient["w"][sample].tolist() == each["w"].tolist()
            assert bias[sample] == float(each["layers"][0][0])
            assert scale[sample].tolist() == each["layers"][0][1].tolist()

    def test_totals_and_statuses(self) -> None:
        _, each = LOSS.value_and_grad(P, X)
        mean, gradient, status = LOSS.value_and_grad(P, X, reduce="mean", with_status=True)
        assert isinstance(mean, TRScalar)
        assert (gradient["w"].shape, gradient["layers"][0][0].shape) == ((2, 2), ())
        np.testing.assert_allclose(gradient["w"], each["w"].mean(0), rtol=1e-15)
        assert status["w"].dtype == np.uint8
        assert status["w"].tolist() == [[0, 0], [0, 0]]
        assert status["none"] is None

    def test_several_arguments_among_them_one_twice(self) -> None:
        _, (by_p, by_x, again) = LOSS.value_and_grad(P, X, argnums=("p", 1, 0))
        assert by_x.shape == (4,)
        assert again["w"].tolist() == by_p["w"].tolist()

    @pytest.mark.parametrize(
        "p",
        [Pair(2.0, 3.0), Model(2.0, 3.0), OrderedDict(a=2.0, b=3.0), (2.0, {"b": np.array(3.0)})],
    )
    def test_every_container(self, p: Any) -> None:
        def line(p: Any, x: Any) -> Any:
            slope, offset = (
                (p.slope, p.offset) if isinstance(p, Model) else getattr(p, "values", lambda: p)()
            )
            return slope * x + (offset["b"] if isinstance(offset, dict) else offset)

        _, gradient = tr_vmap(line, in_axes=(None, 0)).value_and_grad(p, X, reduce="sum")
        assert type(gradient) is type(p)
        slope, offset = (
            gradient.values()
            if isinstance(p, dict)
            else ((gradient.slope, gradient.offset) if isinstance(p, Model) else gradient)
        )
        assert float(slope) == X.sum()
        assert float(offset["b"] if isinstance(offset, dict) else offset) == 4.0

    def test_a_list_of_numbers_is_an_array_and_one_of_arrays_a_structure(self) -> None:
        def f(p: Any, x: Any) -> Any:
            seen.append(type(p))
            return x

        seen: list[type] = []
        batched = tr_vmap(f, in_axes=(None, 0))
        for p in ([1.0, 2.0], [[1.0], (2, real(1.0))][:1], ((1, 2), (3, 4))):
            batched(p, X)
        assert set(seen) == {np.ndarray}
        seen.clear()
        for p in ([1.0, W], [W, W], [[1.0, None]], [{}], (TRArray([1.0]),), [Pair(1.0, 2.0)]):
            batched(p, X)
        assert set(seen) == {list, tuple}
        seen.clear()
        tr_vmap(f, in_axes=([None, None], 0))([1.0, 2.0], X)  # a structure, as in_axes says
        assert seen == [list]

    def test_structures_with_samples(self) -> None:
        batch = {"x": X, "rows": np.arange(8.0).reshape(4, 2), "scale": 2.0}
        in_axes = ({"x": 0, "rows": 0, "scale": None},)
        batched = tr_vmap(lambda b: b["x"] * b["scale"] + b["rows"][1], in_axes)
        values, gradient = batched.value_and_grad(batch)
        assert values.values.tolist() == (2.0 * X + [1.0, 3.0, 5.0, 7.0]).tolist()
        assert gradient["rows"].tolist() == [[0.0, 1.0]] * 4
        _, gradient = batched.value_and_grad(batch, reduce="sum")
        assert (gradient["x"].shape, gradient["scale"].shape) == ((4,), ())
        assert float(gradient["scale"]) == X.sum()

    def test_in_axes_is_a_prefix(self) -> None:
        data = {"a": (X, [X, X]), "b": 3.0}
        batched = tr_vmap(lambda d: d["a"][0] + d["a"][1][1] * d["b"], ({"a": 0, "b": None},))
        assert batched(data).values.tolist() == (4.0 * X).tolist()
        with pytest.raises(ValueError, match=r"in_axes has 'a' for d, whose items are 'a', 'b'"):
            tr_vmap(lambda d: d["b"], ({"a": 0},))(data)
        with pytest.raises(ValueError, match=r"d\['a'\]\[0\], which is a single value"):
            tr_vmap(lambda d: d["b"], ({"a": ([0], 0), "b": None},))(data)

    def test_lengths_are_named_by_path(self) -> None:
        with pytest.raises(ValueError, match=r"\(d\['x'\]: 4, d\['y'\]\[0\]: 3, e: 4\)"):
            tr_vmap(lambda d, e: e)({"x": X, "y": [X[:3]]}, X)
        first = tr_vmap(lambda d: d["x"])
        with pytest.raises(
            ValueError, match=r"d\['y'\] of <lambda> is a single number, but its in"
        ):
            first({"x": X, "y": 1.0})

    @pytest.mark.parametrize(
        ("leaf", "message"),
        [
            ("1", r"p\['w'\]\[0\] of loss must hold real numbers, not <U1"),
            (np.array([1j]), r"p\['w'\]\[0\] of loss must hold real numbers, not complex128"),
            (TRNode.parameter(1.0), r"p\['w'\]\[0\] of loss is a TRNode"),
            (np.ma.masked_array([1.0]), r"p\['w'\]\[0\] of loss is a masked array"),
        ],
    )
    def test_what_is_no_number_is_named(self, leaf: Any, message: str) -> None:
        with pytest.raises(TypeError, match=message):
            LOSS({"w": [leaf]}, X)

    def test_programs_are_kept_by_structure(self) -> None:
        calls = []

        def f(p: Any, x: Any) -> Any:
            calls.append(p)
            return p["a"] * x

        batched = tr_vmap(f, in_axes=(None, 0))
        for _ in range(3):
            batched({"a": 1.0}, X)
            batched({"a": 2.0}, X[:2])
        assert len(calls) == 1
        batched({"a": 1.0, "b": W}, X)
        batched({"a": 1.0, "b": W[:1]}, X)
        batched(OrderedDict(a=1.0), X)
        assert len(calls) == 4

    def test_the_listing_names_paths(self) -> None:
        lines = str(LOSS.program(P, X)).splitlines()
        assert lines[:4] == [
            "p['w']: (2, 2) shared",
            "p['layers'][0][0]: () shared",
            "p['layers'][0][1]: (2) shared",
            "x: () per sample",
        ]

    def test_pickling(self) -> None:
        batched = tr_vmap(loss, in_axes=({"w": None, "layers": [(None, None)], "none": None}, 0))
        again = pickle.loads(pickle.dumps(batched))
        assert again(P, X).to_ieee().tolist() == LOSS(P, X).to_ieee().tolist()
        assert repr(again) == repr(batched)


class TestNoBatchedArgument:
    @staticmethod
    def rosenbrock(p: Any) -> Any:
        return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2

    @pytest.mark.parametrize("in_axes", [None, (None,), ([None, None],)])
    def test_results_have_no_axis_of_samples(self, in_axes: Any) -> None:
        batched = tr_vmap(self.rosenbrock, in_axes)
        p: Any = [3.0, 2.0] if in_axes == ([None, None],) else np.array([3.0, 2.0])
        y = batched(p)
        assert isinstance(y, TRArray)
        assert (y.shape, y.tags.shape, y.is_real.shape, float(y.to_ieee())) == ((), (), (), 4904.0)
        value, gradient, status = batched.value_and_grad(p, with_status=True)
        expected = [-2.0 * (1.0 - 3.0) - 400.0 * 3.0 * (2.0 - 9.0), 200.0 * (2.0 - 9.0)]
        assert (value == 4904.0, np.shape(gradient)) == (True, (2,))
        assert [float(each) for each in gradient] == expected
        assert [int(each) for each in status] == [0, 0]
        total, gradient = batched.value_and_grad(p, reduce="mean")
        assert (total, [float(each) for each in gradient]) == (4904.0, expected)
        assert batched.jacobian(p).tolist() == [expected]

    def test_out(self) -> None:
        batched = tr_vmap(self.rosenbrock, None)
        value, gradient, jacobian = np.empty(()), np.empty(2), np.empty((1, 2))
        assert batched([3.0, 2.0], out=value).to_ieee() is value
        _, found = batched.value_and_grad([3.0, 2.0], out=(value, gradient))
        assert found is gradient
        assert batched.jacobian([3.0, 2.0], out=jacobian) is jacobian
        assert (float(value), jacobian[0].tolist()) == (4904.0, gradient.tolist())
        with pytest.raises(ValueError, match=r"out must have the shape \(\), not \(1,\)"):
            batched([3.0, 2.0], out=np.empty(1))

    def test_arrays_masks_and_alarms(self) -> None:
        batched = tr_vmap(lambda x: 1.0 / x, None)
        _, gradient, mask = batched.value_and_grad(0.0, with_mask=True)
        assert (gradient.shape, gradient.tolist(), mask.kept.tolist()) == ((), 0.0, [False])
        with alarm(max_masked=0.5), pytest.warns(MaskedSamplesWarning, match="1 of 1 samples"):
            batched.value_and_grad(0.0)
        grid = tr_vmap(lambda x: np.array([[x, x + 1.0]]), None)(2.0)
        assert (grid.shape, grid.values.tolist()) == ((1, 2), [[2.0, 3.0]])

    def test_no_argument(self) -> None:
        assert tr_vmap(lambda: real(2.0), ())().to_ieee().tolist() == 2.0
        assert tr_vmap(lambda p: 2.0, 0)({}).shape == ()


class TestKeywords:
    @staticmethod
    def f(x: Any, scale: Any = 3.0, *, power: Any = 1.0, **more: Any) -> Any:
        return x * scale * power + sum(more.values(), 0.0)

    def test_they_take_the_axis_of_their_parameter(self) -> None:
        batched = tr_vmap(self.f, in_axes=(0, None))
        assert batched(X, scale=2.0).values.tolist() == (2.0 * X).tolist()
        assert batched(scale=2.0, x=X).values.tolist() == (2.0 * X).tolist()
        # Without an entry, the first axis runs over the samples.
        powers = np.array([1.0, 2.0, 3.0, 4.0])
        found = batched(X, 2.0, power=powers, extra=X)
        assert found.values.tolist() == (X * 2.0 * powers + X).tolist()
        assert tr_vmap(self.f, None)(2.0, power=5.0).to_ieee().tolist() == 30.0

    def test_gradients_by_name_and_place(self) -> None:
        batched = tr_vmap(self.f, in_axes=(0, None))
        powers = np.array([1.0, 2.0, 3.0, 4.0])
        _, (by_scale, by_power, again) = batched.value_and_grad(
            X, scale=2.0, power=powers, argnums=("scale", "power", 1)
        )
        assert by_scale.tolist() == again.tolist() == (X * powers).tolist()
        assert by_power.tolist() == (2.0 * X).tolist()
        jacobian = batched.jacobian(X, scale=2.0, power=powers, argnums=["power", "x"])
        assert jacobian[:, 0].tolist() == np.stack([2.0 * X, 2.0 * powers], axis=1).tolist()

    def test_structures_by_keyword(self) -> None:
        batched = tr_vmap(lambda x, *, p: p["a"] * x)
        _, gradient = batched.value_and_grad(X, p={"a": X}, argnums="p")
        assert gradient["a"].tolist() == X.tolist()

    def test_a_coordinate(self) -> None:
        batched = tr_vmap(lambda a, p: a / p["x"], in_axes=(None, 0))
        near = {"x": np.array([0.01, 0.5])}
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(-0.1, 0.1)])
            for coordinate in ("p", 1, "p['x']"):
                _, _, status = batched.value_and_grad(
                    1.0, p=near, with_status=True, coordinate=coordinate
                )
                assert status.tolist() == [GradientStatus.SATURATED, 0]
        both = tr_vmap(lambda p: p["x"] * p["y"])
        with pytest.raises(ValueError, match=r"coordinate names .*holds p\['x'\], p\['y'\]"):
            both.value_and_grad({"x": X, "y": X}, coordinate="p")
        with pytest.raises(ValueError, match=r"coordinate names no argument .*p\['z'\]"):
            both.value_and_grad({"x": X, "y": X}, coordinate="p['z']")


class TestResults:
    def test_trees(self) -> None:
        def f(x: Any) -> Any:
            return {"y": x * x, "pair": Pair(x, [np.array([x, -x]), None]), "model": Model(2.0)}

        found = tr_vmap(f)(X)
        assert list(found) == ["y", "pair", "model"]
        assert found["y"].values.tolist() == (X * X).tolist()
        assert type(found["pair"]) is Pair
        assert found["pair"].b[0].shape == (4, 2)
        assert found["pair"].b[1] is None
        assert (found["model"].slope.values.tolist(), found["model"].offset.shape) == (
            [2.0] * 4,
            (4,),
        )
        jacobian = tr_vmap(f).jacobian(X)
        assert jacobian[:, :, 0].T.tolist() == [
            *((2.0 * X).tolist(), [1.0] * 4, [1.0] * 4, [-1.0] * 4, [0.0] * 4, [0.0] * 4)
        ]

    @pytest.mark.parametrize(
        "constant", [2.5, 2, np.float32(2.5), np.array(2.5), np.array([1.0, 2.0]), TRArray([1.0])]
    )
    def test_numbers(self, constant: Any) -> None:
        same, twice = tr_vmap(lambda x: [constant, 2.0 * x])(X)
        expected = np.broadcast_to(np.asarray(constant, dtype=float), (4, *np.shape(constant)))
        assert same.values.tolist() == expected.tolist()
        assert twice.values.tolist() == (2.0 * X).tolist()

    def test_the_gradient_of_a_number_is_zero(self) -> None:
        values, gradient, status = tr_vmap(lambda x: 2.5).value_and_grad(X, with_status=True)
        assert (values.values.tolist(), gradient.tolist()) == ([2.5] * 4, [0.0] * 4)
        assert status.tolist() == [0] * 4

    def test_out_in_the_structure_of_the_result(self) -> None:
        batched = tr_vmap(lambda x: {"a": x, "pair": Pair(2.0 * x, Model(3.0 * x))})
        a, b, c, d = np.empty((4, 4))
        found = batched(X, out={"pair": (b, Model(c, d)), "a": a})
        assert (found["a"].to_ieee() is a, found["pair"].b.slope.to_ieee() is c) == (True, True)
        assert [row.tolist() for row in (a, b, c)] == [(k * X).tolist() for k in (1.0, 2.0, 3.0)]
        found = batched(X, out={"pair": None, "a": a})
        assert found["pair"].a.values.tolist() == (2.0 * X).tolist()
        for out, error, message in [
            (a, TypeError, "out must be a mapping with 2 items, not ndarray"),
            ({"a": a}, ValueError, r"out must have the keys \['a', 'pair'\], not \['a'\]"),
            ({"a": a, "pair": (b,)}, ValueError, r"out\['pair'\] must have 2 items, not 1"),
            ({"a": a, "pair": (b, c)}, TypeError, r"out\['pair'\]\.b must be a Model, not ndarray"),
            ({"a": a, "pair": (b[:2], None)}, ValueError, r"out\['pair'\]\.a must have the shape"),
        ]:
            with pytest.raises(error, match=message):
                batched(X, out=out)

    def test_out_in_the_structure_of_the_gradients(self) -> None:
        batched = tr_vmap(lambda p, x: p["a"] * x, in_axes=(None, 0))
        by_a, by_x = np.empty(()), np.empty(4)
        _, gradients = batched.value_and_grad(
            {"a": 2.0}, X, argnums=(0, 1), reduce="sum", out=({"a": by_a}, by_x)
        )
        assert (gradients[0]["a"] is by_a, gradients[1] is by_x) == (True, True)
        assert float(by_a) == X.sum()
        with pytest.raises(TypeError, match=r"out\[0\] must be a mapping with 1 items"):
            batched.value_and_grad({"a": 2.0}, X, argnums=(0, 1), reduce="sum", out=(by_a, by_x))


class TestAux:
    @staticmethod
    def f(a: Any, x: Any) -> Any:
        y = a / x
        return y, {"squared": y * y, "two": 2.0, "log": tr_log(x)}

    def test_values(self) -> None:
        batched = tr_vmap(self.f, in_axes=(None, 0))
        (values, aux), gradient = batched.value_and_grad(2.0, X, has_aux=True)
        plain, expected = tr_vmap(lambda a, x: a / x, in_axes=(None, 0)).value_and_grad(2.0, X)
        assert (values == plain).all()
        assert gradient.tolist() == expected.tolist()
        assert aux["squared"][0] == 16.0
        assert aux["squared"][3] == pinf()
        assert aux["two"].values.tolist() == [2.0] * 4
        (mean, aux), *others = batched.value_and_grad(
            2.0, X, has_aux=True, reduce="mean", with_status=True, with_mask=True
        )
        assert isinstance(mean, TRScalar)
        assert aux["squared"].shape == (4,)
        assert len(others) == 3
        assert others[2].kept.tolist() == [True, True, True, False]

    def test_without_samples(self) -> None:
        (value, aux), gradient = tr_vmap(self.f, None).value_and_grad(2.0, 4.0, has_aux=True)
        assert value.to_ieee().tolist() == 0.5
        assert (aux["squared"].to_ieee().tolist(), gradient.tolist()) == (0.25, 0.25)

    def test_what_is_no_pair(self) -> None:
        with pytest.raises(
            TypeError, match=r"with has_aux the function must return \(value, aux\)"
        ):
            tr_vmap(lambda x: x).value_and_grad(X, has_aux=True)
        with pytest.raises(TypeError, match=r"returns several; jacobian .*has_aux=True"):
            tr_vmap(self.f, (None, 0)).value_and_grad(2.0, X)
        with pytest.raises(TypeError, match="needs a function that returns one node"):
            tr_vmap(lambda x: ([x, x], x)).value_and_grad(X, has_aux=True)


class Data:
    """Samples that may be read only if the request is in order."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise AssertionError("the data were read")


class TestRefusedFirst:
    @pytest.mark.parametrize(
        "request_",
        [
            {"argnums": 5},
            {"argnums": "z"},
            {"argnums": (0, "z")},
            {"argnums": 1.5},
            {"reduce": "max"},
            {"coordinate": "z"},
            {"coordinate": 7},
            {"coordinate": 1.5},
        ],
    )
    def test_before_data_are_converted(self, request_: dict[str, Any]) -> None:
        batched = tr_vmap(lambda p, x: x, in_axes=(None, 0))
        for p in (1.0, {"a": 1.0}):
            with pytest.raises((TypeError, ValueError), match=next(iter(request_))):
                batched.value_and_grad(p, Data(), **request_)

    def test_out_before_anything_is_copied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(*args: Any) -> Any:
            raise AssertionError("the data were copied")

        monkeypatch.setattr(np, "require", never)
        integers = np.arange(4)
        square = tr_vmap(lambda x: x * x)
        with pytest.raises(ValueError, match="out must have the shape"):
            square(integers, out=np.empty(5))
        with pytest.raises(ValueError, match=r"out\[1\] must have the shape"):
            square.value_and_grad(integers, out=(None, np.empty(5)))
        with pytest.raises(TypeError, match="out must be a NumPy array"):
            square.jacobian(integers, out=[1.0])


def test_an_index_error_of_the_function_is_its_own() -> None:
    error = IndexError("mine")

    def f(x: Any) -> Any:
        raise error

    with pytest.raises(IndexError, match="mine") as caught:
        tr_vmap(f)(X)
    assert caught.value is error
    assert error.__cause__ is None
