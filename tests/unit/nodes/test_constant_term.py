"""The operator ``x ** 0``, the constant term of a polynomial, on every path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import EXACT, MASKED, mode_block
from support.values import INF, NAN, same
from zeroproof import GradientMode, OpType, TRNode, TRScalar, tr_pow_int, tr_vmap

REALS = [0.0, -0.0, 1.0, -2.5, 5e-324, 1.7976931348623157e308]
NOT_REAL = [INF, -INF, NAN]
ZEROS = [0, np.int64(0), np.uint8(0), False]


class TestConstantTerm:
    @pytest.mark.parametrize("zero", ZEROS, ids=lambda zero: type(zero).__name__)
    @pytest.mark.parametrize("a", [*REALS, *NOT_REAL])
    def test_it_is_one_for_a_real(self, a: float, zero: Any) -> None:
        expected = 1.0 if a in REALS else NAN
        assert same(TRScalar(a) ** zero, expected)
        assert same(pow(TRScalar(a), zero), expected)
        for leaf in (TRNode.parameter, TRNode.input, TRNode.constant):
            assert same((leaf(a) ** zero).value, expected)
        elements = np.array([TRScalar(a), TRNode.parameter(a)], dtype=object) ** zero
        assert [same(TRScalar(float(z.value)), expected) for z in elements] == [True, True]
        assert same(zp.tr_unit(a), expected)
        assert same(np.asarray(tr_vmap(lambda x: x**zero)(np.array([a]))).item(), expected)

    @pytest.mark.parametrize("mode", list(GradientMode))
    @pytest.mark.parametrize("a", [*REALS, *NOT_REAL])
    def test_its_gradient_is_zero(self, a: float, mode: GradientMode) -> None:
        expected = EXACT if a in REALS else MASKED
        with mode_block(mode, 1.0):
            x = TRNode.parameter(a)
            y = x**0
            y.backward(1e300)
            assert y.op is OpType.UNIT
            assert (x.gradient, x.gradient_status) == (0.0, expected)
            _, slope, status = tr_vmap(lambda x: x**0).value_and_grad(
                np.array([a, 2.0]), with_status=True
            )
        assert slope.tolist() == [0.0, 0.0]
        assert status.tolist() == [expected, EXACT]

    def test_the_function_keeps_the_transreal_power(self) -> None:
        assert zp.is_phi(tr_pow_int(0.0, 0))
        assert zp.is_phi(tr_pow_int(TRNode.parameter(0.0), 0))
        assert zp.is_phi(TRScalar(0.0) ** 0.0)
        assert np.isnan(tr_vmap(lambda x: tr_pow_int(x, 0))(np.zeros(1)).to_ieee()).all()

    def test_a_real_beside_others_in_a_batch(self) -> None:
        a = np.array([*REALS, *NOT_REAL])
        found = tr_vmap(lambda x: 3.0 * x**0 + x - x)(a).to_ieee()
        nodes = [3.0 * x**0 + x - x for x in map(TRNode.parameter, a)]
        assert all(same(z.value, y) for z, y in zip(nodes, found))

    def test_it_is_explained_where_it_is_phi(self) -> None:
        [event] = (TRNode.parameter(INF) ** 0).explain().masked_at
        assert event.op is OpType.UNIT
        assert list(map(float, event.operands)) == [INF]

    def test_a_polynomial_written_as_a_sum_of_powers(self) -> None:
        def f(x: Any) -> Any:
            return sum(c * x**k for k, c in enumerate([3.0, 2.0, 1.0]))

        assert f(TRScalar(0.0)) == 3.0
        x = TRNode.parameter(0.0)
        y = f(x)
        y.backward()
        assert (y.value, x.gradient, x.gradient_status) == (3.0, 2.0, EXACT)
        value, slope = tr_vmap(f).value_and_grad(np.array([0.0, 1.0]))
        assert value.to_ieee().tolist() == [3.0, 6.0]
        assert slope.tolist() == [2.0, 4.0]
