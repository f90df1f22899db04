"""The command ``zeroproof learn``."""

from __future__ import annotations

import time
from typing import Any, Optional

from . import fit, plot, report, several
from .arguments import columns, settle
from .data import Dataset
from .output import Progress, check_writable, note, write
from .predict import save
from .robotics import two_link_arm
from .table import Choice, Table, read_table
from .text import InputError
from .train import MODES, Fit, train

__all__ = ["EXIT_BAD_INPUT", "EXIT_INTERRUPTED", "learn"]

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
SECONDS_BETWEEN_LINES = 2.0
LINES_PER_RUN = 12


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
        note(
            f"{fit.mode:<10}  epoch {fit.epochs}/{self.total}  start {fit.starts}"
            f"  best loss {fit.loss:.3e}  poles {poles}{suffix}"
        )


def learn(arguments: Any) -> int:
    """Runs the command and returns its exit code.

    Raises:
        InputError: for invalid input.
    """
    settle(arguments)
    if arguments.plot is not None:
        plot.check(arguments.plot)
    if arguments.out is not None:
        check_writable("--out", arguments.out)
    if arguments.data is None:
        return _learn_one(two_link_arm(), arguments)
    with Progress() as tell:
        tell("reading")
        choice = Choice(columns(arguments.x), columns(arguments.y), arguments.sigma)
        table = read_table(arguments.data, choice)
    if table.x.shape[1] > 1 or table.y.shape[1] > 1:
        return _learn_several(table, arguments)
    return _learn_one(Dataset.of(table), arguments)


def _learn_one(data: Dataset, arguments: Any) -> int:
    return (_fit if arguments.method == "fit" else _train)(data, arguments)


def _fit(data: Dataset, arguments: Any) -> int:
    with Progress() as tell:
        model = fit.fit(data, arguments.degree, arguments.loss, arguments.seed, tell)
        tell("writing the report")
        found = fit.build(data, model, arguments.seed)
    write(
        report.as_json(found) + "\n"
        if arguments.json
        else fit.as_text(found, model, arguments.verbose)
    )
    if arguments.out is not None:
        save(model, arguments.out, [data.x_name], [data.y_name])
        note(f"model in {arguments.out}")
    if arguments.plot is not None:
        plot.draw_fit(arguments.plot, data, model)
        note(f"plot in {arguments.plot}")
    return 0


def _learn_several(table: Table, arguments: Any) -> int:
    if arguments.method == "train":
        raise InputError("--method train takes one column x and one column y")
    if arguments.plot is not None:
        raise InputError("--plot takes one column x and one column y")
    if isinstance(arguments.degree, str):
        raise InputError(
            "--degree auto takes one column x and one column y: give the degree as N/M"
        )
    if arguments.loss not in several.LOSSES:
        known = ", ".join(several.LOSSES)
        raise InputError(
            f"--loss {arguments.loss} takes one x and one y; else it is one of {known}"
        )
    with Progress() as tell:
        tell("fitting")
        model, found = several.fit(table, arguments.degree, arguments.loss, arguments.seed)
    write(
        report.as_json(found) + "\n"
        if arguments.json
        else several.as_text(found, arguments.verbose)
    )
    if arguments.out is not None:
        save(model, arguments.out, table.x_names, table.y_names)
        note(f"model in {arguments.out}")
    return 0


def _train(data: Dataset, arguments: Any) -> int:
    top, bottom = arguments.degree
    data.require_rows(top + bottom + 1)
    fits: list[Fit] = []
    for mode in MODES if arguments.mode == "all" else [arguments.mode]:
        lines = _Lines(arguments.epochs)
        fit = train(data, arguments.degree, mode, arguments.epochs, arguments.seed, lines)
        fits.append(fit)
        note(f"{mode:<10}  {fit.epochs} epochs in {fit.seconds:.2f} s")
        if fit.stopped_by == "interrupt":
            break
    found = report.build(data, arguments.degree, arguments.seed, arguments.epochs, fits)
    write(
        report.as_json(found) + "\n" if arguments.json else report.as_text(found, arguments.verbose)
    )
    if arguments.plot is not None:
        plot.draw(arguments.plot, data, fits)
        note(f"plot in {arguments.plot}")
    return EXIT_INTERRUPTED if found["interrupted"] else 0
