"""Correct digits on the nonlinear regression problems of NIST StRD.

``python benches/nist.py [folder]``: the folder has NIST's files; without it those of the tests.
Prints, for each problem and published start, the correct digits (LRE) of the worst parameter and
standard error with default settings, and how often the model was evaluated; then the same from
starts that are disturbed by 20 %, as a measure of robustness.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.nist import FOLDER, MODELS, correct_digits, read
from zeroproof import least_squares

DISTURBED = 5


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    names = [name for name in MODELS if (folder / f"{name}.dat").exists()]
    print(f"{'problem':10} start  digits  of stderr  evaluations  gradients  iterations      ms")
    worst = 11.0
    for name in names:
        problem = read(name, folder)
        for number, start in enumerate(problem.starts, 1):
            begin = time.perf_counter()
            fit = least_squares(problem.model, problem.x, problem.y, start)
            took = 1e3 * (time.perf_counter() - begin)
            digits = correct_digits(list(fit.params.values()), problem.certified).min()
            errors = correct_digits(list(fit.stderr.values()), problem.stderr).min()
            worst = min(worst, float(digits))
            print(
                f"{name:10} {number:5}  {digits:6.2f}  {errors:9.2f}  {fit.nfev:11}  {fit.njev:9}"
                f"  {fit.iterations:10}  {took:6.1f}{'' if fit.success else '  ' + fit.message}"
            )
    print(f"worst of {2 * len(names)}: {worst:.2f} digits\n")
    print("disturbed starts: fits of which the sum of squares is the certified one")
    rng = np.random.default_rng(0)
    for name in names:
        problem = read(name, folder)
        found = claimed = 0
        for _ in range(DISTURBED):
            for start in problem.starts:
                moved = {key: value * np.exp(0.2 * rng.normal()) for key, value in start.items()}
                fit = least_squares(problem.model, problem.x, problem.y, moved)
                is_found = fit.sse <= problem.sse * (1 + 1e-6) + 1e-20
                found += is_found
                claimed += fit.success and not is_found
        other = f", {claimed} in other minima" if claimed else ""
        print(f"{name:10} {found:3} of {2 * DISTURBED}{other}")


if __name__ == "__main__":
    main()
