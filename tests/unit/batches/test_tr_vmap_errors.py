"""Every error of tr_vmap, and that it names what is wrong."""

from __future__ import annotations

import datetime
import warnings
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from zeroproof import TRNode, from_ieee, real, tr_vmap

X = np.arange(3.0)


def scaled(x: TRNode, factor: TRNode) -> TRNode:
    return x * factor


SCALED = tr_vmap(scaled, in_axes=(0, None))


class TestMaking:
    @pytest.mark.parametrize("bad", [None, 1.0, "f", X])
    def test_it_takes_a_function(self, bad: Any) -> None:
        with pytest.raises(TypeError, match=f"takes a function, not {type(bad).__name__}"):
            tr_vmap(bad)

    @pytest.mark.parametrize("axis", [1, -1, 2])
    def test_other_axes(self, axis: int) -> None:
        for in_axes in (axis, (0, axis)):
            with pytest.raises(ValueError, match=f"in_axes must be 0, None.*not {axis}.*moveaxis"):
                tr_vmap(scaled, in_axes)

    @pytest.mark.parametrize(
        "bad", ["0", 0.0, {"x": 0}, (0, "x"), (0, (0, "x")), (0, {"x": [0.0]}), [0.0]]
    )
    def test_no_axes(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="in_axes must be 0, None or a sequence of these"):
            tr_vmap(scaled, bad)

    def test_no_method(self) -> None:
        class Model:
            @tr_vmap
            def apply(self, x: TRNode) -> TRNode:
                return x

        message = "batches no methods: apply does not bind to an instance of Model.*@staticmethod"
        with pytest.raises(AttributeError, match=message):
            Model().apply(X)
        assert not hasattr(Model(), "apply")


