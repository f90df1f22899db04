"""Fits of rational models: what they find, what they leave out, and what they record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zeroproof import GradientMode, GradientModeConfig, HybridGradientSchedule, RationalModel
from zeroproof.models._linearised import Linear, solve
from zeroproof.models._losses import LOSSES, loss_of, losses, slopes
from zeroproof.models._steps import DampedSteps

MODES = ["mask-real", "saturating", "hybrid"]


def data(samples: int = 400, noise: float = 0.0) -> tuple[Any, Any]:
    """Two outputs with a pole on the line a = b."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-2, 3, (samples, 2))
    y = np.stack([1 + x[:, 0], x[:, 1] ** 2], axis=1) / (x[:, 0] - x[:, 1])[:, None]
    return x, y + noise * rng.normal(size=y.shape)


def pole_along(model: RationalModel, b: float) -> float:
    """Where Q vanishes for the second input b, next to a = b."""
    a = np.linspace(b - 0.5, b + 0.5, 2001)
    q = model.denominator_at(np.stack([a, np.full_like(a, b)], axis=1))[:, 0]
    [crossing] = np.flatnonzero(np.sign(q[1:]) != np.sign(q[:-1]))
    slope = (q[crossing + 1] - q[crossing]) / (a[1] - a[0])
    return float(a[crossing] - q[crossing] / slope)


class TestLevenbergMarquardt:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("features", ["polynomial", "chebyshev"])
    def test_an_exact_rational_function(self, features: str, mode: str) -> None:
        model = RationalModel(2, 2, (2, 1), features=features)
        x, y = data()
        history = model.fit(x, y, mode=mode)
        # 1e-10 of the targets, whose rounding errors next to the pole are 1e-14 of them.
        assert np.abs(model.predict(x) - y).max() < 1e-10 * np.abs(y).max()
        assert abs(pole_along(model, 0.5) - 0.5) < 1e-10
        assert (history.method, history.mode) == ("lm", mode)
        assert len(history.loss) == len(history.validation_loss) == history.epochs + 1

    def test_from_a_start_that_is_not_linearised(self) -> None:
        x = np.random.default_rng(0).uniform(-1, 1, (100, 2))
        y = (1 + x[:, :1] * x) / (1.5 + x[:, :1] - 0.4 * x[:, 1:])
        for seed in range(3):
            model = RationalModel(2, 2, (2, 1), seed=seed)
            history = model.fit(x, y, start="current", method="lm")
            assert history.loss[0] > 1e-2
            assert np.abs(model.predict(x) - y).max() < 1e-10

    def test_noise_is_averaged(self) -> None:
        x, y = data(2000, noise=0.01)
        model = RationalModel(2, 2, (2, 1))
        history = model.fit(x, y)
        clean = data(2000)[1]
        # 12 + 3 coefficients, one of them the scale, from 3200 numbers: 0.01²·14/3200.
        assert np.square(model.predict(x) - clean).mean() < 3 * 1e-4 * 14 / 3200
        assert 0.5e-4 < history.loss[history.best_epoch] < 1.5e-4

    def test_denominators_of_their_own(self) -> None:
        x, _ = data()
        y = np.stack([1 / (x[:, 0] - 0.4), x[:, 0] / (x[:, 1] + 0.3)], axis=1)
        model = RationalModel(2, 2, (1, 1), shared_denominator=False)
        model.fit(x, y)
        assert np.abs(model.predict(x) - y).max() < 1e-10 * np.abs(y).max()

    def test_sigma_weighs(self) -> None:
        x = np.linspace(0, 1, 200)
        y = np.where(x < 0.5, 1.0, 2.0)
        sigma = np.where(x < 0.5, 1e-6, 1.0)
        model = RationalModel(1, 1, (0, 0))
        model.fit(x, y, sigma=sigma, validation=0.0)
        assert abs(model.predict([0.0]).item() - 1.0) < 1e-9

    @pytest.mark.parametrize("loss", ["huber", "soft_l1", "cauchy"])
    def test_outliers(self, loss: str) -> None:
        # An outlier next to the pole would fix the pole.
        x, clean = data()
        apart = np.abs(x[:, 0] - x[:, 1]) > 0.2
        x, clean = x[apart], clean[apart]
        y = clean.copy()
        y[::10] += 5.0
        model = RationalModel(2, 2, (2, 1))
        model.fit(x, y, loss=loss, sigma=0.01, validation=0.0, epochs=300)
        squared = RationalModel(2, 2, (2, 1))
        squared.fit(x, y, sigma=0.01, validation=0.0)
        errors = [np.median(np.abs(m.predict(x) - clean)) for m in (model, squared)]
        assert errors[0] < 0.02
        assert errors[0] < errors[1] / 10

    def test_targets_at_the_pole_point_to_it(self) -> None:
        # All samples lie on one side, a few of them on the pole: these alone show where it is.
        x = np.linspace(1.0, 2.0, 41)
        y = np.full(41, np.inf)
        y[1:] = 1 / (x[1:] - 1.0) ** 2
        y[5] = np.nan
        model = RationalModel(1, 1, (0, 2))
        history = model.fit(x, y, validation=0.0)
        assert history.masked[-1] >= 2
        assert np.abs(model.denominator_at([[1.0]])).max() < 1e-10
        assert np.nanmax(np.abs(model.predict(x)[1:, 0] * (x[1:] - 1) ** 2 - 1)) < 1e-8


