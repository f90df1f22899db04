"""The command ``zeroproof``, also ``python -m zeroproof``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Optional

from . import __version__
from ._build import build_facts
from .learn import cli, completion, predict
from .learn.arguments import add_arguments, join_negative_values
from .learn.text import InputError

__all__ = ["main"]

EXIT_BROKEN_PIPE = 141


class _Version(argparse.Action):
    """``--version``: the version and what the build is, on standard output."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        facts = build_facts()
        width = max(map(len, facts))
        lines = (f"  {name:<{width}}  {fact}\n" for name, fact in facts.items())
        sys.stdout.write(f"zeroproof {__version__}\n{''.join(lines)}")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(cli.EXIT_BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command with these arguments, or those of the process, and returns its exit code.

    0 done, 2 bad input, 130 ended by Ctrl-C, 141 the reader closed the output.
    """
    parser = _Parser(
        prog="zeroproof",
        description="Fits rational functions with poles to tables, and computes their values.",
        epilog="The same as python -m zeroproof.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show the version and what the build is"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    learn = commands.add_parser("learn", help="fit y = P(x)/Q(x) to a table")
    learn.allow_abbrev = False
    add_arguments(learn)
    predicting = commands.add_parser("predict", help="values of a model that learn has written")
    predicting.allow_abbrev = False
    predicting.formatter_class = argparse.RawDescriptionHelpFormatter
    predict.add_arguments(predicting)
    completing = commands.add_parser("completion", help="a script for completion in a shell")
    completing.allow_abbrev = False
    completion.add_arguments(completing)
    name = "zeroproof"
    try:
        arguments = parser.parse_args(join_negative_values(sys.argv[1:] if argv is None else argv))
        name = f"zeroproof {arguments.command}"
        if arguments.command == "completion":
            return completion.completion(arguments.shell, parser)
        return (cli.learn if arguments.command == "learn" else predict.predict)(arguments)
    except SystemExit as stop:  # argparse ends so, after help too
        return stop.code if isinstance(stop.code, int) else 0
    except InputError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return cli.EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return cli.EXIT_INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more at exit: discard that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        print(f"{name}: the output cannot be written ({error.strerror})", file=sys.stderr)
        return cli.EXIT_BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
