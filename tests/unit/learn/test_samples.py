"""Samples under a model: batched residuals and gradients against a graph for each sample."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import GradientStatus, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sum
from zeroproof.core import ReductionMode, TRTag
from zeroproof.learn.data import Dataset
from zeroproof.learn.model import Frame
from zeroproof.learn.robotics import two_link_arm
from zeroproof.learn.samples import Samples, residual
from zeroproof.learn.train import MODES, SATURATION_BOUND, _schedule

X = np.linspace(-1.0, 1.0, 41)
TARGETS = 1.0 / (X - 0.33)
TARGETS[[7, 17, 27]] = np.inf, np.nan, -np.inf
KEPT_OUT = 3
POINTS = {
    "ordinary": [0.3, -0.2, 0.6, 0.7, -0.4],
    "a sample at the pole": [0.3, -0.2, -0.5, 0.75, 0.5],
    "0/0": [-0.5, 1.0, -0.5, 1.0, 0.0],
    "near the pole": [0.3, 1.0, 1e-9, -1.0, 0.0],
    "P overflows": [0.3, 1e308, 1e308, 1.0, 1e-3],
    "Q overflows": [0.3, 1.0, 1.0, 1e308, 1.5e308],
    "nothing but poles": [1.0, 1.0, 0.0, 0.0, 0.0],
}


def samples_of(x=X, y=TARGETS, degree=(1, 2)):
    return Samples(Dataset("samples", x, y), Frame(0.0, 1.0, 1.0), degree)


def block(mode):
    if mode == "hybrid":
        return _schedule().apply(0)
    return gradient_mode(MODES[mode], SATURATION_BOUND)


def measured():
    return HybridGradientContext.get_statistics(), HybridGradientContext.detected_poles()


def by_graph(samples, coefficients):
    """What linearise computes, and the residuals, from nodes; every REAL sample is one pass."""
    parameters = [TRNode.parameter(value) for value in coefficients.tolist()]
    quotients = [samples.quotient(parameters, TRNode.input(u)) for u in samples.u.tolist()]
    outer = [TRNode.parameter(quotient.value) for quotient in quotients]
    rows = zip(outer, samples.v.tolist(), samples.weight.tolist())
    residuals = [residual(f, v, weight) for f, v, weight in rows]
    with gradient_mode(GradientMode.MASK_REAL):
        # A sum passes each residual the adjoint 1: the gradients are those of the residuals.
        tr_sum(residuals, ReductionMode.DROP_NONREAL).backward()
    jacobian, masked, saturated = [], 0, 0
    for quotient, f, node in zip(quotients, outer, residuals):
        if node.tag is not TRTag.REAL:
            masked += 1
            continue
        for parameter in parameters:
            parameter.zero_grad()
        quotient.backward(float(f.gradient))
        jacobian.append([float(parameter.gradient) for parameter in parameters])
        status = GradientStatus.EXACT
        for parameter in parameters:
            status |= parameter.gradient_status
        masked += GradientStatus.MASKED in status
        saturated += GradientStatus.SATURATED in status
    values = np.array([node.item() for node in residuals])
    return values, np.array(jacobian).reshape(-1, len(parameters)), masked, saturated


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("coefficients", POINTS.values(), ids=list(POINTS))
def test_the_same_bits_counts_and_statistics_as_a_graph_for_each_sample(coefficients, mode):
    samples, coefficients = samples_of(), np.array(coefficients)
    at = samples.evaluate(coefficients)
    with block(mode):
        HybridGradientContext.reset_statistics()
        linear = samples.linearise(at)
        by_batch = measured()
    with block(mode):
        HybridGradientContext.reset_statistics()
        residuals, jacobian, masked, saturated = by_graph(samples, coefficients)
        assert measured() == by_batch
    assert np.array_equal(at.residuals, residuals, equal_nan=True)
    assert np.array_equal(linear.jacobian, jacobian)
    assert np.array_equal(linear.residuals, residuals[np.isfinite(residuals)])
    assert (linear.masked, linear.saturated) == (masked, saturated)


def test_the_points_reach_every_outcome():
    counts = {}
    for mode in MODES:
        for name, coefficients in POINTS.items():
            samples = samples_of()
            with block(mode):
                linear = samples.linearise(samples.evaluate(np.array(coefficients)))
            counts[name, mode] = (linear.masked, linear.saturated)
    assert counts["ordinary", "mask-real"] == (KEPT_OUT, 0)
    assert counts["ordinary", "saturating"] == (KEPT_OUT, 41 - KEPT_OUT)
    assert counts["a sample at the pole", "mask-real"] == (KEPT_OUT + 1, 0)
    assert counts["nothing but poles", "saturating"] == (41, 0)
    assert 0 < counts["near the pole", "hybrid"][1] < 41 - KEPT_OUT
    assert counts["Q overflows", "mask-real"][0] > KEPT_OUT


def test_decisions_near_the_pole_know_where_they_were():
    with block("hybrid"):
        samples = samples_of()
        samples.linearise(samples.evaluate(np.array([0.3, 1.0, -0.301, 1.0, 0.0])))
        assert HybridGradientContext.detected_poles() == [pytest.approx(0.3)]


def test_trials_decide_and_count_nothing():
    samples = samples_of()
    with block("hybrid"):
        HybridGradientContext.reset_statistics()
        before = HybridGradientContext.get_statistics()
        samples.evaluate(np.array(POINTS["near the pole"]))
        assert HybridGradientContext.get_statistics() == before


def test_residuals_of_the_arm_are_chords():
    data = two_link_arm()
    samples = Samples(data, Frame.of(data), (3, 2))
    at = samples.evaluate(np.random.default_rng(4).normal(size=7))
    assert np.isnan(at.residuals[data.x == 0.0]).all()
    assert np.nanmax(np.abs(at.residuals)) <= 1.0
    assert at.real.sum() == 299
    assert at.loss == pytest.approx(np.nanmean(at.residuals**2), rel=1e-14)


def test_the_loss_without_a_real_residual_is_infinite():
    at = samples_of().evaluate(np.array(POINTS["nothing but poles"]))
    assert not at.real.any()
    assert at.loss == np.inf


def test_the_jacobian_is_that_of_the_residuals():
    samples = samples_of(X[X != 0.3], 1.0 / (X[X != 0.3] - 0.3), degree=(2, 2))
    coefficients = np.array([0.3, -0.2, 0.5, 0.6, 0.7, -0.4])
    linear = samples.linearise(samples.evaluate(coefficients))
    step = 1e-7
    for k in range(6):
        shift = np.eye(6)[k] * step
        difference = samples.evaluate(coefficients + shift).residuals
        difference = difference - samples.evaluate(coefficients - shift).residuals
        assert linear.jacobian[:, k] == pytest.approx(difference / (2 * step), abs=1e-5)