class TestAdam:
    @pytest.mark.parametrize("mode", MODES)
    def test_reaches_a_smooth_function(self, mode: str) -> None:
        rng = np.random.default_rng(0)
        x = rng.uniform(-1, 1, (600, 2))
        y = (1 + x[:, 0]) / (3 + x[:, 1])
        model = RationalModel(2, 1, (1, 1))
        history = model.fit(x, y, method="adam", mode=mode, epochs=150, batch_size=64, lr=0.02)
        assert history.validation_loss[history.best_epoch] < 1e-5
        assert np.square(model.predict(x)[:, 0] - y).mean() < 1e-5
        assert history.stopped_by == "epochs"

    def test_a_sample_at_the_pole_of_the_model_is_masked(self) -> None:
        model = RationalModel(1, 1, (0, 1), domain=[(-1, 1)])
        model.denominator[...] = [0.0, 1.0]
        x = np.array([0.0, 0.5, 1.0, -1.0])
        history = model.fit(
            x, 1 / (x + 2), method="adam", mode="mask-real", epochs=1, validation=0.0
        )
        assert history.masked[0] == 1

    def test_saturated_batches_are_counted(self) -> None:
        x, y = data(100)
        counts = {}
        for mode in MODES:
            model = RationalModel(2, 2, (2, 1))
            history = model.fit(x, y, method="adam", mode=mode, epochs=3, batch_size=10)
            counts[mode] = history.saturated
        assert counts["mask-real"] == [0, 0, 0, 0]
        assert counts["saturating"] == [0, 8, 8, 8]

    def test_the_seed_decides(self) -> None:
        x, y = data(100)
        fits = []
        for seed in (1, 1, 2):
            model = RationalModel(2, 2, (2, 1))
            model.fit(x, y, method="adam", epochs=3, seed=seed)
            fits.append(model.numerator)
        np.testing.assert_array_equal(fits[0], fits[1])
        assert (fits[0] != fits[2]).any()


