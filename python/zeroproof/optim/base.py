"""What all optimizers share: steps that skip, reports, settings and state."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._enums import GradientStatus
from ._gradients import Gradients, gathered, given
from ._parameters import Parameters
from ._state import checked_state
from .report import StepReport

__all__ = ["LearningRate", "Optimizer", "number", "pair"]

#: A learning rate, or a function of the number of steps done.
LearningRate = Union[float, Callable[[int], float]]

#: What becomes of an element whose gradient is masked or has a dropped contribution.
CHOICES = ("apply", "skip", "raise")

Marks = npt.NDArray[np.bool_]

#: The elements that are updated at a time: few enough for the processor's cache.
BLOCK = 16384

_INCOMPLETE = int(GradientStatus.MASKED | GradientStatus.DROPPED)


class Optimizer(ABC):
    """An optimizer of parameters that are nodes, arrays, or structures of them.

    A step updates each element by itself, and either the whole step is done or, if it raises, none
    of it. An element is skipped, so that its value and its moments stay as they are,

    - if its value or its gradient is not REAL, such as a sum of contributions that overflowed to
      ±∞, or if its new value or a new moment would not be: a step never writes such a number;
    - with ``masked="skip"``, if its status has MASKED or DROPPED.

    Elements without a gradient are left alone too. The :class:`StepReport` counts all of them.

    Args:
        parameters: a ``TRNode.parameter`` or ``TRNode.input``, a writeable float64 array, or a
            structure (dict, list, tuple, dataclass) of these. Nodes are assigned to, arrays written
            to in place.
        lr: the learning rate; or a function that is called with the number of steps done so far,
            and returns the rate of the next.
        masked: what happens to an element whose gradient has the status MASKED or DROPPED, that is,
            lacks a part: ``"apply"`` uses the gradient as it is, ``"skip"`` skips the element, and
            ``"raise"`` refuses the step with a FloatingPointError.
        moments: the names of what the rule keeps for each element.

    Raises:
        TypeError: for parameters that cannot be updated, and settings of another type.
        ValueError: for settings out of range, and for a parameter that occurs twice.

    Examples:
        >>> from zeroproof import TRNode
        >>> from zeroproof.optim import SGD
        >>> w = TRNode.parameter(1.0)
        >>> optimizer = SGD(w, lr=0.25)
        >>> (w * w).backward()
        >>> print(optimizer.step())
        1 updated
        >>> optimizer.zero_grad()
        >>> w.value, w.gradient, optimizer.steps
        (TRScalar(0.5), TRScalar(0.0), 1)
        >>> state = optimizer.state_dict()
        >>> afterwards = SGD(w, lr=0.5)
        >>> afterwards.load_state_dict(state)
        >>> afterwards.steps, afterwards.lr
        (1, 0.25)
    """

    def __init__(
        self, parameters: Any, lr: LearningRate, masked: str, moments: tuple[str, ...]
    ) -> None:
        self._parameters = Parameters(parameters)
        self.lr = lr
        if masked not in CHOICES:
            choices = ", ".join(map(repr, CHOICES))
            raise ValueError(f"masked must be one of {choices}, not {masked!r}")
        self._masked = masked
        self._steps = 0
        self._last_step: Optional[StepReport] = None
        self._moments = {name: np.zeros(self._parameters.size) for name in moments}

    @abstractmethod
    def _rule(
        self, values: Array, gradients: Array, moments: list[Array], lr: float
    ) -> tuple[Array, list[Array]]:
        """The new values and moments, as new arrays."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """The settings of the rule by name, as ``state_dict`` holds them."""

    @property
    def lr(self) -> float:
        """The learning rate of the next step; a number or a function can be assigned.

        Raises:
            TypeError: for anything else, and if the function returns no number.
            ValueError: for a rate that is negative or not finite.
        """
        rate = self._lr
        if callable(rate):
            return number(rate(self._steps), "the value of the function lr")
        return rate

    @lr.setter
    def lr(self, rate: LearningRate) -> None:
        self._lr = rate if callable(rate) else number(rate, "lr")

    @property
    def steps(self) -> int:
        """The number of steps done."""
        return self._steps

    @property
    def last_step(self) -> Optional[StepReport]:
        """The report of the last step; None before the first."""
        return self._last_step

    def step(self, gradients: Any = None, statuses: Any = None) -> StepReport:
        """Updates the parameters.

        Args:
            gradients: in the structure of the parameters, as ``tr_value_and_grad`` and
                ``tr_vmap(...).value_and_grad(..., reduce="mean")`` return them: numbers, TR
                scalars, nodes and arrays, None for no gradient. Lists, tuples and arrays stand for
                each other. Left out, the gradients and statuses of the nodes after ``backward()``
                are used.
            statuses: the gradients' statuses in the same structure, as ``with_status=True`` returns
                them, or one status for all. Gradients that are nodes bring their own.

        Returns:
            The report, also ``last_step``.

        Raises:
            TypeError: for gradients or statuses of another structure or type; without gradients, if
                a parameter is an array.
            ValueError: for arrays of another shape; with ``masked`` other than "apply", for
                gradients without a status.
            FloatingPointError: with ``masked="raise"``, if a gradient is masked or dropped.
        """
        if gradients is None:
            if statuses is not None:
                raise TypeError("statuses belong to gradients, but no gradients were given")
            found = gathered(self._parameters)
        else:
            found = given(self._parameters, gradients, statuses)
        self._check_statuses(found)
        lr = self.lr
        values = self._parameters.values()
        with np.errstate(all="ignore"):
            new_values, new_moments, report = self._computed(values, found, lr)
        self._parameters.write(new_values)
        self._moments = new_moments
        self._steps += 1
        self._last_step = report
        return report

    def _computed(
        self, values: Array, found: Gradients, lr: float
    ) -> tuple[Array, dict[str, Array], StepReport]:
        """The values and moments after the step, and the report."""
        real = np.isfinite(values) & np.isfinite(found.values)
        chosen = real & ~found.missing
        if self._masked == "skip":
            chosen &= (found.statuses & _INCOMPLETE) == 0
        written = chosen.copy()
        new_values = np.empty_like(values)
        new_moments = {name: np.empty_like(moment) for name, moment in self._moments.items()}
        for start in range(0, len(values), BLOCK):
            block = slice(start, start + BLOCK)
            old = [values[block], *[moment[block] for moment in self._moments.values()]]
            value, moments = self._rule(old[0], found.values[block], old[1:], lr)
            new = [value, *moments]
            kept = written[block]
            for result in new:
                kept &= np.isfinite(result)
            targets = [new_values, *new_moments.values()]
            for target, before, after in zip(targets, old, new):
                target[block] = after if kept.all() else np.where(kept, after, before)
        not_real = (~real & ~found.missing) | (chosen & ~written)
        return new_values, new_moments, _report(found, written, not_real)

    def _check_statuses(self, found: Gradients) -> None:
        """Raises where ``masked`` says so, or needs a status that is not there."""
        if self._masked == "apply":
            return
        unknown = ~found.known & ~found.missing
        if unknown.any():
            where = self._parameters.name_of(int(unknown.argmax()))
            raise ValueError(
                f"masked={self._masked!r} needs the status of every gradient, but that of {where} "
                "is a plain number: pass statuses, which value_and_grad(..., with_status=True) "
                "returns"
            )
        if self._masked == "raise":
            incomplete = (found.statuses & _INCOMPLETE) != 0
            if incomplete.any():
                place = int(incomplete.argmax())
                status = GradientStatus(int(found.statuses[place]))
                raise FloatingPointError(
                    f"the gradient of {self._parameters.name_of(place)} is {_flags(status)}: "
                    "nothing was updated; explain() of the loss tells where it happened"
                )

    def zero_grad(self) -> None:
        """Sets the gradients of all nodes to zero, with status EXACT."""
        for node in self._parameters.nodes:
            node.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` needs to go on from here, without the parameters.

        Returns:
            A flat dict of numbers, strings, lists and new arrays, for ``pickle`` or
            ``numpy.savez(file, **state)``; ``json.dumps(state, default=numpy.ndarray.tolist)``
            makes text of it. A learning rate that is a function is left out.
        """
        state: dict[str, Any] = {
            "format": 1,
            "optimizer": type(self).__name__,
            "parameters": self._parameters.description(),
            "steps": self._steps,
        }
        if not callable(self._lr):
            state["lr"] = self._lr
        state.update(self._settings())
        state.update({name: moment.copy() for name, moment in self._moments.items()})
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of an optimizer of the same class, parameters and settings.

        The learning rate and the number of steps become those of the state; a learning rate that is
        a function stays.

        Args:
            state: from :meth:`state_dict`, also after ``numpy.load`` or ``json.loads``.

        Raises:
            TypeError: if the state is no mapping.
            ValueError: if the state is of another format, class or settings, of other parameters,
                or damaged. Nothing is loaded then.
        """
        expected = self.state_dict()
        steps, lr, moments = checked_state(state, expected, tuple(self._moments))
        self._steps = steps
        self._moments = moments
        if lr is not None and not callable(self._lr):
            self._lr = lr

    def __repr__(self) -> str:
        settings = {"lr": self._lr, **self._settings(), "masked": self._masked}
        shown = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{type(self).__name__}({self._parameters.size} elements, {shown})"


def _report(found: Gradients, written: Marks, not_real: Marks) -> StepReport:
    updated, missing = _count(written), _count(found.missing)
    flags = found.statuses
    return StepReport(
        updated=updated,
        skipped=len(flags) - updated - missing,
        without_gradient=missing,
        not_real=_count(not_real),
        masked=_count(flags & int(GradientStatus.MASKED)),
        dropped=_count(flags & int(GradientStatus.DROPPED)),
        saturated=_count(flags & int(GradientStatus.SATURATED)),
        unknown_status=_count(~found.known & ~found.missing),
    )


def _count(marks: npt.NDArray[Any]) -> int:
    return int(np.count_nonzero(marks))


def number(value: Any, name: str, below: float = math.inf) -> float:
    """A setting that is a number from 0 up to but not including ``below``."""
    if isinstance(value, (bool, str)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        result = float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    if not 0.0 <= result < below:
        most = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{name} must be a finite number, at least 0{most}, not {value!r}")
    return result


def pair(values: Any, name: str, below: float) -> tuple[float, float]:
    """A setting that is two numbers."""
    try:
        first, second = values
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be two numbers, not {values!r}") from None
    return number(first, f"{name}[0]", below), number(second, f"{name}[1]", below)


def _flags(status: GradientStatus) -> str:
    """The names of the flags."""
    return " and ".join(flag.name or "" for flag in GradientStatus if flag and flag in status)
