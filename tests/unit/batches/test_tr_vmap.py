"""Batched functions: shapes, axes, gradients, Jacobians, outputs and the cache of programs."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import mode_block
from support.values import INF, NAN, same
from zeroproof import TRArray, TRNode, TRScalar, real, tr_vmap
from zeroproof.autodiff import (
    GradientMode,
    HybridGradientContext,
    batched,
    tr_value_and_grad,
)

RNG = np.random.default_rng(7)
THETA, PHI = RNG.normal(size=4), RNG.normal(size=3)
X, T = RNG.normal(size=(2, 100))


def loss(theta: Any, phi: Any, x: Any, t: Any) -> Any:
    p = theta[0] + x * (theta[1] + x * (theta[2] + x * theta[3]))
    q = 1.0 + x * (phi[0] + x * (phi[1] + x * phi[2]))
    return (p / q - t) ** 2


def scaled(x: TRNode, factor: TRNode) -> TRNode:
    """Times a factor."""
    return x * factor


@tr_vmap
def decorated(x: TRNode) -> TRNode:
    return x + 1.0


LOSS = tr_vmap(loss, in_axes=(None, None, 0, 0))
SCALED = tr_vmap(scaled, in_axes=(0, None))


def scalar_loss(x: float, t: float) -> tuple[TRNode, list[TRNode]]:
    """The loss of one sample, and its gradients by the four thetas and by x."""

    def function(*numbers: TRNode) -> TRNode:
        return loss(numbers[:4], PHI, numbers[4], t)

    return tr_value_and_grad(function, argnums=range(5))(*THETA, x)


def same_bits(found: Any, expected: Any) -> bool:
    found, expected = np.ravel(np.asarray(found)), np.ravel(np.asarray(expected, dtype=float))
    return len(found) == len(expected) and all(map(same, found, expected))


class TestExample:
    @pytest.mark.parametrize("mode", list(GradientMode))
    def test_values_and_gradients_are_those_of_each_sample(self, mode: GradientMode) -> None:
        x = np.array([*X, 0.0, INF, NAN])
        t = np.array([*T, 1.0, 1.0, 1.0])
        with mode_block(mode, bound=0.5, delta=0.1):
            y, (by_theta, by_x) = LOSS.value_and_grad(THETA, PHI, x, t, argnums=(0, 2))
            assert same_bits(LOSS(THETA, PHI, x, t), y)
            for place in range(len(x)):
                value, gradients = scalar_loss(x[place], t[place])
                assert same(y[place], value)
                assert same_bits(by_theta[place], gradients[:4])
                assert same(by_x[place], gradients[4])
        assert isinstance(y, TRArray)
        assert (by_theta.shape, by_x.shape) == ((len(x), 4), (len(x),))
        assert by_theta.dtype == by_x.dtype == np.float64

    def test_a_jacobian_holds_the_gradients_of_each_output(self) -> None:
        def function(a: Any, x: Any) -> list[Any]:
            return [a[0] * x, x / a[1], a @ a]

        both = tr_vmap(function, in_axes=(None, 0))
        jacobian = both.jacobian(np.array([2.0, 4.0]), X, argnums=(0, 1))
        assert jacobian.shape == (100, 3, 3)
        zero = np.zeros_like(X)
        assert same_bits(jacobian[:, 0], np.stack([X, zero, zero + 2.0], axis=1))
        np.testing.assert_allclose(jacobian[:, 1], np.stack([zero, -X / 16, zero + 0.25], axis=1))
        assert same_bits(jacobian[:, 2], np.stack([zero + 4.0, zero + 8.0, zero], axis=1))

    def test_totals_are_over_the_samples_that_are_real(self) -> None:
        x = np.array([1.0, 0.0, 2.0, NAN])
        inverse = tr_vmap(lambda a, x: a / x, in_axes=(None, 0))
        total, (by_a, by_x) = inverse.value_and_grad(2.0, x, argnums=(0, 1), reduce="sum")
        assert isinstance(total, TRScalar)
        assert (total, by_a.tolist(), by_a.shape) == (3.0, 1.5, ())
        assert by_x.tolist() == [-2.0, 0.0, -0.5, 0.0]
        mean, (by_a, by_x) = inverse.value_and_grad(2.0, x, argnums=(0, 1), reduce="mean")
        assert (mean, by_a.tolist()) == (1.5, 0.75)
        assert by_x.tolist() == [-1.0, 0.0, -0.25, 0.0]

    def test_statuses_stand_beside_the_gradients(self) -> None:
        inverse = tr_vmap(lambda a, x: a / x, in_axes=(None, 0))
        x = [1.0, 0.0, 2.0]
        _, gradient, status = inverse.value_and_grad(1.0, x, argnums=1, with_status=True)
        assert (gradient.tolist(), status.tolist()) == ([-1.0, 0.0, -0.25], [0, 1, 0])
        assert status.dtype == np.uint8
        _, _, statuses = inverse.value_and_grad(
            1.0, x, argnums=(0, 1), with_status=True, reduce="mean"
        )
        assert [s.tolist() for s in statuses] == [1, [0, 1, 0]]
        with mode_block(GradientMode.SATURATING):
            jacobian, status = inverse.jacobian(1.0, x, argnums=(0, 1), with_status=True)
        assert jacobian.shape == status.shape == (3, 1, 2)
        assert status.tolist() == [[[4, 4]]] * 3


class TestArguments:
    @pytest.mark.parametrize(
        "x",
        [
            [1.0, 2.0, 3.0],
            (1, 2, 3),
            np.array([1, 2, 3], np.int8),
            np.array([1, 2, 3], np.float32),
            np.array([1, 2, 3], ">f8"),
            np.arange(7.0)[1::2] // 2 + 1,
            np.array([1, 2, 3], np.longdouble),
            TRArray([1.0, 2.0, 3.0]),
        ],
        ids=lambda x: getattr(getattr(x, "dtype", None), "str", type(x).__name__),
    )
    def test_samples_are_whatever_numpy_takes(self, x: Any) -> None:
        for factor in (2, 2.0, real(2.0), np.float32(2.0), np.array(2.0), True + 1):
            assert SCALED(x, factor).values.tolist() == [2.0, 4.0, 6.0]

    def test_bools_and_infinities(self) -> None:
        assert SCALED(np.array([True, False]), True).values.tolist() == [1.0, 0.0]
        assert SCALED([INF, -INF, NAN], zp.pinf()).tags.tolist() == [1, 2, 3]
        assert SCALED([1.0], 10**400).tags.tolist() == [1]

    def test_arrays_lie_where_they_lie(self) -> None:
        for x in (np.arange(12.0)[::2], np.asfortranarray(np.ones((3, 2))), np.ones(3)[:0]):
            before = x.copy()
            by_row = tr_vmap(lambda row, f: row * f, in_axes=(0, None))
            assert same_bits(by_row(x, 2.0), 2.0 * x)
            assert (x == before).all()
        unaligned = np.zeros(25, np.uint8)[1:].view(np.float64)
        assert same_bits(SCALED(unaligned, 2.0), [0.0] * 3)
        read_only = np.arange(3.0)
        read_only.flags.writeable = False
        assert same_bits(SCALED(read_only, 2.0), [0.0, 2.0, 4.0])

    def test_shapes_are_as_one_sample_sees_them(self) -> None:
        seen: list[Any] = []

        def function(shared: Any, own: Any, bare: Any) -> Any:
            seen.append((shared.shape, own.shape, isinstance(bare, np.ndarray)))
            assert shared.dtype == own.dtype == object
            [[a, b, c], *_] = shared
            return a * own[1, 0] + b * bare + sum(row[0] for row in own) - c

        shared, own = RNG.normal(size=(2, 3)), RNG.normal(size=(5, 2, 4))
        bare = RNG.normal(size=5)
        y, gradients = tr_vmap(function, in_axes=(None, 0, 0)).value_and_grad(
            shared, own, bare, argnums=[0, 1, -1]
        )
        assert seen == [((2, 3), (2, 4), False)]
        assert [g.shape for g in gradients] == [(5, 2, 3), (5, 2, 4), (5,)]
        expected = shared[0, 0] * own[:, 1, 0] + shared[0, 1] * bare + own[:, :, 0].sum(1)
        np.testing.assert_allclose(y.values, expected - shared[0, 2])
        assert same_bits(gradients[0][:, 0, 0], own[:, 1, 0])
        assert same_bits(gradients[2], np.full(5, shared[0, 1]))
        assert not gradients[0][:, 1].any()

    def test_in_axes(self) -> None:
        for in_axes in (0, (0, 0), [0, 0], np.array([0, 0])[0]):
            assert tr_vmap(scaled, in_axes)([1.0, 2.0], [3.0, 4.0]).values.tolist() == [3.0, 8.0]
        assert tr_vmap(scaled, (None, 0))(3.0, [1.0, 2.0]).values.tolist() == [3.0, 6.0]

    @pytest.mark.parametrize("shape", [(0,), (0, 3)])
    def test_no_sample_at_all(self, shape: tuple[int, ...]) -> None:
        function = tr_vmap(lambda x, a: zp.tr_sum(np.ravel(x)) / a, in_axes=(0, None))
        x = np.zeros(shape)
        y, (by_x, by_a) = function.value_and_grad(x, 2.0, argnums=(0, 1))
        assert (y.shape, by_x.shape, by_a.shape) == ((0,), shape, (0,))
        assert function(x, 2.0).shape == (0,)
        width = int(np.prod(shape[1:])) + 1
        assert function.jacobian(x, 2.0, argnums=(0, 1)).shape == (0, 1, width)
        total, gradients = function.value_and_grad(x, 2.0, argnums=(0, 1), reduce="sum")
        assert (total, gradients[0].shape, gradients[1].tolist()) == (0.0, shape, 0.0)
        mean, gradient, status = function.value_and_grad(
            x, 2.0, argnums=1, reduce="mean", with_status=True
        )
        assert (mean, gradient.tolist(), status.tolist()) == (zp.phi(), 0.0, 0)

    def test_an_argument_without_elements(self) -> None:
        function = tr_vmap(lambda a, x: zp.tr_sum([*a, x]), in_axes=(None, 0))
        y, gradient = function.value_and_grad([], [1.0, 2.0])
        assert (y.values.tolist(), gradient.shape) == ([1.0, 2.0], (2, 0))

    def test_argnums(self) -> None:
        _, single = SCALED.value_and_grad(X, 2.0, argnums=-1)
        assert isinstance(single, np.ndarray)
        _, (only,) = SCALED.value_and_grad(X, 2.0, argnums=[1])
        _, (a, b, c) = SCALED.value_and_grad(X, 2.0, argnums=(1, 0, np.int64(1)))
        assert same_bits(single, X)
        assert same_bits(only, X)
        assert same_bits(a, X)
        assert same_bits(c, X)
        assert same_bits(b, np.full(100, 2.0))
        twice = SCALED.jacobian(X, 2.0, argnums=(1, 0, 1))
        assert same_bits(twice[:, 0], np.stack([X, np.full(100, 2.0), X], axis=1))
        assert same_bits(SCALED.value_and_grad(X, 2.0)[1], b)

    def test_argnums_in_an_array(self) -> None:
        _, only = SCALED.value_and_grad(X, 2.0, argnums=np.array([1]))
        assert isinstance(only, tuple)
        assert same_bits(only[0], X)
        _, (b, a) = SCALED.value_and_grad(X, 2.0, argnums=np.array([0, 1], np.uint8))
        assert same_bits(a, X)
        assert same_bits(b, np.full(100, 2.0))
        assert same_bits(SCALED.value_and_grad(X, 2.0, argnums=np.array(1))[1], X)
        jacobian = SCALED.jacobian(X, 2.0, argnums=np.array([1, 0]))
        assert same_bits(jacobian[:, 0], np.stack([X, np.full(100, 2.0)], axis=1))

    def test_the_coordinate_of_exploration_regions(self) -> None:
        def inverse(a: TRNode, x: TRNode) -> TRNode:
            return a / x

        x = [0.01, 0.5]
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(-0.1, 0.1)])
            function = tr_vmap(inverse, in_axes=(None, 0))
            named = tr_vmap(inverse, in_axes=(None, 0), coordinate="x")
            for statuses in (
                function.value_and_grad(1.0, x, argnums=1, with_status=True, coordinate="x")[2],
                function.value_and_grad(1.0, x, argnums=1, with_status=True, coordinate=-1)[2],
                function.jacobian(1.0, x, argnums=1, with_status=True, coordinate=1)[1],
                named.value_and_grad(1.0, x, argnums=1, with_status=True)[2],
            ):
                assert statuses.ravel().tolist() == [4, 0]
            for elsewhere in (None, 0):
                status = function.value_and_grad(
                    1.0, x, argnums=1, with_status=True, coordinate=elsewhere
                )[2]
                assert status.tolist() == [0, 0]


class TestResults:
    def test_structures(self) -> None:
        x = np.array([1.0, 2.0])
        pair = tr_vmap(lambda x: (x, 2.0 * x))(x)
        assert isinstance(pair, tuple)
        assert [a.values.tolist() for a in pair] == [[1.0, 2.0], [2.0, 4.0]]
        listed = tr_vmap(lambda x: [x])(x)
        assert isinstance(listed, list)
        assert listed[0].shape == (2,)
        grid = tr_vmap(lambda x: np.array([[x, 2.0 * x, 3.0 * x], [x - 1.0, x + x, -x]]))(x)
        assert grid.shape == (2, 2, 3)
        assert grid.values[1].tolist() == [[2.0, 4.0, 6.0], [1.0, 4.0, -2.0]]
        assert grid.values.flags.c_contiguous
        mixed = tr_vmap(lambda x: (x, np.array([x, -x]), np.array(x, dtype=object)))(x)
        assert [a.shape for a in mixed] == [(2,), (2, 2), (2,)]

    def test_constants_are_results_too(self) -> None:
        constant = TRNode.constant(5.0)
        y = tr_vmap(lambda x: (x, zp.phi(), constant))([1.0, 2.0])
        assert [a.tags.tolist() for a in y] == [[0, 0], [3, 3], [0, 0]]
        assert tr_vmap(lambda x: real(2.0))([1.0, 2.0]).values.tolist() == [2.0, 2.0]

    def test_out_of_a_call(self) -> None:
        out = np.full(100, 9.0)
        y = SCALED(X, 2.0, out=out)
        assert y.values is out
        assert same_bits(out, 2.0 * X)
        several = tr_vmap(lambda x: (x, np.array([x, -x]), 2.0 * x))
        arrays = np.empty(100), np.empty((100, 2)), None
        results = several(X, out=arrays)
        assert [r.to_ieee() is a for r, a in zip(results, arrays)] == [True, True, False]
        assert same_bits(arrays[1], np.stack([X, -X], axis=1))
        assert same_bits(results[2], 2.0 * X)

    def test_out_of_gradients(self) -> None:
        value, by_x, by_factor = np.empty(100), np.empty(100), np.empty(100)
        y, gradients = SCALED.value_and_grad(X, 2.0, argnums=(0, 1), out=(value, (by_x, by_factor)))
        assert y.values is value
        assert gradients[0] is by_x
        assert gradients[1] is by_factor
        assert same_bits(by_factor, X)
        _, gradient = SCALED.value_and_grad(X, 2.0, argnums=1, out=(None, by_x))
        assert gradient is by_x
        assert same_bits(by_x, X)
        y, gradients = SCALED.value_and_grad(X, 2.0, argnums=(0, 1), out=(value, (None, by_factor)))
        assert y.values is value
        assert gradients[1] is by_factor

    def test_out_with_reduce_is_that_of_the_gradients(self) -> None:
        rows, shared = np.empty(100), np.empty(())
        _, gradients = SCALED.value_and_grad(
            X, 2.0, argnums=(0, 1), reduce="sum", out=(rows, shared)
        )
        assert gradients[0] is rows
        assert gradients[1] is shared
        assert same_bits(rows, np.full(100, 2.0))
        assert shared == pytest.approx(X.sum())
        _, gradient = SCALED.value_and_grad(X, 2.0, argnums=0, reduce="mean", out=rows)
        assert gradient is rows

    def test_out_of_a_jacobian(self) -> None:
        out = np.empty((100, 1, 2))
        assert SCALED.jacobian(X, 2.0, argnums=(0, 1), out=out) is out
        assert same_bits(out[:, 0], np.stack([np.full(100, 2.0), X], axis=1))

    def test_out_may_be_a_file(self, tmp_path: Any) -> None:
        path = tmp_path / "gradients"
        x = np.memmap(tmp_path / "x", dtype=float, mode="w+", shape=(100,))
        x[:] = X
        out = np.memmap(path, dtype=float, mode="w+", shape=(100,))
        _, gradient = SCALED.value_and_grad(x, 2.0, argnums=1, out=(None, out))
        assert gradient is out
        out.flush()
        assert same_bits(np.fromfile(path), X)


class TestTracing:
    def test_once_for_each_combination_of_shapes(self) -> None:
        calls = []

        def function(a: Any, x: Any) -> Any:
            calls.append(np.shape(a))
            return zp.tr_sum(np.ravel(a)) * x

        batched = tr_vmap(function, in_axes=(None, 0))
        for samples in (1, 5, 100, 0):
            batched(1.0, np.ones(samples))
            batched.value_and_grad(1.0, np.ones(samples))
            batched.value_and_grad(1.0, np.ones(samples), argnums=1, reduce="sum")
            batched.jacobian(np.float32(1.0), np.ones(samples))
        assert calls == [()]
        batched([1.0, 2.0], [1.0])
        batched(np.ones((2, 1)), [1.0])
        batched([3.0, 4.0], [1.0])
        assert calls == [(), (2,), (2, 1)]

    def test_the_programs_kept_are_bounded_and_the_least_used_go(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = []

        def function(a: Any, x: Any) -> Any:
            calls.append(len(a))
            return x

        monkeypatch.setattr(batched, "PROGRAMS", 2)
        apply = tr_vmap(function, in_axes=(None, 0))
        for size in (1, 2, 1, 3, 1, 2, 2):
            apply(np.ones(size), X)
        assert calls == [1, 2, 3, 2]
        assert len(apply._programs) == 2

    def test_a_failed_trace_is_tried_again(self) -> None:
        calls = []

        def function(x: Any) -> Any:
            calls.append(x)
            if len(calls) == 1:
                raise RuntimeError("once")
            return x

        apply = tr_vmap(function)
        with pytest.raises(RuntimeError, match="once"):
            apply(X)
        assert same_bits(apply(X), X)

    def test_the_listing_has_the_names_of_the_function(self) -> None:
        text = str(LOSS.program(THETA, PHI, X, T))
        lines = text.splitlines()
        assert lines[:4] == [
            "theta: (4) shared",
            "phi: (3) shared",
            "x: () per sample",
            "t: () per sample",
        ]
        assert "%0 = x × theta[3]" in lines
        assert lines[-1] == "return %14"
        assert "nodes" in repr(LOSS.program(THETA, PHI, X, T))
        assert str(tr_vmap(lambda *numbers: numbers[0]).program(X)).startswith("arg0: ()")
        bound = tr_vmap(functools.partial(scaled, factor=2.0))
        assert str(bound.program(X)).startswith("x: ()")
        assert same_bits(bound(X), 2.0 * X)

    def test_it_looks_like_its_function(self) -> None:
        assert SCALED.__name__ == "scaled"
        assert SCALED.__doc__ == "Times a factor."
        assert SCALED.__wrapped__ is scaled
        assert repr(SCALED) == "tr_vmap(scaled, in_axes=(0, None))"
        assert "coordinate='x'" in repr(tr_vmap(scaled, coordinate="x"))

    @pytest.mark.parametrize("apply", [SCALED, decorated], ids=["wrapped", "decorated"])
    def test_pickling(self, apply: Any) -> None:
        arguments = (X, 2.0)[: 2 if apply is SCALED else 1]
        expected = apply(*arguments)
        again = pickle.loads(pickle.dumps(apply))
        assert same_bits(again(*arguments), expected)
        assert repr(again) == repr(apply)

    def test_a_function_that_does_not_pickle(self) -> None:
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(tr_vmap(lambda x: x))

    def test_any_callable(self) -> None:
        class Model:
            def __init__(self) -> None:
                self.slope = 3.0

            def __call__(self, x: Any) -> Any:
                return self.slope * x

            def twice(self, x: Any) -> Any:
                return 2.0 * self(x)

        assert same_bits(tr_vmap(Model())(X), 3.0 * X)
        assert same_bits(tr_vmap(Model().twice)(X), 2.0 * (3.0 * X))
        assert same_bits(tr_vmap(zp.tr_sin)(X), [zp.tr_sin(x) for x in X])

    def test_attributes_of_a_callable_stay_with_it(self) -> None:
        class Model:
            def __init__(self) -> None:
                self.jacobian = self.program = self.value_and_grad = self._trace = None
                self._programs = self._lock = "mine"

            def __call__(self, x: Any) -> Any:
                return x * x

        apply = tr_vmap(Model())
        assert same_bits(apply(X), X * X)
        assert same_bits(apply.value_and_grad(X)[1], X + X)
        assert same_bits(apply.jacobian(X), X + X)
        assert "x × x" in str(apply.program(X))

    def test_in_a_class(self) -> None:
        class Model:
            @staticmethod
            @tr_vmap
            def static(x: TRNode) -> TRNode:
                return x * x

            def __init__(self) -> None:
                self.bound = tr_vmap(self.cube)

            def cube(self, x: TRNode) -> TRNode:
                return x**3

            shared = SCALED

        assert same_bits(Model.static(X), X * X)
        assert same_bits(Model().static(X), X * X)
        assert same_bits(Model().bound(X), X * (X * X))
        assert Model.shared is SCALED
