"""What all Python tests share: Hypothesis settings and a clean gradient state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from zeroproof.autodiff.grad_mode import GradientModeConfig
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.policy import TRPolicyConfig

_COMMON = {
    "deadline": None,
    "database": None,
    # The autouse fixture below only resets state, which no example leaves behind.
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
settings.register_profile("suite", max_examples=200, derandomize=True, **_COMMON)
settings.register_profile("explore", max_examples=2000, **_COMMON)
settings.load_profile("suite")


def _reset() -> None:
    GradientModeConfig.reset()
    HybridGradientContext.reset()
    TRPolicyConfig.set_policy(None)


@pytest.fixture(autouse=True)
def clean_gradient_state() -> Iterator[None]:
    """Each test begins and ends with Mask-REAL, no schedule, no policy and empty statistics."""
    _reset()
    yield
    _reset()
