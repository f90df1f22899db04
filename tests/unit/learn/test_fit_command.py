"""``zeroproof learn`` as a fit, and ``zeroproof predict``, as they are used."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from zeroproof import Rational, RationalModel, fit_rational
from zeroproof.__main__ import main
from zeroproof.learn import two_link_arm

RNG = np.random.default_rng(5)
X = np.sort(RNG.uniform(-2.0, 2.0, 200))
SIGMA = RNG.choice([1e-3, 1e-2], 200)
Y = (1.0 + X) / (X - 0.7) + SIGMA * RNG.normal(size=200)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "measured.csv"
    rows = [
        f"{k},{a!r},{b!r},{c!r},run {k}" for k, (a, b, c) in enumerate(zip(*lists(X, Y, SIGMA)))
    ]
    path.write_text("\n".join(["no,angle,torque,error,note", *rows]) + "\n")
    return path


def lists(*arrays):
    return [array.tolist() for array in arrays]


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def process(*arguments, stdin=None, binary=None):
    return subprocess.run(
        [sys.executable, "-m", "zeroproof", *map(str, arguments)],
        input=binary if binary is not None else (stdin or "").encode(),
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


COLUMNS = ("--x", "angle", "--y", "torque")


def test_the_fit_is_that_of_fit_rational(table, tmp_path):
    out = tmp_path / "model.json"
    done = process("learn", table, *COLUMNS, "--sigma", "error", "--json", "--out", out)
    assert (done.returncode, done.stderr.decode()) == (0, f"model in {out}\n")
    report = json.loads(done.stdout)
    fit = fit_rational(X, Y, sigma=SIGMA)
    assert report["degree"] == [1, 1] == list(fit.degree)
    assert report["sum_of_squares"] == fit.sse
    assert report["degrees_of_freedom"] == fit.dof
    assert report["columns"] == {"x": "angle", "y": "torque"}
    [pole] = report["poles"]
    assert pole["x"] == fit.real_poles[0]
    assert pole["stderr"][0] == fit.stderr.poles[0].real
    assert pole["residue"][0] == fit.residues[0].real
    assert pole["nearest_row"] == X[np.argmin(np.abs(X - pole["x"]))]
    assert pole["distance"] == pytest.approx(np.abs(X - pole["x"]).min())
    for name in ("numerator", "denominator"):
        found = report["coefficients"][name]
        assert [each["value"] for each in found] == getattr(fit.coefficients, name).tolist()
        errors = getattr(fit.stderr.coefficients, name).tolist()
        assert [each["stderr"] for each in found] == errors
    model = Rational.load(out)
    np.testing.assert_array_equal(model(X), fit(X))
    assert json.loads(out.read_text())["columns"] == {"x": ["angle"], "y": ["torque"]}


def test_the_report_in_words(capsys, table):
    code, out, err = run(capsys, "learn", table, *COLUMNS, "--sigma", "4", "--verbose")
    assert (code, err) == (0, "")
    for words in (
        "200 of 200 rows usable",
        "Rational function of degree 1/1",
        "χ² = ",
        "numerator    1",
        "pole at x = 0.7",
        "nearest row",
        "were refused",
        "by distance to a pole (0.7",
    ):
        assert words in out
    assert " ± " in out


def test_the_report_in_brief(capsys, table):
    _, out, _ = run(capsys, "learn", table, *COLUMNS, "--sigma", "4")
    assert len(out.splitlines()) <= 10
    for words in ("degree 1/1", "χ² = ", "pole at x = 0.7", "largest", "--verbose adds"):
        assert words in out
    assert "numerator" not in out


def test_the_report_in_brief_of_many_poles(capsys):
    _, out, _ = run(capsys, "learn")
    _, full, _ = run(capsys, "learn", "-v")
    poles = [line for line in full.splitlines() if line.startswith("pole ")]
    told = [line for line in out.splitlines() if line.startswith("pole ")]
    assert len(told) == 3
    assert set(told) < set(poles)
    assert "true 0" in told[0]  # that among the data
    assert f"and {len(poles) - 3} more poles" in out


def test_columns_by_number_and_a_degree(capsys, table):
    code, out, _ = run(capsys, "learn", table, "--x", "2", "--y", "3", "--degree", "3/0", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["degree"] == [3, 0]
    assert report["poles"] == []
    assert report["warnings"]


def test_standard_input_and_gzip(table):
    plain = process("learn", table, *COLUMNS, "--json")
    content = table.read_bytes()
    piped = process("learn", "-", *COLUMNS, "--json", binary=content)
    packed = process("learn", "-", *COLUMNS, "--json", binary=gzip.compress(content))
    file = table.with_suffix(".csv.gz")
    file.write_bytes(gzip.compress(content))
    from_file = process("learn", file, *COLUMNS, "--json")
    assert plain.returncode == 0
    reports = [json.loads(each.stdout) for each in (plain, piped, packed, from_file)]
    names = [report["problem"].pop("name") for report in reports]
    assert names == [str(table), "standard input", "standard input", str(file)]
    assert reports[0] == reports[1] == reports[2] == reports[3]


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "chordal"])
def test_losses(capsys, tmp_path, loss):
    y = Y.copy()
    y[::20] += 30.0
    path = tmp_path / "outliers.csv"
    path.write_text("\n".join(f"{a!r} {b!r}" for a, b in zip(*lists(X, y))))
    code, out, _ = run(capsys, "learn", path, "--loss", loss, "--degree", "1/1", "--json")
    report = json.loads(out)
    assert (code, report["loss"]) == (0, loss)
    assert report["poles"][0]["x"] == pytest.approx(0.7, abs=0.02)


def test_marks_are_poles(capsys, tmp_path):
    path = tmp_path / "marked.csv"
    rows = [f"{a!r};{b!r}" for a, b in zip(*lists(X, (1.0 + X) / (X - 0.7)))]
    path.write_text("\n".join([*rows, "0.7;inf", "1.1;nan"]))
    code, out, _ = run(capsys, "learn", path)
    assert code == 0
    assert "200 of 202 rows usable" in out
    assert "1 PINF, 1 PHI" in out
    assert "pole at x = 0.7" in out
    assert "nearest row kept out 0.7" in out


def test_the_arm_in_under_a_second():
    began = time.perf_counter()
    done = process("learn", "--json")
    seconds = time.perf_counter() - began
    report = json.loads(done.stdout)
    assert done.stderr == b""
    [true] = report["true_poles"]
    assert true["error"] < 1e-12
    assert report["exact"]
    assert report["errors"][0]["largest"] < 1e-12
    assert seconds < 20.0  # an idle machine takes half a second
    arm = two_link_arm()
    fit = fit_rational(arm.x[arm.usable], arm.y[arm.usable])  # without the row that says it
    assert np.abs(fit.real_poles).min() < 1e-12


def test_a_plot(capsys, table, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "fit.png"
    code, _, err = run(capsys, "learn", table, *COLUMNS, "--plot", picture)
    assert (code, err) == (0, f"plot in {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000


def test_progress_is_for_terminals(table):
    assert process("learn", table, *COLUMNS).stderr == b""


@pytest.mark.slow
def test_a_million_rows(tmp_path):
    x = RNG.uniform(-2.0, 2.0, 10**6)
    y = (1.0 + x - x**3) / ((x - 0.7) * (x + 1.3)) + 1e-3 * RNG.normal(size=10**6)
    path = tmp_path / "many.csv"
    path.write_text("\n".join(f"{a!r},{b!r}" for a, b in zip(*lists(x, y))))
    began = time.perf_counter()
    done = process("learn", path, "--degree", "3/2", "--json")
    assert time.perf_counter() - began < 30.0  # an idle machine takes under 5 s
    report = json.loads(done.stdout)
    assert [pole["x"] for pole in report["poles"]] == pytest.approx([-1.3, 0.7], abs=1e-9)
    assert report["problem"]["usable_rows"] == 10**6


# Predictions


@pytest.fixture
def model(table, tmp_path):
    path = tmp_path / "model.json"
    assert main(["learn", str(table), *COLUMNS, "--out", str(path)]) == 0
    return path


def numbers(text):
    head, *lines = text.strip().split("\n")
    return head, np.array([[float(cell) for cell in line.split(",")] for line in lines])


def test_predictions_of_a_file(capsys, model, table):
    capsys.readouterr()
    code, out, err = run(capsys, "predict", model, table)
    assert (code, err) == (0, "")
    head, found = numbers(out)
    assert head == "angle,torque,torque_stderr"
    fit = Rational.load(model)
    np.testing.assert_array_equal(found, np.column_stack([X, fit(X), fit.standard_error(X)]))


def test_predictions_from_a_pipe_to_a_file(model, tmp_path):
    out = tmp_path / "values.csv"
    done = process("predict", model, "-", "--out", out, stdin="0.5\n1.5\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    head, found = numbers(out.read_text())
    assert head == "x,torque,torque_stderr"
    assert found[:, 0].tolist() == [0.5, 1.5]


def test_predictions_of_a_column_that_is_named(capsys, model, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("time,place\nnoon,0.5\nnight,1.5\n")
    capsys.readouterr()
    code, out, _ = run(capsys, "predict", model, path, "--x", "place")
    assert code == 0
    assert numbers(out)[1][:, 0].tolist() == [0.5, 1.5]
    code, _, err = run(capsys, "predict", model, path)
    assert code == 2
    assert "the model has 1 inputs, so name as many columns" in err
    assert "'time', 'place'" in err


# Several columns


@pytest.fixture
def several(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, (300, 2))
    pole = x[:, 0] - x[:, 1] ** 2 + 0.01
    y = np.column_stack([x[:, 0], 1.0 + x[:, 1]]) / pole[:, None]
    path = tmp_path / "several.csv"
    rows = [",".join(map(repr, row)) for row in np.column_stack([x, y]).tolist()]
    path.write_text("\n".join(["a,b,u,v", *rows]))
    return path, x, y


def test_several_columns(capsys, several, tmp_path):
    path, x, y = several
    out = tmp_path / "model.json"
    options = ("--x", "a", "b", "--y", "u", "v", "--degree", "1/2")
    code, text, err = run(capsys, "learn", path, *options, "--out", out)
    assert (code, err) == (0, f"model in {out}\n")
    assert "u, v of a, b: total degree 1/2" in text
    np.testing.assert_allclose(RationalModel.load(out).predict(x), y, rtol=1e-6)
    code, text, _ = run(capsys, "predict", out, path)
    head, found = numbers(text)
    assert (code, head) == (0, "a,b,u,v")
    np.testing.assert_allclose(found[:, 2:], y, rtol=1e-6)
    code, text, _ = run(capsys, "learn", path, *options, "--json")
    report = json.loads(text)
    assert report["columns"] == {"x": ["a", "b"], "y": ["u", "v"]}
    assert max(report["residual_rms"]) < 1e-6


def test_standard_errors_of_several_columns_are_those_of_repeated_measurements(tmp_path, capsys):
    x = np.linspace(0.0, 1.0, 80)
    true = np.column_stack([1.0 / (x + 1.0), x / (x + 1.0)])
    scores = []
    for seed in range(30):
        y = true + 0.001 * np.random.default_rng(seed).normal(size=true.shape)
        path = tmp_path / "noisy.csv"
        np.savetxt(path, np.column_stack([x, y]), delimiter=",", header="x,u,v", comments="")
        options = ("--x", "x", "--y", "u", "v", "--degree", "1/1")
        found = json.loads(run(capsys, "learn", path, *options, "--json")[1])["estimates"]
        assert found["degrees_of_freedom"] == 160 - 5
        # In u = 2x − 1 the functions are 2/(u + 3) and (u + 1)/(u + 3), and Q has norm 1.
        for terms, exact in (
            (found["denominator"], [3.0, 1.0]),
            (found["numerator"]["u"], [2.0, 0.0]),
            (found["numerator"]["v"], [1.0, 1.0]),
        ):
            assert [term["term"] for term in terms] == ["1", "x"]
            for term, value in zip(terms, exact):
                scores.append((term["value"] - value / np.sqrt(10.0)) / term["stderr"])
    # Of 180 scores 150 are independent; five deviations of the root of their mean square.
    assert np.sqrt(np.mean(np.square(scores))) == pytest.approx(1.0, abs=5.0 / np.sqrt(300.0))


def test_the_report_of_several_columns(capsys, several):
    arguments = ["learn", several[0], "--x", "a", "b", "--y", "u", "v", "--degree", "1/2"]
    brief, text = run(capsys, *arguments)[1], run(capsys, *arguments, "-v")[1]
    assert " ± " not in brief
    assert brief.splitlines()[:-1] == text.splitlines()[: len(brief.splitlines()) - 1]
    assert "poles     where Q = 0: with 2 columns x a set of points" in text
    assert "  Q           1             " in text
    assert text.count(" ± ") == 12


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--degree", "auto"], "--degree auto takes one column x and one column y"),
        (["--degree", "1/2", "--loss", "chordal"], "--loss chordal takes one x and one y"),
        (["--degree", "20/20"], "rows with a finite y, but the model needs at least"),
        (["--mode", "hybrid"], "--method train takes one column x"),
    ],
)
def test_what_several_columns_do_not_support(capsys, several, options, what):
    code, out, err = run(capsys, "learn", several[0], "--x", "a", "b", "--y", "u", *options)
    assert (code, out) == (2, "")
    assert what in err
    assert err.count("\n") == 1


# Input that cannot be used


@pytest.mark.parametrize(
    ("content", "options", "what"),
    [
        (
            "a,b\n1,2\n3,4\n",
            ["--x", "c", "--y", "b"],
            "--x: no column 'c'; the columns are 'a', 'b'",
        ),
        ("a,b\n1,2\n3,4\n", ["--x", "a", "--y", "7"], "--y: no column '7'"),
        ("a,b\n1,2\n3,4\n", ["--sigma", "s"], "--sigma: no column 's'"),
        ("1,2\n3,4\n", ["--x", "a"], "there is no header, so give numbers from 1 to 2"),
        ("a,a\n1,2\n3,4\n", ["--x", "a"], "--x: there are several columns 'a'"),
        ("a,b\n1,2\n3,4\n", ["--x", "a", "--y", "a"], "the column 'a' is chosen twice"),
        ("a,b,c\n1,2,3\n3,4,5\n", ["--x", "a"], "2 columns are left for --y"),
        ("a,b,c\n1,2,3\n3,4,5\n", [], "3 columns found; two columns are needed"),
        ("a,b,s\n1,2,1\n3,4,0\n", ["--sigma", "s"], "line 3: sigma (s) is '0', but standard dev"),
        ("a,b,s\n1,2,1\n3,4,-2\n", ["--sigma", "s"], "must be positive and finite"),
        ("a,b,s\n1,2,1\n3,4,nan\n", ["--sigma", "s"], "must be positive and finite"),
        (
            "a,b,s\n1,2,1\nnan,4,1\n",
            ["--sigma", "s"],
            "line 3: x (a) is 'nan', but x must be finite",
        ),
        ("a,b,s\n1,2,1\n3,four,1\n", ["--sigma", "s"], "line 3: y (b) is 'four', which is not a n"),
        (
            "a,b,s\n1,2,1\n3,4\n",
            ["--sigma", "s"],
            "line 3: 2 columns found, but the first line has 3",
        ),
        ("1,2\n3,4\n5,6\n", ["--degree", "2/1"], "this degree has 4 free coefficients"),
        ("1,2\n1,4\n", [], "x is the same in all rows"),
        ("1,inf\n2,nan\n", [], "y has no finite value"),
        ("1,inf\n2,1\n3,1\n4,2\n5,3\n", ["--degree", "1/0"], "degree (1, 0) has 0 poles, but y is"),
    ],
)
def test_bad_tables(capsys, tmp_path, content, options, what):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    code, out, err = run(capsys, "learn", path, *options)
    assert (code, out) == (2, "")
    assert what in err
    assert err.startswith(f"zeroproof learn: {path}")
    assert err.count("\n") == 1


def test_damaged_gzip(capsys, tmp_path):
    path = tmp_path / "half.csv.gz"
    path.write_bytes(gzip.compress(b"1,2\n" * 5000)[:40])
    code, out, err = run(capsys, "learn", path)
    assert (code, out) == (2, "")
    assert "damaged gzip file" in err
    path.write_bytes(b"\x1f\x8bnone")
    assert "damaged gzip file" in run(capsys, "learn", path)[2]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "cannot be read (No such file"),
        ("x,y\n1,2\n", "is not JSON; give a model that learn --out wrote"),
        ("[1]", "is no model"),
        ('{"format": []}', "is no model"),
        ('{"format": "zeroproof.Rational", "version": 99}', "version 99 of the format"),
        ('{"format": "zeroproof.RationalModel", "version": 99}', "version 99"),
        ('{"format": "zeroproof.Rational", "version": 1}', "is no complete Rational"),
    ],
)
def test_bad_models(capsys, tmp_path, content, what):
    path, data = tmp_path / "model.json", tmp_path / "data.csv"
    data.write_text("1\n2\n")
    if content is not None:
        path.write_text(content)
    code, out, err = run(capsys, "predict", path, data)
    assert (code, out) == (2, "")
    assert what in err
    assert err.startswith(f"zeroproof predict: {path}")
    assert err.count("\n") == 1


def test_bad_predictions(capsys, model, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("angle\n1\nmany\n")
    capsys.readouterr()
    assert "x (angle) is 'many', which is not a number" in run(capsys, "predict", model, data)[2]
    assert (
        "2 columns given, but the model has 1"
        in run(capsys, "predict", model, data, "--x", "1", "2")[2]
    )
    data.write_text("1\n2\n")
    place = os.path.join("no", "such", "place.csv")
    code, out, err = run(capsys, "predict", model, data, "--out", place)
    assert (code, out) == (2, "")
    assert "cannot be written" in err
    assert run(capsys, "predict", model, tmp_path / "none.csv")[0] == 2
