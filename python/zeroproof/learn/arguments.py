"""The arguments of ``zeroproof learn``, and which of them go together."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, Optional, Union

from ..rational._noise import NAMES
from .text import InputError
from .train import MODES

__all__ = ["DEFAULT_EPOCHS", "add_arguments", "columns", "join_negative_values", "settle"]

DEFAULT_EPOCHS = 600
DEFAULT_DEGREE = (3, 2)
DEFAULT_MODE = "hybrid"
HIGHEST_DEGREE = 20
VALUE_OPTIONS = ("--degree", "--epochs", "--seed")

DESCRIPTION = """\
Fits y = P(x)/Q(x) to samples of a function with poles, and reports coefficients and poles with
their standard errors.

Without a file it learns the inverse Jacobian of a two-link robot arm near its singular pose, which
has a pole at elbow angle 0. A file has two columns, x and y, with or without a header, separated by
comma, semicolon, tab or space; of a file with more, --x, --y and --sigma choose columns by name, or
by number from 1. It may be packed by gzip; - is standard input. Give the file before --x and --y.

Method fit, the default, is least squares in the metric of the noise, as fit_rational does it. The
degree is found, or given as --degree N/M. A y of inf or -inf says that there is a pole at this x,
and nan that the value is unknown. Several columns x or y are fitted by a RationalModel of the total
degree --degree, with one Q for all y.

Method train, which --mode or --epochs choose too, minimises a chordal distance by gradients in a
gradient mode. A y that is not finite is excluded from its loss and counted. Training ends early
when the fit is exact or when four starts have reached the best loss. Ctrl-C ends it with a report
of the fit so far.

The report, about ten lines without --verbose, goes to stdout, progress to stderr: of the fit only
if it is a terminal.

Exit codes: 0 done, 2 bad input, 130 ended by Ctrl-C.
"""


def degree(text: str) -> Union[str, tuple[int, int]]:
    """``3/2`` as (3, 2), or ``auto``; raises ArgumentTypeError for an invalid degree."""
    if text.strip() == "auto":
        return "auto"
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} makes no sense; give the degrees of P and Q as two whole numbers, like 3/2, "
            "or auto"
        )
    top, bottom = int(match[1]), int(match[2])
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
    parser.add_argument(
        "data", nargs="?", metavar="DATA.csv", help="the samples; - for standard input"
    )
    _add_columns(parser.add_argument_group("columns"))
    _add_fit(parser.add_argument_group("method"))
    _add_output(parser.add_argument_group("output"))


def _add_columns(group: argparse._ArgumentGroup) -> None:
    for name in ("x", "y"):
        what = f"the column {name}, or several"
        group.add_argument(f"--{name}", nargs="+", action="append", metavar="COLUMN", help=what)
    group.add_argument(
        "--sigma", metavar="COLUMN", help="the column of the standard deviations of y"
    )


def _add_fit(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--method", choices=["fit", "train"], help="default fit; train with --mode or --epochs")
    add(
        "--degree",
        type=degree,
        metavar="auto|N/M",
        help="of P and Q (default auto, with --method train 3/2)",
    )
    add(
        "--loss",
        choices=NAMES,
        help="with --method fit: all but linear, the default, reduce the weight of outliers",
    )
    add(
        "--mode",
        choices=[*MODES, "all"],
        help="train in this gradient mode, or in all one after the other (default hybrid)",
    )
    add(
        "--epochs",
        type=epochs,
        metavar="N",
        help=f"train for so many epochs, for a mode over all its starts (default {DEFAULT_EPOCHS})",
    )
    add("--seed", type=seed, default=0, metavar="N", help="of the starts (default 0)")


def _add_output(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--out", metavar="MODEL.json", help="write the model, for zeroproof predict")
    add("--plot", metavar="FILE.png", help="write a plot (needs matplotlib)")
    add("--json", action="store_true", help="write the whole report as JSON")
    add("--verbose", "-v", action="store_true", help="report coefficients and statistics too")


def columns(groups: Optional[list[list[str]]]) -> Optional[list[str]]:
    """The columns of an option that may be given several times."""
    return None if groups is None else [name for names in groups for name in names]


def settle(arguments: Any) -> None:
    """Fills in the method and the defaults that depend on it.

    Raises:
        InputError: for options that do not go together.
    """
    trains = [name for name in ("mode", "epochs") if getattr(arguments, name) is not None]
    if arguments.method is None:
        arguments.method = "train" if trains else "fit"
    if arguments.method == "fit" and trains:
        raise InputError(f"--{trains[0]} is for --method train; leave one of them out")
    if arguments.data is None:
        for name in ("x", "y", "sigma"):
            if getattr(arguments, name) is not None:
                raise InputError(f"--{name} needs DATA.csv, which is to be given before it")
    if arguments.method == "train":
        _settle_training(arguments)
    else:
        arguments.degree = arguments.degree or "auto"
        arguments.loss = arguments.loss or "linear"


def _settle_training(arguments: Any) -> None:
    for name in ("sigma", "loss", "out"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name} is for --method fit; leave --mode and --epochs out")
    if arguments.degree == "auto":
        raise InputError("--degree auto is for --method fit; give the degree as N/M")
    if arguments.degree is not None and arguments.degree[1] == 0:
        raise InputError(
            f"--degree {arguments.degree[0]}/0 has no pole; with --method train the degree of Q, "
            "the second number, must be at least 1"
        )
    arguments.degree = arguments.degree or DEFAULT_DEGREE
    arguments.mode = arguments.mode or DEFAULT_MODE
    arguments.epochs = arguments.epochs or DEFAULT_EPOCHS


def join_negative_values(arguments: Sequence[str]) -> list[str]:
    """``--degree -1/2`` as ``--degree=-1/2``, so that the error concerns the value."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in VALUE_OPTIONS and re.match(r"-\.?\d", argument):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined
