"""Between IEEE doubles and TR values: all doubles, both ways, in every NumPy shape and type."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from support.values import INF, NAN, SPECIALS, bits, same
from zeroproof.bridge import from_ieee, to_ieee
from zeroproof.core import TRScalar, TRTag, phi, pinf


@pytest.mark.parametrize("x", SPECIALS)
def test_numbers_round_trip(x: float) -> None:
    assert isinstance(from_ieee(x), TRScalar)
    assert isinstance(to_ieee(from_ieee(x)), float)
    assert bits(to_ieee(from_ieee(x))) == bits(x)
    assert same(from_ieee(np.float64(x)), x)
    assert same(from_ieee(TRScalar(x)), x)


def test_any_nan_is_phi() -> None:
    for payload in (0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF, 0x7FF8000000000123):
        assert from_ieee(struct.unpack("<d", struct.pack("<Q", payload))[0]).tag is TRTag.PHI


def test_array_keeps_shape_values_and_the_sign_of_zero() -> None:
    doubles = np.array([[1.0, -0.0, INF], [NAN, -INF, 5e-324]])
    for array in (doubles, doubles.T, doubles[:, ::-1], np.asfortranarray(doubles)):
        scalars = from_ieee(array)
        assert scalars.dtype == object
        assert scalars.shape == array.shape
        assert all(isinstance(x, TRScalar) for x in scalars.flat)
        back = to_ieee(scalars)
        assert back.dtype == np.float64
        np.testing.assert_array_equal(back, array)
        np.testing.assert_array_equal(np.signbit(back[back == 0]), np.signbit(array[array == 0]))


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1,), (2, 3, 4)])
def test_every_shape(shape: tuple[int, ...]) -> None:
    doubles = np.full(shape, 2.5)
    scalars = from_ieee(doubles)
    assert isinstance(scalars, np.ndarray)
    assert scalars.shape == to_ieee(scalars).shape == shape
    np.testing.assert_array_equal(to_ieee(scalars), doubles)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8", "u8", "?", ">f8", "g"])
def test_every_real_dtype(dtype: str) -> None:
    array = np.array([0, 1], dtype=dtype)
    assert [float(x) for x in from_ieee(array)] == [0.0, 1.0]
    assert to_ieee(array).dtype == np.float64


def test_narrow_floats_keep_their_tags() -> None:
    for dtype in ("f2", "f4"):
        tags = [x.tag for x in from_ieee(np.array([INF, -INF, NAN], dtype=dtype))]
        assert tags == [TRTag.PINF, TRTag.NINF, TRTag.PHI]


def test_a_conversion_never_warns() -> None:
    # Wider than a double rounds to infinity, and a signalling NaN is Φ, without a word.
    beyond = np.longdouble("1e400")
    signalling = np.array([0x7F800001], dtype=np.uint32).view(np.float32)
    assert from_ieee(signalling)[0] == phi()
    assert from_ieee(beyond) == pinf()
    assert from_ieee(np.array([beyond]))[0] == pinf()
    assert to_ieee(np.array([beyond]))[0] == INF


def test_mixed_object_arrays() -> None:
    mixed = np.array([pinf(), 1, 2.5, np.float32(0.5), phi()], dtype=object)
    np.testing.assert_array_equal(to_ieee(mixed), [INF, 1.0, 2.5, 0.5, NAN])
    assert from_ieee(mixed)[0].tag is TRTag.PINF


@pytest.mark.parametrize(
    "bad",
    ["1", None, 1j, np.array([1j]), np.array(["a"]), np.array([None]), np.array([0], "M8[s]")],
)
def test_what_is_not_real_valued_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError):
        from_ieee(bad)
    with pytest.raises(TypeError):
        to_ieee(bad)


def test_huge_integers_round() -> None:
    assert from_ieee(10**400) == pinf()
    assert to_ieee(-(10**400)) == -INF
