"""Fits a rational function with a pole by Adam, in Mask-REAL and in Hybrid mode.

The data are y = (1 + x/2) / (1 - 2.5x): a pole at x = 0.4, where the instrument reads infinity. The
model has the same form, so the pole of the model has to move to that of the data, past samples at
which the loss has poles of its own. Where it starts decides how far it has to go.

Run: python examples/rational_fit.py
"""

import numpy as np

from zeroproof import GradientMode, HybridGradientSchedule, gradient_mode, tr_log1p, tr_vmap
from zeroproof.optim import Adam, StepReport

EPOCHS = 500
POLE = 0.4


def loss(p, q, x, y):
    """The Cauchy loss of the residual: next to a pole residuals are large, as outliers are."""
    residual = (p[0] + p[1] * x) / (1.0 + q * x) - y
    return tr_log1p(residual * residual)


# One program for all samples; x is the coordinate in which the engine reports poles.
batched = tr_vmap(loss, in_axes=(None, None, 0, 0), coordinate="x")


def measurements():
    x = np.linspace(-1.0, 1.0, 201)
    y = (1.0 + 0.5 * x) / (1.0 - 2.5 * x)
    y[np.abs(y) > 1e6] = np.inf  # out of the instrument's range: one sample, at the pole
    return x, y


def fit(mode, start, x, y):
    """The pole that a model finds whose own pole starts at ``start``, and what the steps did."""
    p, q = np.zeros(2), np.array(-1.0 / start)
    optimizer = Adam((p, q), lr=lambda step: 0.1 / (1.0 + step / 20.0))
    # Bounded gradients within delta of a pole: for every sample at first, so that the pole can move
    # past the samples, and for those next to it in the end, so that the fit is not biased.
    schedule = HybridGradientSchedule(
        delta_init=1.0, delta_final=1e-4, transition_epochs=300, adaptive_delta=False
    )
    total = StepReport()
    for epoch in range(EPOCHS):
        is_hybrid = mode == "hybrid"
        with schedule.apply(epoch) if is_hybrid else gradient_mode(GradientMode.MASK_REAL):
            _, gradients, statuses = batched.value_and_grad(
                p, q, x, y, argnums=(0, 1), reduce="mean", with_status=True
            )
        # The gradients are means over the samples whose loss is REAL. A status is the union over
        # all samples, and the one at the pole is never REAL, so "skip" would skip every step.
        total += optimizer.step(gradients, statuses)
    return -1.0 / float(q), total


def main():
    x, y = measurements()
    print(f"pole of the data: {POLE}, {EPOCHS} epochs of Adam")
    print(f"{'start':>6}{'mask-real':>12}{'hybrid':>12}")
    found = {"mask-real": 0, "hybrid": 0}
    for start in (0.15, 0.3, 0.5, 0.7, 0.9):
        poles, reports = zip(*[fit(mode, start, x, y) for mode in found])
        for mode, pole in zip(found, poles):
            found[mode] += abs(pole - POLE) < 1e-3
        print(f"{start:6.2f}{poles[0]:12.5f}{poles[1]:12.5f}")
    print(f"found: {found['mask-real']} of 5 by mask-real, {found['hybrid']} of 5 by hybrid")
    for mode, report in zip(found, reports):
        print(f"last fit by {mode}: {report}")


if __name__ == "__main__":
    main()
