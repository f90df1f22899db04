"""``zeroproof.jax`` where JAX is not installed."""

from __future__ import annotations

import subprocess
import sys


def test_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['jax'] = None; import zeroproof.jax"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert 'pip install "zeroproof-autodiff[jax]"' in done.stderr


def test_the_package_does_without() -> None:
    code = "import sys; import zeroproof; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
