"""What can be a parameter, and which gradients fit it."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zeroproof import GradientStatus, TRNode, real, tr_sqrt, tr_value_and_grad, tr_vmap
from zeroproof.optim import SGD, Adam, StepReport

Pair = namedtuple("Pair", "a b")


@dataclass
class Model:
    weights: Any
    bias: Any


def step(parameters: Any, gradients: Any, statuses: Any = None) -> StepReport:
    return SGD(parameters, lr=1.0).step(gradients, statuses)


class TestStructures:
    def test_arrays_are_updated_in_place_wherever_they_stand(self) -> None:
        whole = np.zeros((4, 3))
        model = Model({"even": whole[::2], "odd": [whole[1].T, whole[3, :1]]}, np.array(0.0))
        ones = np.ones((2, 3))
        report = step(model, Model({"odd": (ones[0], [2.0]), "even": -ones}, real(3.0)))
        assert report.updated == 11
        assert whole.tolist() == [[1.0] * 3, [-1.0] * 3, [1.0] * 3, [-2.0, 0.0, 0.0]]
        assert model.bias == -3.0

    def test_nodes_arrays_of_nodes_and_arrays_together(self) -> None:
        w = np.array([[TRNode.input(1.0), TRNode.parameter(2.0)]], dtype=object)
        x, p = TRNode.parameter(3.0), np.array([4.0])
        report = step(Pair([w, x], p), Pair([np.array([[0.5, -0.5]]), 1], np.array([4])))
        assert report == StepReport(updated=4, unknown_status=4)
        assert [w[0, 0].item(), w[0, 1].item(), x.item(), p[0]] == [0.5, 2.5, 2.0, 0.0]

    @pytest.mark.parametrize(
        "gradients",
        [
            [1.0, real(2.0)],
            (np.float32(1.0), np.array(2)),
            Pair(1, 2),
            np.array([1.0, 2.0]),
            np.array([1, 2], dtype=np.int8),
            np.array([real(1.0), TRNode.constant(2.0)], dtype=object),
            [TRNode.constant(1.0), np.float64(2.0)],
        ],
    )
    def test_sequences_stand_for_each_other(self, gradients: Any) -> None:
        for parameters in (
            [np.zeros(()), np.zeros(())],
            (TRNode.parameter(0.0), np.zeros(())),
            Pair(TRNode.parameter(0.0), TRNode.parameter(0.0)),
        ):
            assert step(parameters, gradients).updated == 2
            assert [float(getattr(p, "value", p)) for p in parameters] == [-1.0, -2.0]

    def test_rows_of_an_array_go_to_nested_sequences(self) -> None:
        parameters = [[np.zeros(()), np.zeros(())], [np.zeros(()), np.zeros(())]]
        statuses = np.array([[0, 1], [2, 4]], dtype=np.uint8)
        report = step(parameters, np.arange(4.0).reshape(2, 2), statuses)
        assert report == StepReport(updated=4, masked=1, dropped=1, saturated=1)
        assert parameters == [[0.0, -1.0], [-2.0, -3.0]]

    def test_one_status_for_all(self) -> None:
        p = {"a": [np.zeros(2)], "b": np.zeros(3)}
        g = {"a": [np.ones(2)], "b": np.ones(3)}
        assert step(p, g, GradientStatus.MASKED).masked == 5
        assert step(p, g, {"a": GradientStatus.DROPPED, "b": 4}) == StepReport(
            updated=5, dropped=2, saturated=3
        )

    def test_a_generator_and_the_values_of_a_dict(self) -> None:
        p = {"a": np.zeros(1), "b": np.zeros(1)}
        assert step(p.values(), [[1.0], [2.0]]).updated == 2
        assert step((x for x in p.values()), [[1.0], [2.0]]).updated == 2
        assert (p["a"][0], p["b"][0]) == (-2.0, -4.0)

    def test_what_the_gradient_functions_return(self) -> None:
        x, y = TRNode.parameter(2.0), TRNode.parameter(3.0)
        _, gradients = tr_value_and_grad(lambda a, b: a * b + 1.0 / (a - 2.0), argnums=(0, 1))(x, y)
        optimizer = SGD([x, y], lr=1.0)
        assert optimizer.step(gradients) == StepReport(updated=2, masked=2)
        assert x.gradient is None
        p, q = np.array([1.0, 2.0]), np.array(3.0)
        batched = tr_vmap(lambda p, q, x: (p[0] + p[1] * x) / q, in_axes=(None, None, 0))
        _, g, s = batched.value_and_grad(
            p, q, np.zeros(4), argnums=(0, 1), reduce="mean", with_status=True
        )
        assert SGD((p, q), lr=3.0).step(g, s) == StepReport(updated=3)
        assert (p.tolist(), float(q)) == ([0.0, 2.0], 3.0 + 3.0 / 9.0)

    @pytest.mark.parametrize("masked", ["apply", "skip"])
    def test_structures_of_the_gradient_functions(self, masked: str) -> None:
        parameters = Model({"w": np.array([0.0, 2.0]), "c": [TRNode.parameter(4.0)]}, np.array(1.0))

        def f(model: Model) -> Any:
            w, (c,) = model.weights["w"], model.weights["c"]
            return w[1] * w[1] + 3.0 * c + model.bias + tr_sqrt(w[0])

        _, gradients, statuses = tr_value_and_grad(f, with_status=True)(parameters)
        optimizer = SGD(parameters, lr=0.25, masked=masked)
        report = optimizer.step(gradients, statuses)
        assert (report.updated, report.dropped) == (4 if masked == "apply" else 3, 1)
        assert report.unknown_status == 0
        assert parameters.weights["w"].tolist() == [0.0, 1.0]
        assert (parameters.weights["c"][0].item(), float(parameters.bias)) == (3.25, 0.75)

    def test_assignment_between_steps_is_seen(self) -> None:
        x, p = TRNode.parameter(2.0), np.array([2.0])
        optimizer = Adam([x, p], lr=0.5)
        x.assign(10.0)
        p[0] = 10.0
        optimizer.step([1.0, [1.0]])
        assert x.item() == p[0] == pytest.approx(9.5)


class TestRefused:
    def test_groups_with_settings(self) -> None:
        with pytest.raises(TypeError, match="an optimizer for each group"):
            SGD([{"params": [TRNode.parameter(1.0)], "lr": 0.1}])

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            (1.0, TypeError, r"parameters is of type float, which cannot .*TRNode.parameter"),
            ({"w": [1, 2]}, TypeError, r"parameters\['w'\]\[0\] is of type int"),
            (real(1.0), TypeError, "type TRScalar"),
            (["w"], TypeError, "type str"),
            ([TRNode.constant(1.0)], TypeError, "node of the operation constant"),
            (TRNode.parameter(1.0) * 2.0, TypeError, "node of the operation mul"),
            (np.zeros(2, np.float32), TypeError, "array of float32: parameters are .* float64"),
            (np.zeros(2, int), TypeError, "array of int64"),
            (np.zeros(2, ">f8"), TypeError, "array of >f8"),
            (np.ma.zeros(2), TypeError, "masked array"),
            (np.broadcast_to(np.zeros(1), (2,)), TypeError, "read-only"),
            (np.array([1.0, None], dtype=object), TypeError, r"parameters\[0\] is of type float"),
            ([], ValueError, "no parameters"),
            (None, ValueError, "no parameters"),
            ({"a": np.zeros(0)}, ValueError, "no parameters"),
        ],
    )
    def test_what_cannot_be_updated(self, parameters: Any, error: Any, message: str) -> None:
        with pytest.raises(error, match=message):
            Adam(parameters)

    def test_the_same_parameter_twice(self) -> None:
        x, p = TRNode.parameter(1.0), np.zeros(4)
        with pytest.raises(
            ValueError, match=r"parameters\['a'\] and parameters\['b'\]\[0\] are the"
        ):
            SGD({"a": x, "b": [x]})
        for other in (p, p[1:3], p[::-1], p.reshape(2, 2)):
            with pytest.raises(
                ValueError, match=r"parameters\[0\] and parameters\[1\] share memory"
            ):
                SGD([p, other])
        assert SGD([p[:2], p[2:]]).step(np.zeros((2, 2))).updated == 4
        assert SGD([p[::2], p[1::2]]).step(np.zeros((2, 2))).updated == 4

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"lr": -0.1}, ValueError, "lr must be a finite number, at least 0, not -0.1"),
            ({"lr": float("nan")}, ValueError, "lr must be"),
            ({"lr": float("inf")}, ValueError, "lr must be"),
            ({"lr": "0.1"}, TypeError, "lr must be a number, not '0.1'"),
            ({"lr": True}, TypeError, "lr must be a number"),
            ({"lr": None}, TypeError, "lr must be a number, not NoneType"),
            ({"momentum": 1.0}, ValueError, "momentum must be .* and below 1"),
            ({"weight_decay": -1.0}, ValueError, "weight_decay must be"),
            ({"nesterov": True}, ValueError, "nesterov=True needs a momentum"),
            ({"masked": "ignore"}, ValueError, "'apply', 'skip', 'raise', not 'ignore'"),
        ],
    )
    def test_settings(self, settings: dict[str, Any], error: Any, message: str) -> None:
        with pytest.raises(error, match=message):
            SGD(np.zeros(1), **settings)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"betas": (0.9, 1.0)}, r"betas\[1\] must be .* below 1"),
            ({"betas": 0.9}, "betas must be two numbers"),
            ({"betas": (0.9,)}, "betas must be two numbers"),
            ({"eps": -1e-8}, "eps must be"),
        ],
    )
    def test_settings_of_adam(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Adam(np.zeros(1), **settings)

    @pytest.mark.parametrize(
        ("gradients", "error", "message"),
        [
            ({"w": np.ones(2)}, TypeError, "gradients has the items 'w', but .* 'w', 'b'"),
            ({"w": np.ones(2), "c": 1.0}, TypeError, "'w', 'c', but"),
            ([np.ones(2), 1.0], TypeError, "gradients is a list or tuple, but .* a mapping"),
            (1.0, TypeError, "type float, but the parameters are a mapping"),
            ({"w": np.ones(3), "b": 1.0}, ValueError, r"parameters\['w'\] has the shape \(3,\)"),
            ({"w": np.ones((5, 2)), "b": 1.0}, ValueError, r'shape \(5, 2\).*reduce="mean"'),
            ({"w": 1.0, "b": 1.0}, ValueError, r"the shape \(\), but the parameter \(2,\)"),
            ({"w": np.ones(2), "b": "1"}, TypeError, r"parameters\['b'\] must be real numbers"),
            ({"w": np.ones(2), "b": 1j}, TypeError, r"real numbers, not complex128"),
            ({"w": np.ones(2) > 0, "b": 1.0}, TypeError, "real numbers, not bool"),
            ({"w": np.ma.ones(2), "b": 1.0}, TypeError, "not a masked array"),
            ({"w": [1.0, None], "b": 1.0}, TypeError, "real numbers, not NoneType"),
            ({"w": [1.0, "2"], "b": 1.0}, TypeError, "real numbers, not '2'"),
            ({"w": np.ones(2), "b": TRNode.parameter(1.0)}, TypeError, "call step\\(\\) without"),
        ],
    )
    def test_gradients_that_do_not_fit(self, gradients: Any, error: Any, message: str) -> None:
        p = {"w": np.zeros(2), "b": TRNode.parameter(0.0)}
        optimizer = SGD(p)
        with pytest.raises(error, match=message):
            optimizer.step(gradients)
        assert (p["w"].tolist(), p["b"].item(), optimizer.steps) == ([0.0, 0.0], 0.0, 0)

    @pytest.mark.parametrize(
        ("statuses", "error", "message"),
        [
            ([0, 0, 0], TypeError, "statuses has the items 0, 1, 2, but"),
            ([np.zeros(3, np.uint8), 0], ValueError, r"status of parameters\[0\] has the shape"),
            ([8, 0], ValueError, "flags that GradientStatus does not"),
            ([0, -1], ValueError, "flags that GradientStatus does not"),
            ([0.0, 0], TypeError, "must be GradientStatus flags, not float64"),
            (["MASKED", 0], TypeError, "must be GradientStatus flags"),
            ([object(), 0], TypeError, "must be GradientStatus flags, not object"),
            (np.zeros(3, np.uint8), ValueError, "3 rows for 2 parameters"),
        ],
    )
    def test_statuses_that_do_not_fit(self, statuses: Any, error: Any, message: str) -> None:
        with pytest.raises(error, match=message):
            step([np.zeros(2), np.zeros(())], [np.ones(2), 1.0], statuses)

    def test_step_without_gradients(self) -> None:
        with pytest.raises(TypeError, match=r"parameters\[1\] is an array .* optimizer.step\(grad"):
            SGD([TRNode.parameter(1.0), np.zeros(1)]).step()
        with pytest.raises(TypeError, match="statuses belong to gradients"):
            SGD(TRNode.parameter(1.0)).step(None, 0)

    def test_a_rate_function_that_returns_nonsense(self) -> None:
        p = np.zeros(1)
        optimizer = SGD(p, lr=lambda step: -1.0 if step else 1.0)
        optimizer.step([1.0])
        with pytest.raises(ValueError, match="the value of the function lr must be"):
            optimizer.step([1.0])
        assert (p[0], optimizer.steps) == (-1.0, 1)
        with pytest.raises(ValueError, match="lr must be"):
            optimizer.lr = -1.0

    def test_an_array_made_read_only_later(self) -> None:
        first, second = np.zeros(1), np.zeros(2)
        optimizer = Adam({"first": first, "second": second}, lr=1.0)
        second.flags.writeable = False
        with pytest.raises(TypeError, match=r"\['second'\] is a read-only array"):
            optimizer.step({"first": np.ones(1), "second": np.ones(2)})
        assert (first[0], optimizer.steps) == (0.0, 0)
