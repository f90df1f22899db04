"""Finds the analytic centre of a polygon with scipy.optimize.minimize.

The centre is where the sum of the logarithms of the distances to the sides is largest. Outside of
the polygon a distance is negative and its logarithm Φ. A line search does try points there: the
function that it is given has no exception to raise and no NaN to return, whatever the point.

Run: python examples/polygon_center.py (needs SciPy)
"""

import numpy as np
from scipy.optimize import minimize

from zeroproof import is_real, tr_log, tr_value_and_grad

# a·x ≤ b for each side of a triangle: x ≥ 0, y ≥ 0, x + y ≤ 1. Its centre is (1/3, 1/3).
SIDES = [((-1.0, 0.0), 0.0), ((0.0, -1.0), 0.0), ((1.0, 1.0), 1.0)]


def barrier(point):
    """Minus the sum of the logarithms of the distances; Φ outside."""
    x, y = point
    total = 0.0
    for (a, c), b in SIDES:
        total = total - tr_log(b - a * x - c * y)
    return total


value_and_grad = tr_value_and_grad(barrier)
outside = []


def objective(point):
    """The value as a float and its gradient as an array, as minimize takes them for ``jac=True``.

    Outside the gradient is 0 with status MASKED, and an infinite value sends the line search back.
    """
    value, gradient = value_and_grad(point)
    if not is_real(value):
        outside.append(point)
        return np.inf, gradient
    return float(value), gradient


def main():
    for start in (0.01, 0.01), (0.9, 0.05), (0.3, 0.3):
        outside.clear()
        # BFGS searches on after an infinite value; L-BFGS-B stops there and reports success.
        found = minimize(objective, start, jac=True, method="BFGS")
        x, y = found.x
        print(
            f"from {start}: centre ({x:.4f}, {y:.4f}) after {found.nfev} evaluations, "
            f"{len(outside)} of them outside"
        )


if __name__ == "__main__":
    main()
