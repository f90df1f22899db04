"""NIST's rational problems, with no start given, to 7 digits of the 11 that are certified."""

from __future__ import annotations

import numpy as np
import pytest

from support.nist import correct_digits, read
from zeroproof import fit_rational

DEGREES = {"Kirby2": (2, 2), "Hahn1": (3, 3), "Thurber": (3, 3)}
DIGITS = 7.0


@pytest.mark.parametrize("name", DEGREES)
def test_certified_values(name):
    problem = read(name)
    fit = fit_rational(problem.x, problem.y, DEGREES[name])
    assert fit.degree == DEGREES[name]
    assert fit.dof == len(problem.x) - len(problem.certified)
    assert fit.sse == pytest.approx(problem.sse, rel=1e-9)
    assert fit.coefficients.denominator[0] == 1.0
    # The constant of the denominator is 1 in the certified values, too.
    found = np.concatenate([fit.coefficients.numerator, fit.coefficients.denominator[1:]])
    errors = fit.stderr.coefficients
    assert errors.denominator[0] == 0.0
    errors = np.concatenate([errors.numerator, errors.denominator[1:]])
    assert correct_digits(found, problem.certified).min() >= DIGITS
    assert correct_digits(errors, problem.stderr).min() >= DIGITS
    assert correct_digits(np.sqrt(np.diag(fit.covariance)), problem.stderr).min() >= DIGITS


@pytest.mark.parametrize("name", DEGREES)
def test_units_do_not_matter(name):
    problem = read(name)
    fit = fit_rational(problem.x * 2.0**-20, problem.y * 2.0**30, DEGREES[name])
    assert fit.sse == pytest.approx(problem.sse * 2.0**60, rel=1e-9)


def test_the_degree_of_hahn1_is_found():
    problem = read("Hahn1")
    fit = fit_rational(problem.x, problem.y)
    assert fit.degree == (3, 3)
    assert fit.sse == pytest.approx(problem.sse, rel=1e-9)
