"""Cells of y that are no numbers: ±∞ says where a pole is, Φ is left out."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof import TRArray, fit_rational, phi, pinf

X = np.linspace(-1.0, 1.0, 101)
Y = (1.0 + X) / (X - 0.303) + np.random.default_rng(0).normal(0.0, 0.05, 101)


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_a_pole_is_where_the_data_say(infinity):
    free = fit_rational(X, Y, (1, 1))
    fit = fit_rational(np.append(X, 0.303), np.append(Y, infinity), (1, 1))
    assert abs(free.real_poles[0] - 0.303) > 1e-6
    assert fit.real_poles == pytest.approx([0.303], abs=1e-15)
    assert fit.stderr.poles[0].real <= 1e-15
    assert (fit.record.rows, fit.record.marked, fit.record.parameters) == (101, 1, 2)
    assert fit.dof == 99
    assert "1 more with y = ±∞ taken as poles" in fit.summary()


def test_two_marks_and_one_that_is_repeated():
    y = 1.0 / (X - 0.303) - 2.0 / (X + 0.5005)
    x = np.append(X, [-0.5005, 0.303, 0.303])
    fit = fit_rational(x, np.append(y, [np.inf, np.inf, -np.inf]))
    assert fit.record.marked == 3
    assert fit.real_poles == pytest.approx([-0.5005, 0.303], abs=1e-14)
    assert fit.residues.real == pytest.approx([-2.0, 1.0], rel=1e-12)


@pytest.mark.parametrize("loss", ["linear", "cauchy", "chordal"])
def test_marks_with_each_kind_of_loss(loss):
    fit = fit_rational(np.append(X, 0.303), np.append(Y, np.inf), (1, 2), loss=loss)
    assert np.abs(fit.real_poles - 0.303).min() < 1e-14


def test_phi_is_left_out():
    gaps = np.where(X < -0.5, np.nan, Y)
    fit, kept = fit_rational(X, gaps, (1, 1)), fit_rational(X[X >= -0.5], Y[X >= -0.5], (1, 1))
    assert fit.record.left_out == np.count_nonzero(X < -0.5)
    assert f"{fit.record.left_out} more with y = Φ left out" in fit.summary()
    np.testing.assert_array_equal(fit.numerator, kept.numerator)
    np.testing.assert_array_equal(fit.denominator, kept.denominator)


def test_arrays_of_transreal_values():
    y = TRArray([*Y, pinf(), phi()])
    fit = fit_rational([*X, 0.303, 0.5], y, (1, 1))
    assert (fit.record.marked, fit.record.left_out) == (1, 1)


def test_sigma_of_rows_that_are_not_used_does_not_matter():
    sigma = np.append(np.full(101, 0.05), np.nan)
    fit = fit_rational(np.append(X, 0.303), np.append(Y, np.inf), (1, 1), sigma=sigma)
    assert fit.real_poles == pytest.approx([0.303], abs=1e-15)


def test_more_marks_than_poles():
    with pytest.raises(ValueError, match=r"degree \(1, 0\) has 0 poles, but y is ±inf at 1"):
        fit_rational(np.append(X, 0.303), np.append(Y, np.inf), (1, 0))
    with pytest.raises(ValueError, match="y is ±inf at 101 different x"):
        fit_rational(np.concatenate([X, X + 0.001]), np.append(Y, np.full(101, np.inf)))
