"""NIST's rational problems, with no start given.

Statistical Reference Datasets, nonlinear regression; values are certified to 11 digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zeroproof import fit_rational

DATA = Path(__file__).parent / "data"
CERTIFIED = {
    "kirby2": (
        (2, 2),
        3.9050739624e00,
        [1.6745063063e00, -1.3927397867e-01, 2.5961181191e-03, -1.7241811870e-03, 2.1664802578e-05],
        [8.7989634338e-02, 4.1182041386e-03, 4.1856520458e-05, 5.8931897355e-05, 2.0129761919e-07],
    ),
    "hahn1": (
        (3, 3),
        1.5324382854e00,
        [
            1.0776351733e00,
            -1.2269296921e-01,
            4.0863750610e-03,
            -1.4262662514e-06,
            -5.7609940901e-03,
            2.4053735503e-04,
            -1.2314450199e-07,
        ],
        [
            1.7070154742e-01,
            1.2000289189e-02,
            2.2508314937e-04,
            2.7578037666e-07,
            2.4712888219e-04,
            1.0449373768e-05,
            1.3027335327e-08,
        ],
    ),
}


@pytest.mark.parametrize("name", sorted(CERTIFIED))
def test_certified_values(name):
    degree, sse, coefficients, deviations = CERTIFIED[name]
    y, x = np.loadtxt(DATA / f"{name}.csv", delimiter=",").T
    fit = fit_rational(x, y, degree)
    assert fit.degree == degree
    assert fit.dof == len(x) - len(coefficients)
    assert fit.sse == pytest.approx(sse, rel=1e-9)
    assert fit.coefficients.denominator[0] == 1.0
    found = np.concatenate([fit.coefficients.numerator, fit.coefficients.denominator[1:]])
    errors = np.concatenate(
        [fit.stderr.coefficients.numerator, fit.stderr.coefficients.denominator[1:]]
    )
    np.testing.assert_allclose(found, coefficients, rtol=1e-7)
    np.testing.assert_allclose(errors, deviations, rtol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), deviations, rtol=1e-7)


@pytest.mark.parametrize("name", sorted(CERTIFIED))
def test_units_do_not_matter(name):
    degree, sse, _, _ = CERTIFIED[name]
    y, x = np.loadtxt(DATA / f"{name}.csv", delimiter=",").T
    fit = fit_rational(x * 1e-6 + 5.0, y * 1e9, degree)
    assert fit.sse == pytest.approx(sse * 1e18, rel=1e-9)


def test_the_degree_of_hahn1_is_found():
    y, x = np.loadtxt(DATA / "hahn1.csv", delimiter=",").T
    fit = fit_rational(x, y)
    assert fit.degree == (3, 3)
    assert fit.sse == pytest.approx(CERTIFIED["hahn1"][1], rel=1e-9)
