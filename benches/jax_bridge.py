"""What ``zeroproof.jax`` costs beside the engine called directly: per call and per sample.

    python benches/jax_bridge.py

Times are the best of several runs, in microseconds per call at 1 sample, and in nanoseconds per
sample at 10⁶; the function has a pole and a logarithm, and no sample lies on a pole.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from bridge_costs import Cases, of_engine, print_table, ratio

from zeroproof import jax as zeroproof_jax

SAMPLES = 1_000_000


def cases(x: np.ndarray, w: np.ndarray) -> Cases:
    """The calls to compare."""
    ours = {
        device: zeroproof_jax.function(ratio, (0, None), device=device) for device in (False, True)
    }
    found = of_engine(x, w)
    on_jax, parameters = jnp.asarray(x), jnp.asarray(w)
    for device, function in ours.items():
        values = jax.jit(function)
        total = jax.jit(jax.value_and_grad(lambda w, x, f=function: f(x, w)[0].sum(), (0, 1)))
        where = "device" if device else "host"
        found[f"values, {where}"] = lambda f=values: jax.block_until_ready(f(on_jax, parameters))
        found[f"gradients, {where}"] = lambda f=total: jax.block_until_ready(f(parameters, on_jax))
    return found


def main() -> None:
    """Prints the table."""
    jax.config.update("jax_enable_x64", True)
    print_table(cases, SAMPLES, (300, 7))


if __name__ == "__main__":
    main()
