"""Gradients with respect to structures of parameters, and what else functions take and return."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from support.gradients import mode_block
from zeroproof import TRArray, TRNode, TRScalar, phi, pinf, real
from zeroproof.autodiff import (
    GradientMode,
    GradientStatus,
    HybridGradientContext,
    OpType,
    tr_grad,
    tr_sqrt,
    tr_sum,
    tr_value_and_grad,
)

EXACT, MASKED = GradientStatus.EXACT, GradientStatus.MASKED


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class Layer:
    weights: Any
    bias: Any = 0.0


def rosenbrock(p: Any) -> Any:
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


def rosenbrock_gradient(x: float, y: float) -> list[float]:
    return [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)]


def numbers(tree: Any) -> Any:
    """A structure with plain floats, for comparisons."""
    if isinstance(tree, dict):
        return {key: numbers(item) for key, item in tree.items()}
    if isinstance(tree, Layer):
        return Layer(numbers(tree.weights), numbers(tree.bias))
    if isinstance(tree, Pair):
        return Pair(*map(numbers, tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map(numbers, tree))
    if isinstance(tree, np.ndarray):
        return [numbers(item) for item in tree.tolist()]
    return tree.item() if isinstance(tree, TRNode) else tree


class TestStructures:
    def test_a_dict_of_numbers(self) -> None:
        value, gradient = tr_value_and_grad(lambda p: p["a"] * p["b"] ** 2)({"a": 2.0, "b": 3})
        assert (type(value), value) == (TRScalar, 18.0)
        assert numbers(gradient) == {"a": 9.0, "b": 12.0}
        assert all(
            isinstance(each, TRNode) and not each.requires_grad for each in gradient.values()
        )

    def test_containers_come_back_in_kind(self) -> None:
        p = OrderedDict(
            w=[1.0, (2.0, None)], layer=Layer(np.array([3.0, 4.0]), real(5.0)), pair=Pair(6.0, [])
        )

        def f(p: Any) -> Any:
            assert type(p) is OrderedDict
            assert (p["w"][1][1], p["pair"].b) == (None, [])
            assert p["layer"].weights.dtype == object
            first, second = p["layer"].weights
            return p["w"][0] * p["w"][1][0] + first * second * p["layer"].bias + p["pair"].a

        gradient = tr_grad(f)(p)
        assert type(gradient) is OrderedDict
        assert numbers(gradient["w"]) == [2.0, (1.0, None)]
        assert numbers(gradient["layer"]) == Layer([20.0, 15.0], 12.0)
        assert numbers(gradient["pair"]) == Pair(1.0, [])

    @pytest.mark.parametrize(
        "p",
        [
            [3.0, 2.0],
            (3, 2),
            np.array([3.0, 2.0]),
            np.array([3, 2]),
            np.array([3, 2], np.float32),
            np.array([3.0, 2.0], np.longdouble),
            np.array([3.0, 0.0, 2.0])[::2],
            TRArray([3.0, 2.0]),
            np.array([real(3.0), 2], dtype=object),
        ],
        ids=lambda p: f"{type(p).__name__} {getattr(p, 'dtype', '')}",
    )
    def test_vectors(self, p: Any) -> None:
        value, gradient = tr_value_and_grad(rosenbrock)(p)
        assert value == rosenbrock([3.0, 2.0])
        assert type(value) is (TRScalar if isinstance(p, (list, tuple)) else TRArray)
        assert np.shape(value) == ()
        np.testing.assert_allclose(numbers(gradient), rosenbrock_gradient(3.0, 2.0), rtol=1e-15)
        if isinstance(p, (list, tuple)):
            assert type(gradient) is type(p)
        else:
            assert type(gradient) is np.ndarray
            assert (gradient.dtype, gradient.shape) == (np.float64, (2,))

    def test_arrays_of_every_shape(self) -> None:
        for shape in ((), (0,), (1,), (2, 3), (2, 0), (1, 2, 2)):
            x = np.array(np.arange(float(np.prod(shape))).reshape(shape) + 1.0)

            def f(x: Any, shape: Any = shape) -> Any:
                assert isinstance(x, TRNode) if shape == () else x.shape == shape
                return tr_sum([element * element for element in np.ravel(x)])

            gradient = tr_grad(f)(x)
            assert isinstance(gradient, np.ndarray)
            assert (gradient.dtype, gradient.shape) == (np.float64, shape)
            assert (gradient == 2.0 * x).all()

    def test_nodes_give_nodes(self) -> None:
        a, b = TRNode.parameter(2.0), TRNode.parameter(5.0)
        mixed = np.array([[a, 3.0], [real(4.0), b]], dtype=object)
        gradient = tr_grad(lambda p: p[0, 0] * p[0, 1] + p[1, 0] * p[1, 1])(mixed)
        assert (gradient.dtype, gradient.shape) == (object, (2, 2))
        assert all(each.op is OpType.GRADIENT for each in gradient.flat)
        assert numbers(gradient) == [[3.0, 2.0], [5.0, 4.0]]
        assert (a.gradient, b.gradient) == (None, None)

    def test_the_same_value_twice_is_two_arguments(self) -> None:
        x = TRNode.parameter(3.0)
        assert numbers(tr_grad(lambda p: p[0] * p[0] * p[1])([x, x])) == [18.0, 9.0]

    def test_an_empty_structure(self) -> None:
        value, gradient = tr_value_and_grad(lambda p, x: x * x, argnums=0)({}, 3.0)
        assert (value, gradient) == (9.0, {})
        assert tr_grad(lambda p, x: x)(None, 3.0) is None

    @pytest.mark.parametrize(
        ("leaf", "message"),
        [
            ("1", r"p\['w'\]\[0\] cannot be differentiated by: .*not str"),
            (1j, r"p\['w'\]\[0\] cannot be differentiated by: .*not complex"),
            (object(), r"p\['w'\]\[0\] .*not object"),
            (np.array(["1"]), r"p\['w'\]\[0\] .*an array of <U1 does not hold real numbers"),
            (np.array([1j]), r"p\['w'\]\[0\] .*an array of complex128"),
            (np.array([1.0, None]), r"p\['w'\]\[0\] .*not NoneType"),
            (np.ma.masked_array([1.0], [True]), r"p\['w'\]\[0\] .*masked array"),
            ({1.0}, r"p\['w'\]\[0\] .*not set"),
        ],
    )
    def test_what_is_no_number_is_named(self, leaf: Any, message: str) -> None:
        with pytest.raises(TypeError, match=message):
            tr_grad(lambda p: p["b"])({"w": [leaf], "b": 1.0})

    def test_a_structure_in_itself(self) -> None:
        p: list[Any] = [1.0]
        p.append(p)
        with pytest.raises(ValueError, match=r"p contains itself: it stands in p\[1\]"):
            tr_grad(lambda p: p[0])(p)

    def test_other_arguments_stay_as_they_are(self) -> None:
        index, options, data = np.array([1, 0]), {"n": 3}, np.array([2.0, 7.0])

        def f(w: Any, *others: Any, **named: Any) -> Any:
            assert others[0] is index
            assert others[1] is options
            assert named["data"] is data
            assert isinstance(others[2], TRNode)
            assert [isinstance(each, TRNode) for each in others[3]] == [True, True]
            return w[others[0]] @ (named["data"] ** others[1]["n"]) + others[3][0]

        gradient = tr_grad(f)(np.ones(2), index, options, 1.0, TRArray([1.0, 2.0]), data=data)
        assert gradient.tolist() == [343.0, 8.0]


class TestConnections:
    """What nodes outside of the call have to do with its results."""

    def test_the_value_is_connected_with_the_argument(self) -> None:
        x = TRNode.parameter(3.0)
        value, gradient = tr_value_and_grad(lambda x: x * x)(x * 2.0)
        assert (value.value, gradient.item()) == (36.0, 12.0)
        (value * 0.5).backward()
        assert x.gradient == 12.0
        gradient.backward()
        assert x.gradient == 12.0 + 4.0

    def test_with_nodes_in_structures(self) -> None:
        p = {"w": np.array([TRNode.parameter(3.0), 4.0], dtype=object), "b": 1.0}
        value, _ = tr_value_and_grad(lambda p: p["w"][0] * p["w"][1] + p["b"])(p)
        value.backward()
        assert p["w"][0].gradient == 4.0  # type: ignore[index]

    def test_with_what_the_function_reads(self) -> None:
        w = TRNode.parameter(5.0)
        value, gradient = tr_value_and_grad(lambda x: w * x)(2.0)
        assert (type(value), gradient.item(), w.gradient) == (TRNode, 5.0, None)
        value.backward()
        assert w.gradient == 2.0

    def test_with_other_arguments(self) -> None:
        w = TRNode.parameter(5.0)
        for value, _ in (
            tr_value_and_grad(lambda x, w: w * x)(2.0, w),
            tr_value_and_grad(lambda x, w: w * x)(2.0, w=w),
            tr_value_and_grad(lambda x, p: p["w"] * x)(2.0, {"w": w}),
        ):
            w.zero_grad()
            value.backward()
            assert w.gradient == 2.0

    def test_the_kind_of_the_value_does_not_depend_on_values(self) -> None:
        for x in (-1.0, 1.0):
            relu = tr_value_and_grad(lambda x: x if x > 0 else 0.0)
            assert type(relu(x)[0]) is TRScalar
            assert type(relu(TRNode.parameter(x))[0]) is TRNode
            assert type(relu(TRNode.constant(x))[0]) is TRNode

    def test_further_results(self) -> None:
        x = TRNode.parameter(3.0)

        def f(x: Any) -> Any:
            return x * x, {"cube": x**3, "array": np.array([x * 2.0, 1.0], dtype=object)}

        (_, aux), _ = tr_value_and_grad(f, has_aux=True)(x)
        (aux["cube"] + aux["array"][0]).backward()
        assert x.gradient == 29.0
        w = TRNode.parameter(5.0)
        aux = tr_grad(lambda x: (x, [w * x, x * x]), has_aux=True)(2.0)[1]
        assert [type(each) for each in aux] == [TRNode, TRScalar]

    def test_gradients_that_depend_on_other_nodes_are_no_plain_numbers(self) -> None:
        w = TRNode.parameter(5.0)
        gradient = tr_grad(lambda x: w * x[0] * x[0])(np.array([3.0]))
        assert (gradient.dtype, gradient[0].item()) == (object, 30.0)
        (gradient[0] * w).backward()
        assert w.gradient == 30.0 + 5.0 * 6.0

    def test_second_derivatives(self) -> None:
        def cube(p: Any) -> Any:
            return p["x"] ** 3

        assert tr_grad(lambda x: tr_grad(cube)({"x": x})["x"])(2.0) == 12.0
        found = tr_grad(lambda x: tr_grad(lambda v: (v**3).sum())(x).sum())(np.array([2.0, 3.0]))
        assert found.tolist() == [12.0, 18.0]

    def test_an_input_in_a_structure_stays_a_coordinate(self) -> None:
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
            p = {"x": TRNode.input(0.5), "y": 0.5}
            _, status = tr_grad(lambda p: 1.0 / p["x"] + 1.0 / p["y"], with_status=True)(p)
        assert status == {"x": GradientStatus.SATURATED, "y": EXACT}


class TestArgnums:
    @staticmethod
    def f(a: Any, b: Any = 3.0, *rest: Any, c: Any = 1.0, **more: Any) -> Any:
        return a * b * c + sum(more.values(), 0.0) * a

    def test_by_name(self) -> None:
        assert float(tr_grad(self.f, "b")(2.0, 3.0)) == 2.0
        assert float(tr_grad(self.f, "b")(2.0, b=3.0)) == 2.0
        assert float(tr_grad(self.f, 1)(2.0, b=3.0)) == 2.0
        assert float(tr_grad(self.f, "a")(b=3.0, a=2.0, c=5.0)) == 15.0
        assert float(tr_grad(self.f, "c")(2.0, c=5.0)) == 6.0
        assert float(tr_grad(self.f, "extra")(2.0, extra=5.0)) == 2.0

    def test_mixed(self) -> None:
        found = tr_grad(self.f, argnums=("c", 0, "b", "a", -1))(2.0, 3.0, c=5.0)
        assert isinstance(found, tuple)
        assert [float(g) for g in found] == [6.0, 15.0, 10.0, 15.0, 10.0]
        assert numbers(tr_grad(self.f, argnums=["c"])(2.0, c=1.0)) == (6.0,)
        places = np.array([1, 0])
        assert numbers(tr_grad(self.f, argnums=places)(2.0, 3.0)) == (2.0, 3.0)  # type: ignore

    def test_structures_by_keyword(self) -> None:
        gradient = tr_grad(lambda x, *, p: p["w"] * x, "p")(3.0, p={"w": 2.0})
        assert numbers(gradient) == {"w": 3.0}

    @pytest.mark.parametrize("bad", [1.5, None, {}, (0, 1.0), ([0],)])
    def test_what_names_no_argument_at_once(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="argnums must be the place or the name of an argument"):
            tr_grad(self.f, bad)

    def test_what_names_no_argument_of_a_call(self) -> None:
        with pytest.raises(ValueError, match="argnums names no argument of f: 'z'"):
            tr_grad(self.f, "z")(1.0)
        with pytest.raises(ValueError, match="argnums names no argument of f: 'b'"):
            tr_grad(self.f, "b")(1.0)
        with pytest.raises(ValueError, match="argnums names argument 1, but 1 positional"):
            tr_grad(self.f, 1)(1.0)

    def test_refused_before_anything_is_called(self) -> None:
        def never(x: Any) -> Any:
            raise AssertionError

        with pytest.raises(ValueError, match="argnums"):
            tr_grad(never, argnums=(0, "y"))(1.0)


class TestResultsOfTheFunction:
    @pytest.mark.parametrize("constant", [0.0, 2, np.float64(1.5), np.array(1.5), real(2.0), phi()])
    def test_a_number_has_the_gradient_zero(self, constant: Any) -> None:
        value, gradient, status = tr_value_and_grad(lambda x: constant, with_status=True)(-1.0)
        assert (type(value), value) == (TRScalar, TRScalar(constant))
        assert (gradient.value, gradient.gradient_status, status) == (0.0, EXACT, EXACT)

    def test_a_branch_on_a_value(self) -> None:
        relu = tr_grad(lambda x: x if x > 0 else 0.0)
        assert (relu(-1.0).value, relu(1.0).value) == (0.0, 1.0)

    def test_a_constant_node(self) -> None:
        value, gradient = tr_value_and_grad(lambda x: TRNode.constant(3.0))(1.0)
        assert (type(value), value, gradient.value) == (TRScalar, 3.0, 0.0)

    def test_an_array_of_one_object(self) -> None:
        value, gradient = tr_value_and_grad(lambda x: np.array(x * x, dtype=object))(3.0)
        assert (value, float(gradient)) == (9.0, 6.0)
        assert tr_value_and_grad(lambda x: np.asarray([x, x]) @ np.ones(2))(3.0)[0] == 6.0

    def test_a_masked_gradient(self) -> None:
        with mode_block(GradientMode.MASK_REAL):
            value, gradient = tr_value_and_grad(lambda x: 1.0 / x)(0.0)
        assert (value, float(gradient), gradient.gradient_status) == (pinf(), 0.0, MASKED)


class TestAux:
    @staticmethod
    def f(p: Any) -> Any:
        product = p["a"] * p["b"]
        return product * product, {
            "node": product,
            "array": np.array([product, 2.0, "text"], dtype=object),
            "text": "text",
            "none": None,
            "numbers": np.ones(2),
        }

    def test_results(self) -> None:
        p = {"a": 2.0, "b": 3.0}
        (value, aux), gradient = tr_value_and_grad(self.f, has_aux=True)(p)
        assert (value, numbers(gradient)) == (36.0, {"a": 36.0, "b": 24.0})
        assert (type(aux["node"]), aux["node"]) == (TRScalar, 6.0)
        assert [type(each) for each in aux["array"]] == [TRScalar, float, str]
        assert (aux["text"], aux["none"], aux["numbers"].tolist()) == ("text", None, [1.0, 1.0])
        again, more = tr_grad(self.f, has_aux=True)(p)
        assert (numbers(again), more["node"]) == (numbers(gradient), 6.0)

    def test_with_status(self) -> None:
        def f(x: Any) -> Any:
            return 1.0 / x, "aux"

        (value, aux), gradient, status = tr_value_and_grad(f, has_aux=True, with_status=True)(0.0)
        assert (value, aux, float(gradient), status) == (pinf(), "aux", 0.0, MASKED)
        gradient, aux, status = tr_grad(f, has_aux=True, with_status=True)(0.0)
        assert (float(gradient), aux, status) == (0.0, "aux", MASKED)

    def test_what_needs_no_change_is_the_same_object(self) -> None:
        aux = {"a": [1.0, object()]}
        assert tr_grad(lambda x: (x, aux), has_aux=True)(1.0)[1] is aux

    @pytest.mark.parametrize("bad", [1.0, (1.0,), (1.0, 2.0, 3.0), [1.0, 2.0]])
    def test_no_pair(self, bad: Any) -> None:
        with pytest.raises(
            TypeError, match=r"with has_aux the function must return \(value, aux\)"
        ):
            tr_grad(lambda x: bad, has_aux=True)(1.0)


class TestStatuses:
    def test_in_the_structure_of_the_gradients(self) -> None:
        p = {"w": np.array([0.0, 2.0]), "nodes": [TRNode.parameter(0.0), 1.0]}

        def f(p: Any) -> Any:
            x, y = p["w"]
            return tr_sqrt(x) + y * p["nodes"][1] + p["nodes"][0]

        _, gradient, status = tr_value_and_grad(f, with_status=True)(p)
        assert numbers(gradient) == {"w": [0.0, 1.0], "nodes": [1.0, 2.0]}
        assert status["w"].dtype == np.uint8
        assert status["w"].tolist() == [GradientStatus.DROPPED, EXACT]
        assert status["nodes"] == [EXACT, EXACT]
        assert type(status["nodes"][0]) is GradientStatus

    def test_of_several_arguments(self) -> None:
        both = tr_grad(lambda x, y: 1.0 / x + y, argnums=(1, 0, 1), with_status=True)
        gradients, statuses = both(0.0, 1.0)
        assert numbers(gradients) == (0.0, 0.0, 0.0)
        assert statuses == (MASKED, MASKED, MASKED)
