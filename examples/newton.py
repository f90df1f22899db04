"""Finds equilibria of charges on a line by Newton's method with exact second derivatives.

Charges in a bowl repel each other: the energy has a pole wherever two of them meet. A Newton step
may jump over such a pole, to where the energy is lower and means nothing. The step is halved until
the charges keep their order and the energy falls; where two of them meet it is +∞ and no error.

Run: python examples/newton.py
"""

import numpy as np

from zeroproof import check_gradient, tr_hessian, tr_value_and_grad

COUNT = 6


def energy(x):
    """Half the square of each position, and the inverse distance of each pair."""
    total = (x * x).sum() / 2
    for k in range(1, COUNT):
        total = total + (1 / (x[k:] - x[:-k])).sum()
    return total


value_and_grad, hessian = tr_value_and_grad(energy), tr_hessian(energy)


def newton(x):
    """The stationary point, how many steps led to it, and how often a step was halved."""
    halved = 0
    for steps in range(50):
        value, gradient = value_and_grad(x)
        if np.abs(gradient).max() < 1e-12:
            return x, steps, halved
        direction, size = -np.linalg.solve(hessian(x), gradient), 1.0
        while True:
            new = x + size * direction
            if (np.diff(new) > 0).all() and float(value_and_grad(new)[0]) <= float(value):
                break
            size, halved = size / 2, halved + 1
        x = new
    raise RuntimeError("no equilibrium after 50 steps")


def main():
    x = np.array([-4.0, -3.9, 0.0, 0.1, 3.0, 9.0])
    print(f"second derivatives right at the start: {check_gradient(energy, x, order=2).ok}")
    x, steps, halved = newton(x)
    print(f"equilibrium after {steps} steps, halved {halved} times: {x.round(6) + 0.0}")
    print(f"smallest eigenvalue of the Hessian: {np.linalg.eigvalsh(hessian(x))[0]:.6f}")


if __name__ == "__main__":
    main()