class TestProgress:
    def test_auto_takes_adam_for_large_problems(self) -> None:
        x = np.random.default_rng(0).uniform(-1, 1, (110_000, 1))
        history = RationalModel(1, 1, (120, 120)).fit(x, x, epochs=0)
        assert history.method == "adam"

    def test_patience(self) -> None:
        x, y = data(200)
        model = RationalModel(2, 2, (2, 1))
        history = model.fit(x, y, method="adam", lr=0.0, epochs=50, patience=4)
        assert (history.epochs, history.best_epoch, history.stopped_by) == (4, 0, "patience")

    def test_the_best_epoch_is_kept(self) -> None:
        x, y = data(200)
        model = RationalModel(2, 2, (2, 1))
        start = RationalModel(2, 2, (2, 1))
        history = model.fit(x, y, method="adam", start="linearised", lr=0.5, epochs=5)
        start.fit(x, y, method="adam", start="linearised", epochs=0)
        assert history.best_epoch == 0
        np.testing.assert_array_equal(model.numerator, start.numerator)
        assert "adam in hybrid mode: 5 epochs" in str(history)

    def test_the_state_of_the_process_is_restored(self) -> None:
        x, y = data(100)
        before = GradientModeConfig.get_mode(), GradientModeConfig.get_local_threshold()
        for mode in MODES:
            RationalModel(2, 2, (2, 1)).fit(x, y, mode=mode, epochs=2)
        after = GradientModeConfig.get_mode(), GradientModeConfig.get_local_threshold()
        assert before == after == (GradientMode.MASK_REAL, None)

    def test_a_schedule_of_ones_own(self) -> None:
        x, y = data(200)
        schedule = HybridGradientSchedule(delta_init=1e3, delta_final=1e3, transition_epochs=1)
        model = RationalModel(2, 2, (2, 1))
        history = model.fit(
            x, y, method="lm", mode=GradientMode.HYBRID, schedule=schedule, validation=0.0
        )
        assert history.saturated[1] == 400

    @pytest.mark.parametrize("method", ["lm", "adam"])
    def test_the_pole_of_one_input_is_explored(self, method: str) -> None:
        schedule = HybridGradientSchedule(transition_epochs=20)
        x = np.linspace(-1, 1, 201)
        model = RationalModel(1, 1, (0, 1), domain=[(-1, 1)])
        model.denominator[...] = [-0.5, 1.0]
        model.fit(x, 1 / (x - 0.301), method=method, start="current", schedule=schedule, epochs=2)
        assert schedule.get_exploration_regions(0) == []
        assert any(low <= 0.5 <= high for low, high in schedule.get_exploration_regions(1))

    def test_the_domain_is_that_of_the_first_data(self) -> None:
        x, y = data(100)
        model = RationalModel(2, 2, (2, 1))
        model.fit(x, y, epochs=0)
        assert model.domain == tuple(zip(x.min(axis=0), x.max(axis=0)))
        model.fit(x / 2, y, epochs=0)
        assert model.domain == tuple(zip(x.min(axis=0), x.max(axis=0)))

    @pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150])
    @pytest.mark.parametrize("method", ["lm", "adam"])
    def test_targets_of_extreme_sizes_give_finite_coefficients(
        self, method: str, scale: float
    ) -> None:
        x = np.linspace(0, 1, 50)
        y = scale * np.where(x > 0.5, 1.0, 1e-3)
        model = RationalModel(1, 1, (1, 1))
        model.fit(x, y, method=method, epochs=3)
        assert np.isfinite(model.numerator).all()
        assert np.isfinite(model.denominator).all()

    def test_a_constant_input(self) -> None:
        x = np.stack([np.linspace(0, 1, 50), np.full(50, 3.0)], axis=1)
        model = RationalModel(2, 1, (1, 1))
        model.fit(x, 1 / (x[:, 0] + 1))
        assert np.abs(model.predict(x)[:, 0] - 1 / (x[:, 0] + 1)).max() < 1e-10


