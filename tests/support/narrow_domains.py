"""Examples of tests that run once for each operation, whose domains may be narrow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

few_examples = settings(
    max_examples=settings().max_examples // 2,
    # How many numbers are drawn in vain depends on the version of Hypothesis.
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.filter_too_much],
)