class TestArguments:
    def test_as_many_as_in_axes(self) -> None:
        for given in ((), (X,), (X, 1.0, 2.0)):
            with pytest.raises(
                TypeError, match=f"scaled takes 2 positional.*but {len(given)} were"
            ):
                SCALED(*given)
        with pytest.raises(TypeError, match=r"takes 2 positional.*but 1 were"):
            tr_vmap(lambda x, y, z: x, (0, 0))(X, z=X)
        with pytest.raises(TypeError, match="needs at least one argument"):
            tr_vmap(scaled)()

    def test_as_many_as_the_function_takes(self) -> None:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'factor'"):
            tr_vmap(scaled)(X)

    @pytest.mark.parametrize("method", ["__call__", "value_and_grad", "jacobian", "program"])
    def test_keywords_that_the_function_does_not_take(self, method: str) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'divisor'"):
            getattr(SCALED, method)(X, 2.0, divisor=X)
        with pytest.raises(TypeError, match="multiple values for argument 'x'"):
            getattr(SCALED, method)(X, 2.0, x=X)

    def test_different_numbers_of_samples_are_all_named(self) -> None:
        batched = tr_vmap(lambda a, b, c, d: a, in_axes=(0, 0, None, 0))
        with pytest.raises(ValueError, match=r"a: 3, b: 4, d: 3"):
            batched(X, np.ones(4), np.ones(9), X)

    @pytest.mark.parametrize("number", [2.0, real(2.0), np.array(2.0), True])
    def test_a_number_has_no_samples(self, number: Any) -> None:
        with pytest.raises(ValueError, match=r"argument 0 \(x\) of scaled is a single number"):
            SCALED(number, 2.0)

    @pytest.mark.parametrize(
        ("bad", "kind"),
        [
            (np.array([1.0, None]), "object"),
            (from_ieee(X), "object"),
            ([real(1.0)], "object"),
            ([1j], "complex128"),
            (np.array(1j), "complex128"),
            (["a"], "<U1"),
            (b"abc", r"\|S3"),
            (np.array(["2020-01-01"], "M8[D]"), "datetime64"),
            ([datetime.timedelta(1)], "object"),
            (object(), "object"),
            ({1.0}, "object"),
            (np.zeros(2, [("a", float)]), "a"),
        ],
    )
    def test_only_real_numbers(self, bad: Any, kind: str) -> None:
        with pytest.raises(TypeError, match=rf"argument 1 \(factor\) of scaled.*real.*{kind}"):
            SCALED(X, bad)
        with pytest.raises(TypeError, match=rf"argument 0 \(x\) of scaled.*real.*{kind}"):
            SCALED(bad, 1.0)

    def test_a_way_out_for_tr_scalars(self) -> None:
        with pytest.raises(TypeError, match="TRArray"):
            SCALED(from_ieee(X), 1.0)
        assert SCALED(zp.TRArray(from_ieee(X)), 1.0).values.tolist() == X.tolist()

    def test_nodes_would_lose_their_gradients(self) -> None:
        with pytest.raises(TypeError, match=r"argument 1 \(factor\).*TRNode.*pass its value"):
            SCALED(X, TRNode.parameter(1.0))

    @pytest.mark.parametrize(
        "masked",
        [
            np.ma.masked_array(X, mask=[True, False, False]),
            np.ma.masked_array(X),
            np.ma.masked_array([1, 2, 3], mask=True),
            np.ma.masked,
        ],
    )
    def test_masks_would_be_lost(self, masked: Any) -> None:
        for arguments, name in [((masked, 2.0), r"0 \(x\)"), ((X, masked), r"1 \(factor\)")]:
            with pytest.raises(TypeError, match=rf"argument {name} of scaled is a masked array"):
                SCALED(*arguments)

    def test_a_way_out_for_masked_arrays(self) -> None:
        masked = np.ma.masked_array(X, mask=[True, False, False])
        with pytest.raises(TypeError, match=r"\.filled\(numpy\.nan\), which is Φ"):
            SCALED(masked, 2.0)
        assert SCALED(masked.filled(np.nan), 2.0).tags.tolist() == [3, 0, 0]

    @pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged")  # NumPy 1.23 and older
    def test_ragged_lists(self) -> None:
        # NumPy before 1.24 makes an array of objects, and warns.
        told = r"argument 0 \(x\) of scaled (is no array|must hold real numbers)"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((ValueError, TypeError), match=told):
                SCALED([[1.0], [1.0, 2.0]], 1.0)

    def test_lengths_are_told_apart_by_place(self) -> None:
        def function(arg1: TRNode, *rest: TRNode) -> TRNode:
            return arg1

        with pytest.raises(ValueError, match=r"arg1: 3, arg1: 4"):
            tr_vmap(function)(X, np.ones(4))

    def test_names_of_arguments_without_names(self) -> None:
        with pytest.raises(TypeError, match=r"argument 1 \(arg1\) of <lambda>"):
            tr_vmap(lambda *numbers: numbers[0])(X, [1j] * 3)


