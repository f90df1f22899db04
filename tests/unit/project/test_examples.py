"""Every script in ``examples`` runs, without warnings and in seconds, and finds its result."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = {path.name for path in (ROOT / "examples").glob("*.py")}


def run(name: str) -> str:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / name)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def floats(line: str) -> list[float]:
    """The numbers of a line, those within words left out."""
    number = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"
    return [float(found) for found in re.findall(rf"(?<![\w.]){number}(?![\w.])", line)]


def test_every_example_is_tested_and_listed() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) >= 4
    assert {name for name in EXAMPLES if f'run("{name}")' not in source} == set()
    assert {name for name in EXAMPLES if f"](examples/{name})" not in readme} == set()


def test_rational_fit() -> None:
    _, _, *rows, found, masked, saturated = run("rational_fit.py").splitlines()
    poles = [floats(row) for row in rows]
    assert [row[0] for row in poles] == [0.15, 0.3, 0.5, 0.7, 0.9]
    assert [hybrid for _, _, hybrid in poles] == pytest.approx([0.4] * 5, abs=1e-3)
    assert any(abs(mask_real - 0.4) > 0.05 for _, mask_real, _ in poles)
    by_mask_real, five, by_hybrid, _ = floats(found.split(":")[1])
    assert (by_hybrid, five) == (5, 5)
    assert by_mask_real < 5
    assert masked.endswith("1500 updated, 1500 masked")
    assert saturated.endswith("1500 updated, 1500 masked, 1500 saturated")


def test_two_link_arm() -> None:
    _, _, classical, bounded = run("two_link_arm.py").splitlines()
    fastest, largest, last = floats(classical)[-3:]
    assert fastest > 1000
    assert largest > 1
    fastest, largest, last = floats(bounded)[-3:]
    assert fastest < 100
    assert 0.1 <= largest < 0.11  # the goals are up to 0.1 out of reach
    assert last < 1e-3


def test_polygon_center() -> None:
    lines = run("polygon_center.py").splitlines()
    assert len(lines) == 3
    for line in lines:
        assert "centre (0.3333, 0.3333)" in line
        *_, outside = floats(line)
        assert outside >= 1


def test_newton() -> None:
    right, equilibrium, eigenvalue = run("newton.py").splitlines()
    assert right.endswith("True")
    steps, halved, *x = floats(equilibrium)
    assert steps < 20
    assert halved >= 1  # a step jumped over a pole
    assert x == [-each for each in reversed(x)]
    assert len(x) == 6
    assert floats(eigenvalue) == [1.0]  # that of moving all charges alike


def test_why_is_it_zero() -> None:
    norm, log, where, hinge, batch = run("why_is_it_zero.py").strip().split("\n\n")
    assert norm.startswith("norm at zero: d/dx = 0.0 DROPPED, d/dy = 2.0\n")
    assert re.search(r"tr_sqrt\(x \* x \+ y \* y\) at why_is_it_zero.py:\d+ gave sqrt\(0.0\)", norm)
    assert norm.endswith("with tr_norm: d/dx = 0.0 EXACT")
    assert log.startswith("log at the edge: loss Φ, d/dp = 0.0 MASKED\n")
    assert re.search(r"tr_log\(1.0 - p\) at why_is_it_zero.py:\d+ gave log\(0.0\) = Φ", log)
    assert log.endswith("1 skipped, 1 masked")
    assert where == "where: d/dx = 3.0 EXACT"
    assert hinge == "hinge: d/dx = 0.0 EXACT"
    assert batch.startswith("batch: d/dw = 0.75 over the samples [0 2]\n")
    assert re.search(r"w / x at why_is_it_zero.py:\d+ gave 3.0 ÷ 0.0 = \+∞ in sample 1", batch)


def test_torch_layer() -> None:
    pytest.importorskip("torch")
    tensors, layer = run("torch_layer.py").splitlines()
    assert "loss nan, resonance at nan" in tensors
    assert floats(layer)[1:] == [0.6125, 1.0]


def test_jax_function() -> None:
    pytest.importorskip("jax")
    plain, ours = run("jax_function.py").splitlines()
    assert plain.endswith("gradient [nan, nan]")
    value, *gradient = floats(ours)
    assert value == floats(plain)[0]
    assert gradient == [1.3814, 0.3017]  # of the sensors but that at the charge, by hand below


def test_the_gradient_of_the_jax_example_by_hand() -> None:
    axis = [-1.0, -0.5, 0.0, 0.5, 1.0]
    (a, b), (p, q) = (0.5, 0.0), (0.2, -0.1)
    slopes, kept = [0.0, 0.0], 0
    for x in axis:
        for y in axis:
            r = ((x - a) ** 2 + (y - b) ** 2) ** 0.5
            if r == 0.0:
                continue
            reading = 1.0 / ((x - p) ** 2 + (y - q) ** 2) ** 0.5
            common = 2.0 * (1.0 / r - reading) / r**3
            slopes[0] += common * (x - a)
            slopes[1] += common * (y - b)
            kept += 1
    assert [round(slope / kept, 4) for slope in slopes] == [1.3814, 0.3017]
