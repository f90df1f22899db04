"""The command ``zeroproof completion``: scripts with which shells complete its arguments.

The scripts are static: the package that writes them, shtab, is needed once, and not to complete.
"""

from __future__ import annotations

import argparse
from typing import Any

from .output import write
from .text import InputError

__all__ = ["SHELLS", "add_arguments", "completion"]

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")

DESCRIPTION = """\
Writes the script with which a shell completes commands, options and file names:

  bash        zeroproof completion bash > ~/.local/share/bash-completion/completions/zeroproof
  zsh         zeroproof completion zsh > DIRECTORY/_zeroproof, with a DIRECTORY of $fpath
  fish        zeroproof completion fish > ~/.config/fish/completions/zeroproof.fish
  tcsh        zeroproof completion tcsh >> ~/.tcshrc
  powershell  zeroproof completion powershell >> $PROFILE

This takes the package shtab: pip install "zeroproof-autodiff[completion]". The script does not.

Exit codes: 0 done, 2 bad input.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``completion``."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def completion(shell: str, parser: argparse.ArgumentParser) -> int:
    """Writes the script for the arguments of a parser and returns the exit code.

    Raises:
        InputError: if the script cannot be made.
    """
    try:
        import shtab
    except ImportError:
        raise InputError(
            'needs the package shtab: pip install "zeroproof-autodiff[completion]"'
        ) from None
    if shell not in shtab.SUPPORTED_SHELLS:
        raise InputError(f"shtab {shtab.__version__} knows no {shell}: a later version does")
    _complete_files(parser, shtab.FILE)
    write(shtab.complete(parser, shell) + "\n")
    return 0


def _complete_files(parser: argparse.ArgumentParser, file: Any) -> None:
    """Has file names completed where the help says MODEL.json, FILE or the like."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _complete_files(each, file)
        elif isinstance(action.metavar, str) and (
            action.metavar == "FILE" or "." in action.metavar
        ):
            action.complete = file  # type: ignore[attr-defined]