class TestFunction:
    @pytest.mark.parametrize(
        ("result", "kind"),
        [
            ("y", "str"),
            (1j, "complex"),
            (X < 1.0, "an array of bool"),
            (np.array([1j]), "an array of complex128"),
            (["1"], r"str at result\[0\]"),
            ((real(1.0), {"a": [1.0, "x"]}), r"str at result\[1\]\['a'\]\[1\]"),
            (np.array([1.0, None]), "None"),
            ({1.0}, "set"),
            (True, "bool; choose between numbers with tr_where"),
            ([real(1.0), np.bool_(True)], r"bool_? at result\[1\]; choose between"),
        ],
    )
    def test_it_returns_nodes(self, result: Any, kind: str) -> None:
        def function(x: TRNode) -> Any:
            return result

        with pytest.raises(TypeError, match=f"function must return nodes or numbers, not {kind}"):
            tr_vmap(function)(X)

    def test_a_result_in_itself(self) -> None:
        result: list[Any] = []
        result.append(result)
        with pytest.raises(ValueError, match=r"its result contains itself.*its result\[0\]"):
            tr_vmap(lambda x: result)(X)

    def test_an_index_that_depends_on_the_samples(self) -> None:
        table = np.array([1.0, 2.0])
        for array in (table, table.astype(object)):
            function = tr_vmap(lambda x, array=array: array[x])
            with pytest.raises(IndexError, match=r"use tr_take\(array, index\)"):
                function([0.0, 1.0])
        with pytest.raises(IndexError, match=r"^list index out of range$"):
            tr_vmap(lambda x: [x][1])(X)

    @pytest.mark.parametrize("result", [None, {}, (), [], [None], np.empty((0, 2), dtype=object)])
    def test_it_returns_something(self, result: Any) -> None:
        with pytest.raises(TypeError, match="must return nodes, but returned none"):
            tr_vmap(lambda x: result)(X)

    def test_its_own_errors_are_its_own(self) -> None:
        with pytest.raises(ZeroDivisionError):
            tr_vmap(lambda x: x * (1 // 0))(X)


class TestRequests:
    @pytest.mark.parametrize(
        "function", [lambda x: (x,), lambda x: [x, x], lambda x: np.array([x, x])]
    )
    def test_value_and_grad_is_of_one_node(self, function: Any) -> None:
        with pytest.raises(TypeError, match="returns several; jacobian"):
            tr_vmap(function).value_and_grad(X)

    @pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
    def test_argnums_that_name_no_argument(self, argnums: Any) -> None:
        for method in (SCALED.value_and_grad, SCALED.jacobian):
            with pytest.raises(ValueError, match=r"argnums names argument .* but 2 positional"):
                method(X, 1.0, argnums=argnums)

    @pytest.mark.parametrize("method", ["__call__", "value_and_grad", "jacobian", "hessian"])
    def test_keywords_that_nobody_knows(self, method: str) -> None:
        with pytest.raises(TypeError, match=r"argument 'foo', which .* does not have either"):
            getattr(SCALED, method)(X, 1.0, foo=1)
        anything = tr_vmap(lambda x, **others: x * others["foo"])
        assert anything(X, foo=X).tolist() == (X * X).tolist()

    @pytest.mark.parametrize("argnums", [True, (0, False), np.True_])
    def test_truth_values_are_no_argnums(self, argnums: Any) -> None:
        with pytest.raises(TypeError, match="argnums must be the place or the name"):
            SCALED.value_and_grad(X, 1.0, argnums=argnums)

    @pytest.mark.parametrize(
        "argnums",
        [
            *(None, 1.0, (0, 1.0), {}, (None,), ([0], 1), ("x", 1.0)),
            *(np.array([0.0]), np.array([False, True]), np.array([[0, 1]])),
        ],
    )
    def test_argnums_that_are_no_ints(self, argnums: Any) -> None:
        SCALED.value_and_grad(X, 1.0, argnums=1)  # what is equal to a known request is none
        SCALED.value_and_grad(X, 1.0, argnums=(0, 1))
        for method in (SCALED.value_and_grad, SCALED.jacobian):
            with pytest.raises(TypeError, match="argnums must be the place or the name of an"):
                method(X, 1.0, argnums=argnums)

    @pytest.mark.parametrize(
        ("reduce", "error"),
        [
            ("max", ValueError),
            ("", ValueError),
            (1, TypeError),
            (True, TypeError),
            (["sum"], TypeError),
            (np.array(["sum"]), TypeError),
        ],
    )
    def test_reduce(self, reduce: Any, error: type[Exception]) -> None:
        SCALED.value_and_grad(X, 1.0, reduce="sum")
        with pytest.raises(error, match="reduce must be None, 'mean' or 'sum', not"):
            SCALED.value_and_grad(X, 1.0, reduce=reduce)

    def test_coordinates_that_name_no_argument(self) -> None:
        for method in (SCALED.value_and_grad, SCALED.jacobian):
            with pytest.raises(ValueError, match="coordinate names no argument of scaled: 'z'"):
                method(X, 1.0, coordinate="z")
            with pytest.raises(ValueError, match="coordinate names argument 2"):
                method(X, 1.0, coordinate=2)
        with pytest.raises(ValueError, match="coordinate"):
            tr_vmap(scaled, coordinate="z").value_and_grad(X, X)

    @pytest.mark.parametrize("coordinate", [[0], ["x"], 0.0, {}, np.array([0, 1])])
    def test_coordinates_that_are_no_place(self, coordinate: Any) -> None:
        message = "coordinate must be the place or the name of an argument, not"
        SCALED.value_and_grad(X, 1.0, coordinate=0)  # what is equal to a known request is none
        for method in (SCALED.value_and_grad, SCALED.jacobian):
            with pytest.raises(TypeError, match=message):
                method(X, 1.0, coordinate=coordinate)
        with pytest.raises(TypeError, match=message):
            tr_vmap(scaled, coordinate=coordinate).value_and_grad(X, X)


class TestOut:
    BAD = (
        ([0.0] * 3, TypeError, "must be a NumPy array, not list"),
        (zp.TRArray(X), TypeError, "must be a NumPy array, not TRArray"),
        (np.zeros(3, np.float32), TypeError, "float64, not of float32"),
        (np.zeros(3, ">f8"), TypeError, "float64"),
        (np.zeros(4), ValueError, r"shape \(3,\), not \(4,\)"),
        (np.zeros((3, 1)), ValueError, r"shape \(3,\), not \(3, 1\)"),
        (np.zeros(6)[::2], ValueError, "C-contiguous"),
        (np.zeros(25, np.uint8)[1:].view(float), ValueError, "aligned"),
        (np.broadcast_to(0.0, 3), ValueError, "C-contiguous"),
        (np.frombuffer(bytes(24)), ValueError, "read-only"),
    )

    @pytest.mark.parametrize(("bad", "error", "match"), BAD)
    def test_arrays_that_cannot_be_written_are_named(
        self, bad: Any, error: type[Exception], match: str
    ) -> None:
        pair = tr_vmap(lambda x: (x, x))
        value_and_grad = SCALED.value_and_grad
        for name, call in [
            ("out", lambda: SCALED(X, 1.0, out=bad)),
            (r"out\[1\]", lambda: pair(X, out=(None, bad))),
            (r"out\[0\]", lambda: value_and_grad(X, 1.0, out=(bad, None))),
            (r"out\[1\]", lambda: value_and_grad(X, 1.0, out=(None, bad))),
            (
                r"out\[1\]\[1\]",
                lambda: value_and_grad(X, 1.0, argnums=(1, 0), out=(None, (None, bad))),
            ),
            ("out", lambda: value_and_grad(X, 1.0, reduce="sum", out=bad)),
            (
                r"out\[0\]",
                lambda: value_and_grad(X, 1.0, argnums=(0, 1), reduce="sum", out=(bad, None)),
            ),
        ]:
            with pytest.raises(error, match=rf"^{name} .*{match}"):
                call()
        with pytest.raises((TypeError, ValueError), match=r"^out "):
            SCALED.jacobian(X, 1.0, out=bad)

    @pytest.mark.parametrize(
        ("bad", "error"), [(X.copy(), TypeError), ((None,), ValueError), ((None,) * 3, ValueError)]
    )
    def test_the_structure_is_that_of_the_result(self, bad: Any, error: type[Exception]) -> None:
        for call in (
            lambda: tr_vmap(lambda x: (x, x))(X, out=bad),
            lambda: SCALED.value_and_grad(X, 1.0, out=bad),
            lambda: SCALED.value_and_grad(X, 1.0, argnums=(0, 1), out=(None, bad)),
            lambda: SCALED.value_and_grad(X, 1.0, argnums=(0, 1), reduce="sum", out=bad),
        ):
            with pytest.raises(error, match=r"out.* 2 "):
                call()

    def test_no_memory_twice(self) -> None:
        x, out = X.copy(), np.empty(5)
        for call in (
            lambda: SCALED(x, 1.0, out=x),
            lambda: SCALED.value_and_grad(out[:3], 1.0, out=(None, out[2:])),
            lambda: SCALED.value_and_grad(x, 1.0, out=(out[:3], out[1:4])),
            lambda: SCALED.value_and_grad(x, 1.0, argnums=(0, 1), out=(None, (out[:3], out[2:]))),
        ):
            with pytest.raises(ValueError, match="shares memory"):
                call()
        assert x.tolist() == X.tolist()
        SCALED.value_and_grad(out[:2], 1.0, out=(None, out[2:4]))  # neighbours may be

    def test_no_argument_twice(self) -> None:
        with pytest.raises(ValueError, match="must not name an argument twice"):
            SCALED.value_and_grad(X, 1.0, argnums=(0, 0), out=(None, (None, None)))
        with pytest.raises(ValueError, match="must not name an argument twice"):
            SCALED.jacobian(X, 1.0, argnums=(0, 0), out=np.empty((3, 1, 2)))
