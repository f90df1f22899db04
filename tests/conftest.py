"""What all Python tests share: Hypothesis settings and a clean gradient state."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Before NumPy is there: test processes side by side fill the cores, and the threads that linear
# algebra would start in each wait for one another, busily.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Tests start interpreters by the hundred, and without bytecode each compiles the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

from zeroproof.autodiff.grad_mode import GradientModeConfig  # noqa: E402
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext  # noqa: E402
from zeroproof.policy import TRPolicyConfig  # noqa: E402

_COMMON = {
    "deadline": None,
    "database": None,
    # The autouse fixture below only resets state, which no example leaves behind.
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
settings.register_profile("suite", max_examples=40, derandomize=True, **_COMMON)
settings.register_profile("slow", max_examples=200, derandomize=True, **_COMMON)
settings.register_profile("explore", max_examples=2000, **_COMMON)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What runs, and the device of the tests of PyTorch's bridge."""
    parser.addoption(
        "--slow",
        action="store_true",
        help="run the tests marked slow too, and five times the examples of the random ones",
    )
    parser.addoption("--torch-device", help="where PyTorch's tensors lie, as in cuda (the CPU)")


def pytest_configure(config: pytest.Config) -> None:
    """Before tests are imported, which take fractions of the examples; Hypothesis' option wins."""
    if config.getoption("--slow"):
        settings.load_profile("slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests marked slow, unless they are asked for."""
    if config.getoption("--slow"):
        return
    slow = {item for item in items if item.get_closest_marker("slow")}
    config.hook.pytest_deselected(items=list(slow))
    items[:] = [item for item in items if item not in slow]


def pytest_collection_finish() -> None:
    """Modules and tests are half a million objects that stay: garbage is looked for elsewhere."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """What was set aside can go, else libraries report it as leaked."""
    gc.unfreeze()


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
