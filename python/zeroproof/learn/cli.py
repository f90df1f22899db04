"""The command ``zeroproof learn``."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, Optional

from . import plot, report
from .data import Dataset, read_csv
from .robotics import two_link_arm
from .train import MODES, Fit, train

__all__ = ["EXIT_BAD_INPUT", "EXIT_INTERRUPTED", "add_arguments", "join_negative_values", "learn"]

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
DEFAULT_EPOCHS = 600
HIGHEST_DEGREE = 20
SECONDS_BETWEEN_LINES = 2.0
LINES_PER_RUN = 12
VALUE_OPTIONS = ("--degree", "--epochs", "--seed")

DESCRIPTION = """\
Fits y = P(x)/Q(x) to samples of a function with poles, and reports the poles.

Without a file it learns the inverse Jacobian of a two-link robot arm near its singular pose, which
has a pole at elbow angle 0. A file has two columns, x and y, with or without a header, separated by
comma, semicolon, tab or space. A y of nan, inf or -inf marks a row whose target is not finite: it
is excluded from the loss and counted.

Progress goes to stderr and the report to stdout. Training ends early when the fit is exact or when
four starts have reached the best loss. Ctrl-C ends it with a report of the fit so far.

Exit codes: 0 done, 2 bad input, 130 ended by Ctrl-C.
"""


def degree(text: str) -> tuple[int, int]:
    """``3/2`` as (3, 2); raises ArgumentTypeError for an invalid degree."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} makes no sense; give the degrees of P and Q as two whole numbers, like 3/2"
        )
    top, bottom = int(match[1]), int(match[2])
    if bottom == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} has no pole; the degree of Q, the second number, must be at least 1"
        )
    if max(top, bottom) > HIGHEST_DEGREE:
        raise argparse.ArgumentTypeError(
            f"{text!r} is too high; degrees up to {HIGHEST_DEGREE} can be computed in doubles"
        )
    return top, bottom


def _whole(text: str, least: int) -> int:
    if not re.fullmatch(r"[-+]?\d{1,18}", text.strip(), re.ASCII) or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"{text[:30]!r} makes no sense; give a whole number from {least} up"
        )
    return int(text)


def epochs(text: str) -> int:
    """A number of epochs, at least 1."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """A seed, at least 0."""
    return _whole(text, 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``learn``."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", nargs="?", metavar="DATA.csv", help="the samples")
    parser.add_argument(
        "--degree", type=degree, default=(3, 2), metavar="N/M", help="of P and Q (default 3/2)"
    )
    parser.add_argument(
        "--mode",
        choices=[*MODES, "all"],
        default="hybrid",
        help="the gradient mode, or all one after the other (default hybrid)",
    )
    parser.add_argument(
        "--epochs",
        type=epochs,
        default=DEFAULT_EPOCHS,
        metavar="N",
        help=f"the most epochs for a mode, over all its starts (default {DEFAULT_EPOCHS})",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of the starts (default 0)"
    )
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.add_argument("--plot", metavar="FILE.png", help="write a plot (needs matplotlib)")


def join_negative_values(arguments: Sequence[str]) -> list[str]:
    """``--degree -1/2`` as ``--degree=-1/2``, so that the error concerns the value."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in VALUE_OPTIONS and re.match(r"-\.?\d", argument):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


class _Lines:
    """Progress on stderr: about a dozen lines a run, and one every two seconds."""

    def __init__(self, total: int) -> None:
        self.every = max(1, total // LINES_PER_RUN)
        self.total = total
        self.last = time.monotonic()

    def __call__(self, fit: Fit, delta: Optional[float]) -> None:
        now = time.monotonic()
        due = fit.epochs == 1 or fit.epochs % self.every == 0 or fit.epochs == self.total
        if not due and now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        poles = ", ".join(f"{pole.x:.6g}" for pole in fit.model.poles()) or "none"
        suffix = f"  delta {delta:.1e}" if delta is not None and fit.mode == "hybrid" else ""
        _note(
            f"{fit.mode:<10}  epoch {fit.epochs}/{self.total}  start {fit.starts}"
            f"  best loss {fit.loss:.3e}  poles {poles}{suffix}"
        )


def learn(arguments: Any) -> int:
    """Runs the command and returns its exit code.

    Raises:
        InputError: for invalid input.
    """
    if arguments.plot is not None:
        plot.check(arguments.plot)
    data: Dataset = two_link_arm() if arguments.data is None else read_csv(arguments.data)
    top, bottom = arguments.degree
    data.require_rows(top + bottom + 1)
    fits: list[Fit] = []
    for mode in MODES if arguments.mode == "all" else [arguments.mode]:
        lines = _Lines(arguments.epochs)
        fit = train(data, arguments.degree, mode, arguments.epochs, arguments.seed, lines)
        fits.append(fit)
        _note(f"{mode:<10}  {fit.epochs} epochs in {fit.seconds:.2f} s")
        if fit.stopped_by == "interrupt":
            break
    found = report.build(data, arguments.degree, arguments.seed, arguments.epochs, fits)
    text = report.as_json(found) + "\n" if arguments.json else report.as_text(found)
    _write(text)
    if arguments.plot is not None:
        plot.draw(arguments.plot, data, fits)
        _note(f"plot in {arguments.plot}")
    return EXIT_INTERRUPTED if found["interrupted"] else 0


def _note(text: str) -> None:
    """Writes a line to stderr, if the process has one."""
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


def _write(text: str) -> None:
    """Writes to stdout, if the process has one, which may lack characters of a file name."""
    if sys.stdout is None:
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
