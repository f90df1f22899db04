"""Certified values of NIST StRD from the published starts, with default settings."""

from __future__ import annotations

import numpy as np
import pytest

from support.nist import MODELS, RATIONAL, correct_digits, read
from zeroproof import least_squares


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_parameters_and_standard_errors(name: str, start: int) -> None:
    problem = read(name)
    fit = least_squares(problem.model, problem.x, problem.y, problem.starts[start])
    assert fit.success, fit.message
    assert fit.dof == problem.dof
    digits = correct_digits(list(fit.params.values()), problem.certified)
    assert digits.min() >= (8 if name in RATIONAL else 6)
    if name == "Lanczos1":
        # The residuals are roundoff and that of the data: SSE is certified as 1.4e-25.
        assert fit.sse < 1e-24
    else:
        assert correct_digits(list(fit.stderr.values()), problem.stderr).min() >= 5
        assert correct_digits(fit.sse, problem.sse) >= 6


def test_rounding_errors_of_a_start_do_not_decide() -> None:
    """From here bent steps jump to where the model is flat, or do not, by the last digits."""
    problem, rng = read("MGH10"), np.random.default_rng(0)
    for _ in range(20):
        start = {
            name: value * (1 + rng.uniform(-1e-9, 1e-9))
            for name, value in problem.starts[0].items()
        }
        fit = least_squares(problem.model, problem.x, problem.y, start)
        assert fit.success, start
        assert correct_digits(list(fit.params.values()), problem.certified).min() >= 6, start


def test_certified_values_are_read() -> None:
    problem = read("Kirby2")
    assert len(problem.x) == 151
    assert problem.starts[1]["b5"] == 2e-5
    assert problem.certified[0] == 1.6745063063
    assert problem.stderr[4] == 2.0129761919e-07
    assert problem.sse == 3.9050739624
    assert np.all(correct_digits(problem.certified * (1 + 1e-7), problem.certified).round(3) == 7)
