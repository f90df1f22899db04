"""What ``zeroproof.torch`` costs beside the engine called directly: per call and per sample.

    python benches/torch_bridge.py [--device cuda] [--samples 100000]

Times are the best of several runs, in microseconds per call at 1 sample, and in nanoseconds per
sample at 10⁵; the function has a pole and a logarithm, and no sample lies on a pole. "PyTorch" is
the same formula in tensor operations, whose gradients are NaN at poles.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
import torch
from bridge_costs import Cases, of_engine, print_table, ratio

from zeroproof import torch as zeroproof_torch


def plain(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """The function in tensor operations."""
    return w[0] * x / (x - 1.0) + torch.log(x) * w[1]


def cases(device: str, x: np.ndarray, w: np.ndarray) -> Cases:
    """The calls to compare."""
    found = of_engine(x, w)
    inputs = [torch.tensor(each, device=device, requires_grad=True) for each in (x, w)]
    functions: dict[str, Any] = {
        where: zeroproof_torch.function(ratio, (0, None), nan_policy="fill", device=where)
        for where in ("host", "replay")
    }
    functions["PyTorch"] = plain
    for name, function in functions.items():

        def values(function: Any = function) -> Any:
            with torch.no_grad():
                return waited(device, function(*inputs))

        def gradients(function: Any = function) -> Any:
            return waited(device, torch.autograd.grad(function(*inputs).sum(), inputs))

        found[f"values, {name}"] = values
        found[f"gradients, {name}"] = gradients
    if device == "cuda":
        found["gradients, captured"] = captured(found["gradients, replay"])
    return found


def captured(work: Any) -> Any:
    """The replay's operations as one CUDA graph, launched at once."""
    aside = torch.cuda.Stream()
    with torch.cuda.stream(aside):
        for _ in range(3):
            work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=aside):
        work()
    return lambda: waited("cuda", graph.replay())


def waited(device: str, results: Any) -> Any:
    """The results once they are there."""
    if device == "cuda" and not torch.cuda.is_current_stream_capturing():
        torch.cuda.synchronize()
    return results


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args()
    print_table(partial(cases, options.device), options.samples, (200, 3))


if __name__ == "__main__":
    main()
