"""What PyTorch and JAX compute today for the reports of docs/famous_bugs.md, as a table.

python docs/elsewhere.py

Needs PyTorch and JAX, which the project itself does not; the page holds what this printed.
"""

from __future__ import annotations

import math
import platform
import warnings
from typing import Any, Callable

import jax
import jax.numpy as jnp
import torch

jax.config.update("jax_enable_x64", True)
INF, NAN = math.inf, math.nan
Case = tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]

CASES: list[Case] = [
    (
        "1. where(x > 2, log2 x, 2x)",
        lambda x: torch.where(x > 2, torch.log2(x), 2 * x),
        lambda x: jnp.where(x > 2, jnp.log2(x), 2 * x),
        ([0.0, 2.0, 3.0],),
    ),
    (
        "2. where(x > 0, 0, eˣ)",
        lambda x: torch.where(x > 0, 0.0, torch.exp(x)),
        lambda x: jnp.where(x > 0, 0.0, jnp.exp(x)),
        (1e10,),
    ),
    (
        "3. where(x > 0, √x, x)",
        lambda x: torch.where(x > 0, torch.sqrt(x), x),
        lambda x: jnp.where(x > 0, jnp.sqrt(x), x),
        ([-1.0, -4.0],),
    ),
    (
        "4. where(r > ½, r, 1)",
        lambda x: torch.where(torch.sqrt((x**2).sum()) > 0.5, torch.sqrt((x**2).sum()), 1.0),
        lambda x: jnp.where(jnp.sqrt((x**2).sum()) > 0.5, jnp.sqrt((x**2).sum()), 1.0),
        ([0.0, 0.0],),
    ),
    (
        "5. where(x ≥ 0, α·log x, 0)",
        lambda a: torch.where(torch.tensor(False), a * torch.log(torch.tensor(-2.0)), 0.0),
        lambda a: jnp.where(False, a * jnp.log(-2.0), 0.0),
        (1.0,),
    ),
    ("6. norm at 0", lambda x: x.norm(), jnp.linalg.norm, ([0.0, 0.0],)),
    ("7. norm² at 0", lambda x: x.norm() ** 2, lambda x: jnp.linalg.norm(x) ** 2, ([0.0, 0.0],)),
    ("8. norm at (1e-200, 0)", lambda x: x.norm(), jnp.linalg.norm, ([1e-200, 0.0],)),
    ("9. std of equal numbers", lambda x: x.std(), jnp.std, ([1.0, 1.0, 1.0],)),
    ("10. 1/(1/x)", lambda x: 1 / (1 / x), lambda x: 1 / (1 / x), (0.0,)),
    ("11. x·x^½", lambda x: x * x**0.5, lambda x: x * x**0.5, (0.0,)),
    ("12. atan2(0, 0)", torch.atan2, jnp.arctan2, (0.0, 0.0)),
    ("13. sinc at 1e-9", torch.sinc, jnp.sinc, (1e-9,)),
    ("14. xlogy(0, 2)", torch.xlogy, jax.scipy.special.xlogy, (0.0, 2.0)),
    (
        "15. logsumexp(−∞, −∞)",
        lambda x: torch.logsumexp(torch.stack([torch.tensor(-INF), -INF + x]), 0),
        lambda x: jax.nn.logsumexp(jnp.stack([-jnp.inf, -jnp.inf + x])),
        (1.0,),
    ),
    ("16. 0·acos x", lambda x: 0 * torch.acos(x), lambda x: 0 * jnp.arccos(x), (1.0,)),
    (
        "17. nansum(b·(1, 2, NaN))",
        lambda b: torch.nansum(b * torch.tensor([1.0, 2.0, NAN])),
        lambda b: jnp.nansum(b * jnp.array([1.0, 2.0, NAN])),
        (1.0,),
    ),
    (
        "18. log(eˣ + 1)",
        lambda x: torch.log(torch.exp(x) + 1),
        lambda x: jnp.log(jnp.exp(x) + 1),
        (1000.0,),
    ),
    (
        "19. 0 ** 0, exponent an array",
        lambda x: x ** torch.tensor([0.0]),
        lambda x: jnp.power(x, jnp.array([0.0])),
        ([0.0],),
    ),
    ("20. x·math.sin(x)", lambda x: x * math.sin(x), lambda x: x * math.sin(x), (2.0,)),
]


def of_torch(function: Callable[..., Any], points: tuple[Any, ...]) -> list[Any]:
    """The gradients by PyTorch."""
    given = [torch.tensor(point, dtype=torch.float64, requires_grad=True) for point in points]
    function(*given).sum().backward()
    return [point.grad.tolist() for point in given if point.grad is not None]


def of_jax(function: Callable[..., Any], points: tuple[Any, ...]) -> list[Any]:
    """The gradients by JAX."""
    places = tuple(range(len(points)))
    gradients = jax.grad(lambda *x: jnp.sum(function(*x)), argnums=places)
    return [gradient.tolist() for gradient in gradients(*map(jnp.array, points))]


def shown(compute: Callable[..., list[Any]], *arguments: Any) -> str:
    """Gradients or the kind of error, in short."""
    try:
        gradients = compute(*arguments)
    except Exception as error:
        return type(error).__name__
    numbers = [number for g in gradients for number in (g if isinstance(g, list) else [g])]
    return ", ".join(f"{number + 0.0:.4g}" for number in numbers)


def main() -> None:
    """Prints the table."""
    warnings.simplefilter("ignore")
    print(f"PyTorch {torch.__version__.split('+')[0]}, JAX {jax.__version__}, float64, CPU,")
    print(f"Python {platform.python_version()}\n")
    print("| gradient of | PyTorch | JAX |\n| --- | --- | --- |")
    for name, in_torch, in_jax, points in CASES:
        print(f"| {name} | {shown(of_torch, in_torch, points)} | {shown(of_jax, in_jax, points)} |")


if __name__ == "__main__":
    main()
