"""Listings of machine code."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

import zeroproof as zp

pytestmark = pytest.mark.skipif(
    zp.native_code().vectors is None, reason=f"no native code: {zp.native_code().reason}"
)


@functools.partial(zp.tr_vmap, in_axes=(0, None))
def rational(x, p):
    return (p[0] + x * p[1]) / (x * x - p[2])


def test_the_code_stands_beside_what_it_comes_from():
    program = rational.program(np.zeros(2), np.ones(3))
    text = program.native_listing()
    assert text.startswith(f"; {zp.native_code().vectors}, ")
    divisions = [line for line in text.splitlines() if line.startswith("vdivpd")]
    assert any("= div(" in line for line in divisions)
    assert "ret" in text.splitlines()[-1]
    # The jump back to the beginning of the loop leads to where an instruction begins.
    assert re.search(r"^jb\s+0x[0-9A-F]+", text, re.MULTILINE)
    for name in ("x", "value 0", "derivative 0"):
        assert re.search(rf"^;   \[rdi\+0x[0-9A-F]+\] {name}$", text, re.MULTILINE), name


def test_a_listing_with_native_code_begins_with_the_program():
    plain = rational.program(np.zeros(2), np.ones(3))
    native = rational.program(np.zeros(2), np.ones(3), native=True)
    assert str(native) == f"{plain}\n\n{plain.native_listing()}"
    assert str(native.program(np.zeros(2), np.ones(3))) == str(plain)
    np.testing.assert_array_equal(native(np.ones(2), np.zeros(3)), plain(np.ones(2), np.zeros(3)))


def test_what_the_interpreter_does_is_listed_as_comments():
    def function(x, y):
        return zp.tr_prod([zp.tr_erf(x), y, x * y]) / y

    text = zp.tr_vmap(function).program(np.ones(1), np.ones(1)).native_listing()
    assert re.search(r"^; by the interpreter.*\n;   s\d+ = erf\(s\d+\)$", text, re.MULTILINE)


def test_where_the_interpreter_runs_the_reason_is_told():
    program = rational.program(np.zeros(2), np.ones(3), native=True)
    zp.set_native(False)
    try:
        with pytest.raises(RuntimeError, match="turned off by set_native"):
            program.native_listing()
        assert str(program).endswith("\n\n; no native code: it is turned off by set_native")
    finally:
        zp.set_native(True)


def test_guarded_code_of_every_op_can_be_listed():
    """A listing is made by the code's own encoder, so every form that has code has text."""

    def function(x, y):
        total = x * 0.0
        for op in (zp.tr_sqrt, zp.tr_log, zp.tr_abs, zp.tr_sin, zp.tr_exp, zp.tr_floor):
            total = total + op(x) * y
        return zp.tr_where(zp.tr_less(0.0, total), total / y, zp.tr_maximum(x, y))

    text = zp.tr_vmap(function).program(np.ones(1), np.ones(1)).native_listing()
    assert "where(" in text
    assert "adjoint sqrt(" in text
