"""A rational function as a value: every kind of argument, derivatives, source text, files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from zeroproof import (
    Rational,
    TRArray,
    TRNode,
    TRScalar,
    fit_rational,
    from_ieee,
    real,
    tr_grad,
    tr_vmap,
)

RNG = np.random.default_rng(5)
X = np.sort(RNG.uniform(-2.0, 3.0, 120))
Y = (X**2 - 1.0) / ((X - 0.5) * (X * X + 1.0)) + RNG.normal(0.0, 1e-3, 120)
FIT = fit_rational(X, Y, (2, 3))
CONSTANT = Rational([2.0], [1.0], (0.0, 1.0))
SQUARE = Rational([0.0, 0.0, 1.0], [1.0], (-1.0, 1.0))
#: 1/u: exactly infinite at 0.
POLE = Rational([1.0], [0.0, 1.0], (-1.0, 1.0))
PLACES = [-2.0, -0.3, 0.5, 0.499, 1.0, 7.0]


@pytest.mark.parametrize("function", [FIT, FIT.derivative(), CONSTANT, SQUARE, POLE])
def test_the_same_bits_for_every_kind(function):
    values = function(np.array(PLACES))
    assert values.dtype == np.float64
    traced = tr_vmap(function)(np.array(PLACES))
    for place, value, other in zip(PLACES, values.tolist(), traced.to_ieee().tolist()):
        assert function(place) == value
        assert isinstance(function(place), float)
        assert function(np.float64(place)) == value
        assert function(real(place)) == from_ieee(value)
        assert isinstance(function(real(place)), TRScalar)
        node = function(TRNode.parameter(place))
        assert isinstance(node, TRNode)
        assert node.value == value
        assert other == value
    assert isinstance(function(TRArray(PLACES)), TRArray)
    np.testing.assert_array_equal(function(TRArray(PLACES)).to_ieee(), values)
    np.testing.assert_array_equal(function(PLACES), values)
    np.testing.assert_array_equal(function(np.reshape(PLACES, (2, 3))), values.reshape(2, 3))
    nodes = np.array([TRNode.parameter(each) for each in PLACES], object)
    assert [each.value for each in function(nodes)] == values.tolist()


def test_a_pole_is_infinite_and_phi_is_nan():
    assert POLE(0.0) == math.inf
    assert math.isnan(POLE(math.nan))
    np.testing.assert_array_equal(POLE(np.array([0.0, 0.5])), [np.inf, 2.0])
    assert str(POLE(real(0.0))) == "+∞"
    assert POLE(np.empty(0)).shape == (0,)
    node = TRNode.parameter(0.0)
    value = POLE(node)
    value.backward()
    assert (node.gradient.value, node.gradient_status.name) == (0.0, "MASKED")


@pytest.mark.parametrize("function", [FIT, SQUARE, POLE, FIT.derivative()])
def test_the_derivative_is_that_of_the_tape(function):
    derivative = function.derivative()
    for place in (-1.7, -0.3, 0.4, 2.6):
        slope = tr_grad(function)(place).item()
        assert derivative(place) == pytest.approx(slope, rel=1e-11, abs=1e-11)
    assert derivative.order == function.order + 1


def test_poles_of_the_derivative_are_double_and_have_no_residue():
    derivative = FIT.derivative()
    np.testing.assert_array_equal(derivative.poles, np.repeat(FIT.poles, 2))
    np.testing.assert_array_equal(derivative.residues, np.zeros(6))
    assert derivative.degree == (4, 6)
    assert np.isnan(derivative.stderr.poles.real).all()
    with pytest.raises(ValueError, match="there is no covariance"):
        _ = derivative.covariance
    a, b = derivative.coefficients
    at = np.linspace(-2.0, 3.0, 12)
    value = np.polynomial.polynomial.polyval(at, a) / np.polynomial.polynomial.polyval(at, b)
    np.testing.assert_allclose(derivative(at), value, rtol=1e-11)


def test_coefficients_poles_zeros_and_residues_are_those_of_the_function():
    a, b = FIT.coefficients
    at = np.linspace(-2.0, 3.0, 50)
    polyval = np.polynomial.polynomial.polyval
    np.testing.assert_allclose(polyval(at, a) / polyval(at, b), FIT(at), rtol=1e-11)
    assert (len(a), len(b), b[0]) == (3, 4, 1.0)
    assert FIT.degree == (2, 3)
    np.testing.assert_allclose(polyval(FIT.poles, b), 0.0, atol=1e-13)
    np.testing.assert_allclose(polyval(FIT.zeros, a), 0.0, atol=1e-13)
    # Partial fractions are the function: P has a lower degree than Q.
    terms = FIT.residues / (at[:, None] - FIT.poles)
    np.testing.assert_allclose(terms.sum(axis=1).real, FIT(at), rtol=1e-11)
    assert FIT.real_poles.tolist() == FIT.poles.real[FIT.poles.imag == 0.0].tolist()
    assert FIT.poles[1] == FIT.poles[2].conjugate()


def test_a_pole_at_zero_takes_another_normalisation():
    x = np.linspace(-1.0, 1.0, 100)
    y = (1.0 + x) / (x * (x + 3.0)) + np.random.default_rng(0).normal(0.0, 1e-3, 100)
    fit = fit_rational(np.append(x, 0.0), np.append(y, np.inf), (1, 2))
    a, b = fit.coefficients
    assert 1.0 in b.tolist()
    assert abs(b[0]) < 1e-12
    polyval = np.polynomial.polynomial.polyval
    np.testing.assert_allclose(polyval(x, a) / polyval(x, b), fit(x), rtol=1e-10)
    assert fit.covariance.shape == (4, 4)


@pytest.mark.parametrize("function", [FIT, FIT.derivative(), CONSTANT, SQUARE])
def test_source_text(function):
    scope = {}
    exec(function.to_python("model"), scope)
    at = np.array([-2.0, -0.3, 0.499, 1.0, 7.0])
    np.testing.assert_allclose(scope["model"](at), function(at), rtol=1e-14)
    assert scope["model"](0.25) == pytest.approx(function(0.25), rel=1e-14)
    assert "import" not in function.to_python()


def test_source_text_needs_a_name():
    for name in ("2x", "a b", "lambda", ""):
        with pytest.raises(ValueError, match="name must be a Python identifier"):
            FIT.to_python(name)


def test_files_keep_every_bit(tmp_path):
    path = tmp_path / "fit.json"
    FIT.save(path)
    again = Rational.load(str(path))
    np.testing.assert_array_equal(again(X), FIT(X))
    assert again.summary() == FIT.summary()
    assert again.record == FIT.record
    np.testing.assert_array_equal(again.covariance, FIT.covariance)
    first = path.read_text(encoding="utf-8")
    again.save(path)
    assert path.read_text(encoding="utf-8") == first
    content = json.loads(first)
    assert (content["format"], content["version"]) == ("zeroproof.Rational", 1)
    FIT.derivative().save(path)
    assert Rational.load(path).order == 2
    np.testing.assert_array_equal(Rational.load(path)(X), FIT.derivative()(X))


def test_a_file_of_a_sum_of_squares_that_overflows(tmp_path):
    fit = fit_rational(X, Y * 1e300, (2, 3))
    assert fit.sse == math.inf
    fit.save(tmp_path / "fit.json")
    assert Rational.load(tmp_path / "fit.json").sse == math.inf


def test_files_that_are_none(tmp_path):
    path = tmp_path / "no.json"
    cases = {
        "text": "is not JSON",
        "[1]": "was not written by Rational.save",
        '{"format": "zeroproof.Rational", "version": 2}': "version 2 of the format",
        '{"format": "zeroproof.Rational", "version": 1}': "is no complete Rational",
    }
    for text, message in cases.items():
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            Rational.load(path)
    with pytest.raises(FileNotFoundError):
        Rational.load(tmp_path / "missing.json")


def test_what_is_no_rational_function():
    for arguments, message in [
        (([], [1.0], (0.0, 1.0)), "numerator must be a list of finite coefficients"),
        (([1.0], [math.nan], (0.0, 1.0)), "denominator must be a list of finite coefficients"),
        (([1.0], [0.0, 0.0], (0.0, 1.0)), "denominator has no coefficient that is not 0"),
        (([1.0], [1.0], (1.0, 1.0)), "interval must be two numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            Rational(*arguments)


def test_without_a_fit():
    assert math.isnan(SQUARE.sse)
    assert (SQUARE.dof, SQUARE.warnings) == (0, ())
    assert math.isnan(SQUARE.standard_error(0.5))
    assert SQUARE.summary().startswith("Rational function of degree 2/0 on [-1, 1]")
    np.testing.assert_allclose(SQUARE.zeros.real, [-(0.5**0.5), 0.5**0.5], rtol=1e-15)


def test_standard_errors_are_those_of_the_delta_method():
    """Against differences of what follows from moved coefficients."""
    root = FIT.spread
    theta = np.concatenate([FIT.numerator, FIT.denominator])

    def moved(change):
        new = theta + change
        return Rational(new[:3], new[3:], FIT.interval, _frame=FIT._frame)

    def quantities(fit):
        complexes = np.concatenate([fit.poles, fit.residues, fit.zeros])
        plain = np.concatenate([*fit.coefficients, fit([0.1, 0.4])])
        return np.concatenate([complexes.real, complexes.imag, plain])

    step = 1e-3
    columns = [
        (quantities(moved(step * column)) - quantities(moved(-step * column))) / (2.0 * step)
        for column in root.T
    ]
    expected = np.linalg.norm(columns, axis=0)
    errors = FIT.stderr
    complexes = np.concatenate([errors.poles, errors.residues, errors.zeros])
    plain = np.concatenate([*errors.coefficients, FIT.standard_error([0.1, 0.4])])
    found = np.concatenate([complexes.real, complexes.imag, plain])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9 * expected.max())


def test_the_picture():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = FIT.plot()
    above, below = figure.axes
    assert (above.get_ylabel(), below.get_ylabel(), below.get_xlabel()) == ("y", "residual", "x")
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert labels == ["data", "fit", "pole"]
    curve = next(line for line in above.lines if line.get_label() == "fit")
    assert np.isnan(curve.get_ydata()).sum() == 1  # the gap at the pole
    given = Figure()
    assert SQUARE.plot(figure=given) is given
    assert len(given.axes) == 1
    with pytest.raises(TypeError, match="figure must be a matplotlib Figure"):
        FIT.plot(figure=3)
    weighted = fit_rational(X, Y, (2, 3), sigma=1e-3)
    assert weighted.plot().axes[1].get_ylabel() == "residual / σ"
