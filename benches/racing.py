"""Times calls round by round, so that a slow phase of the machine hits all of them."""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Callable, Optional


@dataclass
class Contender:
    """A call, and how long it took in each round."""

    call: Callable[[], Any]
    prepare: Optional[Callable[[], Any]] = None
    """Runs before each call, off the clock."""
    repeats: int = 1
    """How many calls make up one measurement."""
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Of the rounds, seconds a call."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """Of the rounds, seconds a call."""
        return min(self.seconds)

    def run(self, repeats: int) -> float:
        """Seconds a call."""
        if self.prepare is not None:
            self.prepare()
        start = perf_counter()
        for _ in range(repeats):
            self.call()
        return (perf_counter() - start) / repeats


def race(contenders: dict[str, Contender], rounds: int) -> None:
    """Times each contender once a round.

    An untimed call goes before each timed one: it brings the contender's data to the caches and
    gives the threads of the one before time to fall asleep.
    """
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for contender in contenders.values():
                contender.run(1)
                contender.seconds.append(contender.run(contender.repeats))
    finally:
        gc.enable()


@dataclass
class Goal:
    """What a ratio or a figure is meant to be, and what was measured."""

    text: str
    measured: Optional[float]
    """None if it could not be measured."""
    limit: float
    at_least: bool
    """Whether the figure should be at least the limit; else at most."""
    unit: str = "x"

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        limit = f"{sign} {self.limit:g}{self.unit}"
        if self.measured is None:
            return f"{self.text:72} {limit:>7}        not measured"
        is_met = self.measured >= self.limit if self.at_least else self.measured <= self.limit
        verdict = "PASS" if is_met else "MISSED"
        return f"{self.text:72} {limit:>7} {self.measured:9.2f}{self.unit:3} {verdict}"


def ratio(slow: Optional[Contender], fast: Optional[Contender]) -> Optional[float]:
    """How many times as long the first one takes, by medians; None if one of them is missing."""
    return None if slow is None or fast is None else slow.median / fast.median
