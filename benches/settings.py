"""Settings of a benchmark on the command line, and the cores that it runs on."""

from __future__ import annotations

import argparse
import os

import zeroproof


def parse(parser: argparse.ArgumentParser, **least: int) -> argparse.Namespace:
    """The settings, none of which may be below the least one."""
    settings = parser.parse_args()
    for name, number in least.items():
        if getattr(settings, name) < number:
            parser.error(f"--{name} must be at least {number}")
    return settings


def confine(settings: argparse.Namespace) -> None:
    """Confines the process and zeroproof to ``settings.threads`` cores, or to those there are."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[: settings.threads]
        os.sched_setaffinity(0, cores)
        settings.threads = len(cores)
    zeroproof.set_num_threads(settings.threads)
