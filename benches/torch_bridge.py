"""What ``zeroproof.torch`` costs beside the engine called directly: per call and per sample.

    python benches/torch_bridge.py

Times are the best of several runs, in microseconds per call at 1 sample, and in nanoseconds per
sample at 10⁵; the function has a pole and a logarithm, and no sample lies on a pole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from bridge_costs import Cases, of_engine, print_table, ratio

from zeroproof import torch as zeroproof_torch

SAMPLES = 100_000


def cases(x: np.ndarray, w: np.ndarray) -> Cases:
    """The calls to compare."""
    found = of_engine(x, w)
    inputs = torch.from_numpy(x).requires_grad_(), torch.from_numpy(w).requires_grad_()
    for where in ("host", "replay"):
        function = zeroproof_torch.function(ratio, (0, None), nan_policy="fill", device=where)

        def values(function: Any = function) -> Any:
            with torch.no_grad():
                return function(*inputs)

        def gradients(function: Any = function) -> Any:
            return torch.autograd.grad(function(*inputs).sum(), inputs)

        found[f"values, {where}"] = values
        found[f"gradients, {where}"] = gradients
    return found


def main() -> None:
    """Prints the table."""
    print_table(cases, SAMPLES, (200, 3))


if __name__ == "__main__":
    main()
