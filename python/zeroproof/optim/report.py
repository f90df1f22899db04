"""What a step did."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass

__all__ = ["StepReport"]


@dataclass(frozen=True)
class StepReport:
    """The elements that a step updated, skipped and found masked, dropped or saturated.

    An element is a node, or a number of an array. Each is updated, skipped or without a gradient:
    the three counts add up to the number of elements. The other counts say why, and may overlap.
    Reports can be added, those of an epoch by ``sum(reports, StepReport())``; ``str()`` lists the
    counts that are not 0.

    Args:
        updated: the elements that were written to.
        skipped: those that have a gradient and kept their value and moments.
        without_gradient: those whose gradient is None: no backward pass has reached them.
        not_real: those skipped because a number is not REAL: the parameter, the gradient (a sum
            that overflowed), or the result, a new value or moment.
        masked: the gradients with the status MASKED.
        dropped: those with the status DROPPED.
        saturated: those with the status SATURATED.
        unknown_status: those that came as plain numbers, without a status.

    Examples:
        >>> from zeroproof import TRNode
        >>> from zeroproof.optim import SGD
        >>> w = [TRNode.parameter(0.0), TRNode.parameter(1.0)]
        >>> optimizer = SGD(w, lr=0.1, masked="skip")
        >>> (1.0 / w[0]).backward()
        >>> (w[1] * w[1]).backward()
        >>> print(optimizer.step())
        1 updated, 1 skipped, 1 masked
    """

    updated: int = 0
    skipped: int = 0
    without_gradient: int = 0
    not_real: int = 0
    masked: int = 0
    dropped: int = 0
    saturated: int = 0
    unknown_status: int = 0

    def __add__(self, other: StepReport) -> StepReport:
        if not isinstance(other, StepReport):
            return NotImplemented
        return StepReport(*[a + b for a, b in zip(astuple(self), astuple(other))])

    def __str__(self) -> str:
        counts = [
            f"{count} {name.replace('_', ' ')}" for name, count in asdict(self).items() if count
        ]
        return ", ".join(counts) or "nothing to update"
