"""Single rows apart from all others are no poles, and no reason to call a fit exact."""

from __future__ import annotations

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational

X = np.arange(40.0)


def fits(fit, y):
    """Whether the function is that of the data up to rounding errors, in chords."""
    f = fit(X)
    return np.abs((f - y) / np.hypot(1.0, y / 5.0) / np.hypot(1.0, f / 5.0)).max() < 1e-12


@pytest.mark.parametrize("row", [0, 7, 39, *slow(1, 20, 38)])
@pytest.mark.parametrize("size", [1.0, 1e6, *slow(-3.0, 1e-3)])
def test_a_spike_at_one_row(row, size):
    y = 5.0 + size * np.eye(40)[row]
    fit = fit_rational(X, y)
    assert not fit.record.exact or fits(fit, y)
    assert np.abs(fit.poles - row).min(initial=np.inf) > 0.5  # none follows the spike
    assert fit.warnings


@pytest.mark.parametrize("degree", [(1, 1), (2, 2), (4, 4)])
def test_a_degree_that_makes_a_doublet_is_told(degree):
    y = 5.0 + np.eye(40)[7]
    fit = fit_rational(X, y, degree)
    assert not fit.record.exact or fits(fit, y)
    if np.abs(fit.poles - 7.0).min(initial=np.inf) < 0.1:
        assert any("a lower degree is likely" in warning for warning in fit.warnings)


def test_spikes_beside_a_pole():
    x = np.linspace(-1.0, 1.0, 60)
    y = 1.0 / (x - 0.303)
    y[[10, 50]] += [2.0, -1.0]
    fit = fit_rational(x, y)
    assert not fit.record.exact
    inside = fit.real_poles[np.abs(fit.real_poles) <= 1.0]
    assert inside == pytest.approx([0.303], abs=0.01)


@pytest.mark.slow
def test_exact_means_that_the_function_reproduces_the_data():
    rng = np.random.default_rng(0)
    for _ in range(8):
        x = np.sort(rng.uniform(-1.0, 1.0, 15))
        y = np.round(rng.normal(size=15), 1)
        fit = fit_rational(x, y)
        if fit.record.exact:
            assert fit.sse < 1e-20


def test_a_degree_too_high_for_exact_data_is_told():
    x = np.linspace(-1.0, 1.0, 50)
    fit = fit_rational(x, 1.0 / (x - 0.3), (6, 6))
    assert fit.record.exact
    within = np.abs(fit.real_poles) <= 1.0
    assert np.abs(fit.real_poles[within] - 0.3).min() < 1e-12
    if np.count_nonzero(within) > 1:
        assert any("rounding errors" in warning for warning in fit.warnings)
