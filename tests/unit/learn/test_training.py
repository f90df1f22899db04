"""The model, an epoch, and poles that are found for real."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig
from zeroproof.learn.data import Dataset
from zeroproof.learn.model import Frame, Rational
from zeroproof.learn.robotics import two_link_arm
from zeroproof.learn.train import MODES, _schedule, _Training, train

UNIT = Frame(0.0, 1.0, 1.0)


def dataset(f, low, high, rows=120, seed=1):
    x = np.random.default_rng(seed).uniform(low, high, rows)
    return Dataset("samples", x, f(x))


def poles_of(fit):
    return sorted(p.x for p in fit.model.poles() if p.inside and not p.cancelled)


def training(data, degree=(1, 1), mode="mask-real"):
    return _Training(data, degree, mode, 10, 0, lambda fit, delta: None)


def test_poles_and_residues_in_the_coordinate_of_the_data():
    # In u: (u + 1)/((u - 0.5)(u + 2)); x = 10 + 4u, y = 3v.
    frame = Frame(10.0, 4.0, 3.0)
    model = Rational(np.array([1.0, 1.0]), np.array([-1.0, 1.5, 1.0]), frame)
    outer, inner = model.poles()
    assert (inner.x, outer.x) == (pytest.approx(12.0), pytest.approx(2.0))
    assert (inner.inside, outer.inside) == (True, False)
    step = 1e-7
    assert inner.residue == pytest.approx(float(model(np.array([inner.x + step]))[0]) * step, 1e-5)
    assert not inner.cancelled
    assert np.isposinf(model(np.array([12.0]))[0])


def test_cancelled_complex_double_and_missing_poles():
    cancelled = Rational(np.array([-0.25, 1.0]), np.array([-0.25, 1.0]), UNIT)
    assert [pole.cancelled for pole in cancelled.poles()] == [True]
    pair = Rational(np.array([1.0]), np.array([1.0, 0.0, 4.0]), Frame(1.0, 2.0, 1.0))
    assert pair.poles() == []
    assert pair.complex_poles() == [pytest.approx(1.0 + 1.0j)]
    double = Rational(np.array([1.0]), np.array([0.09, -0.6, 1.0]), UNIT)
    assert [pole.x for pole in double.poles()] == [pytest.approx(0.3, abs=1e-6)] * 2
    constant = Rational(np.array([1.0]), np.array([1.0, 0.0, 0.0]), UNIT)
    assert constant.poles() == []
    assert constant.complex_poles() == []


@pytest.mark.parametrize("mode", list(MODES))
def test_a_sample_at_the_models_pole_does_not_silence_the_others(mode):
    x = np.linspace(-1.0, 1.0, 21)
    work = training(Dataset("samples", x, x + 2.0), mode=mode)
    u = work.samples.u[4]
    point = work.samples.evaluate(np.array([1.0, 0.0, -u, 1.0]))
    with work._mode_block(_schedule(), 0):
        improved, _ = work._improve(point, 1e-2)
        jacobian = work.samples.linearise(point).jacobian
    assert jacobian.shape == (20, 4)
    assert np.isfinite(jacobian).all()
    assert np.abs(jacobian).sum(axis=0).min() > 0.0
    assert 0.0 < improved.loss < point.loss < 1.0
    assert (work.fit.masked, work.fit.recorded) == (1, 21)


@pytest.mark.parametrize("seed", range(5))
def test_hybrid_mode_recovers_the_pole_of_the_arm(seed):
    fit = train(two_link_arm(), (3, 2), "hybrid", 120, seed)
    assert min(abs(pole) for pole in fit.start_poles) > 0.15
    nearest = min(fit.model.poles(), key=lambda pole: abs(pole.x))
    assert abs(nearest.x) < 1e-4
    assert nearest.residue == pytest.approx(np.cos(0.7), rel=1e-3)


@pytest.mark.parametrize("mode", ["mask-real", "saturating"])
def test_the_other_modes_recover_it_too(mode):
    fit = train(two_link_arm(), (3, 2), mode, 120, 0)
    assert min(abs(pole.x) for pole in fit.model.poles()) < 1e-3


@pytest.mark.parametrize(
    ("low", "high", "poles"),
    [
        (0.0, 3.0, [1.7]),
        (-2.0, 2.0, [-1.1, 0.5]),
        (-2.0, 2.0, [0.0]),
        (1e6, 1e6 + 10, [1e6 + 5]),
        (-1e-9, 3e-9, [1e-9]),
    ],
)
def test_poles_anywhere(low, high, poles):
    width = high - low
    fit = train(
        dataset(lambda x: sum(1e5 * width / (x - pole) for pole in poles), low, high),
        (2, 2),
        "hybrid",
        300,
    )
    assert poles_of(fit) == pytest.approx(poles, rel=0.0, abs=1e-6 * width)


def test_noise_moves_the_pole_a_little():
    noise = np.random.default_rng(8).normal(size=120)
    fit = train(
        dataset(lambda x: (1.0 / (x - 0.5) + x) * (1.0 + 0.02 * noise), -2.0, 2.0),
        (2, 1),
        "hybrid",
        100,
    )
    assert poles_of(fit) == pytest.approx([0.5], abs=5e-3)


def test_rows_with_a_target_that_is_not_real_change_nothing_but_the_counts():
    plain = dataset(lambda x: 1.0 / (x - 0.2) - x, -1.0, 1.0)
    x = np.concatenate([plain.x, [0.2, 0.3, -0.4]])
    y = np.concatenate([plain.y, [np.inf, np.nan, -np.inf]])
    alone = train(plain, (2, 1), "mask-real", 12)
    fit = train(Dataset("with targets", x, y), (2, 1), "mask-real", 12)
    assert fit.model.denominator == pytest.approx(alone.model.denominator, rel=1e-9)
    assert poles_of(fit) == pytest.approx([0.2])
    assert alone.masked_share == 0.0
    assert fit.masked_share == pytest.approx(3 / 123)


@pytest.mark.parametrize("y", [0.0, 5.0, 1e300, 1e-310])
def test_targets_without_a_pole(y):
    x = np.linspace(-1.0, 1.0, 30)
    fit = train(Dataset("flat", x, np.full(30, y)), (1, 1), "hybrid", 60)
    assert fit.model(x) == pytest.approx(y, rel=1e-6, abs=1e-6)
    assert poles_of(fit) == []


def test_targets_from_end_to_end_of_the_doubles():
    x = np.linspace(-1.0, 1.0, 30)
    y = np.where(x > 0.9, 1e308, 1e-300)
    fit = train(Dataset("wide", x * 1e308, y), (1, 1), "hybrid", 10)
    assert np.isfinite(fit.loss)
    far = Dataset("far", np.append(x, 1e308) * 0.5, np.append(y, np.inf))
    assert np.isfinite(train(far, (1, 1), "hybrid", 3).loss)


def test_same_seed_same_bits():
    fits = [train(two_link_arm(), (3, 2), "hybrid", 15, seed) for seed in (3, 3, 4)]
    coefficients = [(f.model.numerator.tolist(), f.model.denominator.tolist()) for f in fits]
    assert coefficients[0] == coefficients[1] != coefficients[2]


def test_the_loss_never_rises_and_epochs_are_a_limit():
    losses = []
    fit = train(
        two_link_arm(), (3, 2), "saturating", 25, 0, lambda fit, delta: losses.append(fit.loss)
    )
    assert len(losses) == fit.epochs == 25
    assert losses == sorted(losses, reverse=True)
    assert fit.stopped_by == "epochs"


def test_it_stops_at_an_exact_fit_and_at_agreement():
    exact = train(dataset(lambda x: 1.0 / (x - 0.4), -1.0, 1.0), (1, 1), "hybrid", 500)
    assert exact.stopped_by == "exact fit"
    assert exact.epochs < 500
    noise = np.random.default_rng(8).normal(size=120)
    noisy = dataset(lambda x: 1.0 / (x - 0.4) + 0.1 * noise, -1.0, 1.0)
    agreed = train(noisy, (1, 1), "mask-real", 500)
    assert agreed.stopped_by == "agreement"
    assert agreed.agreeing >= 4
    assert agreed.epochs < 500


def test_statistics_are_of_one_decision_a_sample():
    fit = train(two_link_arm(), (3, 2), "hybrid", 30)
    assert fit.statistics is not None
    assert fit.statistics["total_gradient_calls"] == 299
    assert 0.0 < fit.statistics["q_min_batch"] == fit.statistics["q_min_epoch"]
    assert fit.statistics["q_p90"] < 3.0
    assert 0.0 < fit.saturated_share < 1.0
    others = {mode: train(two_link_arm(), (3, 2), mode, 3) for mode in ("mask-real", "saturating")}
    assert [fit.statistics for fit in others.values()] == [None, None]
    assert others["mask-real"].saturated_share == 0.0
    assert others["saturating"].saturated_share == pytest.approx(299 / 300)
    assert {fit.masked_share for fit in others.values()} == {1 / 300}


def test_training_leaves_the_mode_of_the_process_alone():
    GradientModeConfig.set_mode(GradientMode.SATURATING)
    GradientModeConfig.set_saturation_bound(0.25)
    GradientModeConfig.set_local_threshold(0.5)
    try:
        for mode in MODES:
            train(two_link_arm(60), (2, 1), mode, 2)
        assert GradientModeConfig.get_mode() is GradientMode.SATURATING
        assert GradientModeConfig.get_saturation_bound() == 0.25
        assert GradientModeConfig.get_local_threshold() == 0.5
    finally:
        GradientModeConfig.reset()


def test_an_interrupt_keeps_the_best_so_far():
    def interrupt(fit, delta):
        if fit.epochs == 6:
            raise KeyboardInterrupt

    whole = train(two_link_arm(), (3, 2), "hybrid", 6)
    fit = train(two_link_arm(), (3, 2), "hybrid", 100, 0, interrupt)
    assert fit.stopped_by == "interrupt"
    assert fit.epochs == 6
    assert fit.loss == whole.loss
    assert GradientModeConfig.get_mode() is GradientMode.MASK_REAL
