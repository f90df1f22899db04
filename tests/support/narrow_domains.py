"""Examples for operations whose domains are narrow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

few_examples = settings(
    max_examples=100,
    # How many numbers are drawn in vain depends on the version of Hypothesis.
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.filter_too_much],
)
