"""Draws the pictures of the guides: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zeroproof import (
    HybridGradientContext,
    HybridGradientSchedule,
    TRNode,
    TRPolicy,
    TRPolicyConfig,
    plot,
    tr_vmap,
)

HERE = Path(__file__).parent


def reciprocal(x: TRNode) -> TRNode:
    """1/x."""
    return 1.0 / x


def training() -> list[dict[str, Any]]:
    """The statistics of 40 epochs of a model 1/(x - p), whose samples gather at p half-way."""
    step = tr_vmap(lambda x, p: 1.0 / (x - p), in_axes=(0, None))
    schedule = HybridGradientSchedule(warmup_epochs=5, force_pole_exploration=False)
    rng = np.random.default_rng(3)
    records = []
    TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=0.01, tau_Q_off=0.03))
    for epoch in range(40):
        width = 0.03 if 15 <= epoch < 22 else 0.5
        x = 0.4 + rng.normal(0.0, width, 200)
        if epoch % 9 == 4:
            x[0] = 0.4  # on the pole
        with schedule.apply(epoch):
            step.value_and_grad(x, 0.4, argnums=1, reduce="mean")
            records.append(HybridGradientContext.get_statistics())
            HybridGradientContext.end_batch_policy_update()
    TRPolicyConfig.set_policy(None)
    return records


def main() -> None:
    """Writes docs/gradient_through_a_pole.png and docs/training_history.png."""
    figure = plot.modes(reciprocal, -1.0, 1.0, delta=0.3, bound=0.2)
    figure.savefig(HERE / "gradient_through_a_pole.png", dpi=80)
    figure = plot.history(training())
    figure.savefig(HERE / "training_history.png", dpi=70)


if __name__ == "__main__":
    main()
