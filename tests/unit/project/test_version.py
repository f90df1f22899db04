"""The version, with and without the records of an installer."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import zeroproof
from zeroproof import _native


def test_the_native_module_has_the_version_of_the_package() -> None:
    assert zeroproof.__version__ == importlib.metadata.version("zeroproof-autodiff")
    assert _native.__version__ == zeroproof.__version__


def test_a_copy_that_was_not_installed(tmp_path: Path) -> None:
    package = Path(zeroproof.__file__).parent
    copy = tmp_path / "zeroproof"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(str(_native.__file__), copy)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import zeroproof
print(zeroproof.__file__)
print(zeroproof.__version__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    where, version = done.stdout.splitlines()
    assert Path(where).parent == copy
    assert version == _native.__version__