class TestParts:
    @pytest.mark.parametrize("loss", LOSSES)
    def test_losses_of_nodes_and_arrays_agree(self, loss: str) -> None:
        from zeroproof import TRNode

        residuals = np.array([-1e8, -3.0, -1.0, -0.5, 1e-4, 0.9, 7.0])
        for residual in residuals:
            node = TRNode.parameter(residual)
            value = loss_of(node, loss)
            value.backward()
            expected = losses(np.array([residual]), loss)[0]
            assert value.item() == pytest.approx(expected, rel=1e-7)
            # The least squares problem with these weights has the same gradient.
            slope = 2 * residual * slopes(np.array([residual]), loss)[0]
            assert float(node.gradient) == pytest.approx(slope, rel=1e-7)

    def test_steps_solve_the_damped_problem(self) -> None:
        rng = np.random.default_rng(0)
        jacobian = rng.normal(size=(30, 4)) * [1.0, 1e3, 1e-3, 1.0]
        residuals = rng.normal(size=30)
        steps = DampedSteps(jacobian, residuals)
        for damping in (0.0, 1e-3, 2.0):
            scale = np.sqrt(damping) * np.diag(np.linalg.norm(jacobian, axis=0))
            expected = np.linalg.lstsq(
                np.concatenate([jacobian, scale]), -np.concatenate([residuals, np.zeros(4)]), None
            )[0]
            np.testing.assert_allclose(steps.step(damping), expected, rtol=1e-10)

    def test_steps_leave_null_directions_alone(self) -> None:
        column = np.arange(1.0, 6.0)
        steps = DampedSteps(np.stack([column, -column, 0 * column], axis=1), column)
        np.testing.assert_allclose(steps.step(0.0), [-0.5, 0.5, 0.0], atol=1e-14)

    def test_the_linearised_solution_has_no_bias_to_a_small_denominator(self) -> None:
        # Noise in y enters P − y·Q times Q: with ‖q‖ = 1 a small Q would look good.
        rng = np.random.default_rng(1)
        x = rng.uniform(-0.1, 0.1, 4000)
        top, bottom = np.ones((4000, 1)), np.stack([np.ones(4000), x], axis=1)
        y = (1 / (1 + x) + 0.1 * rng.normal(size=4000))[:, None]
        numerator, denominator = solve(Linear(top, bottom, y, np.ones_like(y)), np.ones_like(y))
        # The slope is known to 0.1/(0.1/√3·√4000), three standard deviations.
        assert abs(denominator[1] / denominator[0] - 1.0) < 3 * np.sqrt(3 / 4000)
        assert numerator[0, 0] / denominator[0] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"x": np.ones((5, 3))}, ValueError, r"x must have the shape \(samples, 2\)"),
        ({"x": np.full((5, 2), np.inf)}, ValueError, "x must be finite"),
        ({"x": np.array([["a", "b"]] * 5)}, TypeError, "x must be real numbers"),
        ({"y": np.ones((4, 2))}, ValueError, r"y must have the shape \(5, 2\)"),
        ({"y": np.full((5, 2), np.nan)}, ValueError, "y has no row that is finite"),
        ({"y": np.full((5, 2), 1e200)}, ValueError, "y is too large to be squared"),
        ({"sigma": 0.0}, ValueError, "sigma must be positive and finite"),
        ({"sigma": np.ones(4)}, ValueError, "sigma must be a number, one for each"),
        ({"method": "sgd"}, ValueError, "method must be one of 'auto', 'lm', 'adam'"),
        ({"start": 1}, ValueError, "start must be one of"),
        ({"loss": "l2"}, ValueError, "loss must be one of"),
        ({"mode": "exact"}, ValueError, "mode must be one of 'mask-real'"),
        ({"validation": 1.0}, ValueError, "validation must be a share"),
        ({"validation": None}, TypeError, "validation must be a number"),
        ({"x": np.ones((2, 2)), "y": np.ones((2, 2))}, ValueError, "x and y have 2 rows with a"),
        ({"y": np.array([[1, 1]] * 3 + [[np.inf, 1]] * 2)}, ValueError, "have 3 rows with a fin"),
        ({"validation": 0.99}, ValueError, "validation=0.99 leaves 1 of 5 rows to fit"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0"),
        ({"patience": 0}, ValueError, "patience must be at least 1"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be a whole number"),
        ({"schedule": 3}, TypeError, "schedule must be a HybridGradientSchedule, not int"),
        ({"seed": None}, TypeError, "seed must be a whole number"),
        ({"lr": "high", "method": "adam"}, TypeError, "lr must be a number"),
    ],
)
def test_bad_arguments(settings: Any, error: type[Exception], message: str) -> None:
    arguments: Any = {"x": np.ones((5, 2)), "y": np.ones((5, 2)), **settings}
    with pytest.raises(error, match=message):
        RationalModel(2, 2, (1, 1)).fit(arguments.pop("x"), arguments.pop("y"), **arguments)
