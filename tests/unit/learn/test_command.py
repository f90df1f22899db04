"""``zeroproof learn`` as it is used: arguments, output, errors, signals and pipes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import zeroproof
from zeroproof.__main__ import main
from zeroproof.learn import completion

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")


@pytest.fixture
def table(tmp_path):
    """A file with poles at 0.5 and −1.1 and a row that is exactly on one of them."""
    x = np.random.default_rng(2).uniform(-2.0, 2.0, 60)
    y = 1.0 / (x - 0.5) - 2.0 / (x + 1.1)
    path = tmp_path / "two poles.csv"
    rows = [f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist())]
    path.write_text("\n".join(["x,y", *rows, "0.5,inf"]) + "\n")
    return str(path)


def run(capsys, *arguments):
    code = main(["learn", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def no_constant(name):
    raise AssertionError(f"{name} is not JSON")


def strict(text):
    return json.loads(text, parse_constant=no_constant)


def test_the_report_of_the_arm(capsys):
    code, out, err = run(capsys, "--epochs", "30", "--mode", "all", "--verbose")
    assert code == 0
    for words in (
        "two-link arm",
        "299 of 300 rows usable",
        "1 PINF",
        "hybrid: loss",
        "mask-real: loss",
        "saturating: loss",
        "true 0, error",
        "masked samples 0.33%",
        "by distance to a pole (0)",
        "total_gradient_calls    299",
    ):
        assert words in out
    assert out.isascii()
    assert "epoch 30/30" in err
    assert "delta" in err


def test_the_report_in_brief_leaves_tables_to_verbose(capsys):
    _, brief, _ = run(capsys, "--epochs", "30")
    _, full, _ = run(capsys, "--epochs", "30", "-v")
    *lines, _, hint = brief.splitlines()
    assert hint.startswith("--verbose adds")
    assert len(lines) <= 10
    assert full.splitlines()[: len(lines)] == lines
    assert "total_gradient_calls" not in brief


def test_the_report_of_a_file(capsys, table):
    code, out, _ = run(capsys, table)
    assert code == 0
    assert "60 of 61 rows usable" in out
    assert "pole at x = 0.5 " in out
    assert "pole at x = -1.1 " in out
    assert "nearest row kept out 0.5" in out


def test_json_is_strict_and_complete(capsys, table):
    code, out, err = run(capsys, table, "--json", "--mode", "all", "--epochs", "80")
    assert code == 0
    assert "epoch" in err
    report = strict(out)
    assert report["problem"]["targets"] == {"REAL": 60, "PINF": 1, "NINF": 0, "PHI": 0}
    assert report["problem"]["kept_out_rows"] == 1
    assert report["interrupted"] is False
    assert [run["mode"] for run in report["runs"]] == ["hybrid", "mask-real", "saturating"]
    hybrid = report["runs"][0]
    found = sorted(p["x"] for p in hybrid["poles"] if p["inside_data"] and not p["cancelled"])
    assert found == pytest.approx([-1.1, 0.5], abs=1e-9)
    assert {p["nearest_kept_out_row"] for p in hybrid["poles"]} == {0.5}
    assert sum(bucket["rows"] for bucket in hybrid["errors"]) == 60
    assert hybrid["errors"][-1]["to"] is None
    assert hybrid["masked_share"] == pytest.approx(1 / 61)
    assert hybrid["statistics"]["total_gradient_calls"] == 60
    assert report["runs"][1]["statistics"] is None


def test_json_of_the_arm_compares_with_the_true_pole(capsys):
    _, out, _ = run(capsys, "--json", "--epochs", "40")
    run_ = strict(out)["runs"][0]
    [true] = run_["true_poles"]
    assert true["x"] == 0.0
    assert true["error"] < 1e-3
    assert [p["true"] for p in run_["poles"] if p["true"] is not None] == [0.0]


def test_the_seed_chooses_the_start_and_nothing_else_varies(capsys):
    texts = [run(capsys, "--json", "--epochs", "3", "--seed", s)[1] for s in ("1", "1", "2")]
    assert texts[0] == texts[1] != texts[2]


BAD_ARGUMENTS = [
    (["--degree", "3"], "'3' makes no sense"),
    (["--degree", "a/b"], "'a/b' makes no sense"),
    (["--degree", "-1/2"], "'-1/2' makes no sense"),
    (["--degree", "2/-1"], "'2/-1' makes no sense"),
    (["--degree", "3/2/1"], "makes no sense"),
    (["--degree", "1.5/2"], "makes no sense"),
    (["--degree", ""], "makes no sense"),
    (["--method", "train", "--degree", "3/0"], "no pole"),
    (["--mode", "all", "--degree", "auto"], "--degree auto is for --method fit"),
    (["--method", "fit", "--mode", "hybrid"], "--mode is for --method train"),
    (["--epochs", "5", "--loss", "cauchy"], "--loss is for --method fit"),
    (["--epochs", "5", "--out", "model.json"], "--out is for --method fit"),
    (["--method", "both"], "invalid choice"),
    (["--loss", "l2"], "invalid choice"),
    (["--sigma", "s"], "--sigma needs DATA.csv"),
    (["--x", "a", "--y", "b"], "--x needs DATA.csv, which is to be given before it"),
    (["--out", os.path.join("no", "such", "place.json")], "cannot be written"),
    (["--degree", "300/2"], "too high"),
    (["--degree"], "expected one argument"),
    (["--epochs", "0"], "whole number from 1"),
    (["--epochs", "-5"], "whole number from 1"),
    (["--epochs", "many"], "whole number from 1"),
    (["--epochs", "9" * 5000], "whole number from 1"),
    (["--seed", "-1"], "whole number from 0"),
    (["--mode", "fast"], "invalid choice"),
    (["--unknown"], "unrecognized"),
    (["one.csv", "two.csv"], "unrecognized"),
    (["none.csv"], "none.csv: no such file"),
    ([os.curdir], "is a directory"),
    (["--plot", os.path.join("no", "such", "place.png")], "cannot be written"),
    (["--plot", "picture"], "must end in .png"),
]


@pytest.mark.parametrize(("arguments", "what"), BAD_ARGUMENTS)
def test_bad_arguments_get_one_line(capsys, arguments, what):
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert what in err
    assert err.startswith("zeroproof")
    assert err.count("\n") == 1


def test_too_few_rows_for_the_degree(capsys, tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("1,2\n2,3\n3,inf\n4,nan\n5,1\n5,2\n")
    code, out, err = run(capsys, str(path), "--degree", "3/2", "--method", "train")
    assert (code, out) == (2, "")
    assert "3 usable rows with different x, but this degree has 6 free coefficients" in err
    assert err.count("\n") == 1
    assert run(capsys, str(path), "--degree", "1/1", "--epochs", "2")[0] == 0


def test_command_without_a_subcommand_help_and_version(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["learn", "--help"]) == 0
    assert "Exit codes" in capsys.readouterr().out
    assert main(["--version"]) == 0
    facts = capsys.readouterr().out.splitlines()
    assert facts[0] == f"zeroproof {zeroproof.__version__}"
    assert [fact.split()[0] for fact in facts[1:]] == [
        "engine", "native", "threads", "Python", "NumPy", "platform",
    ]  # fmt: skip
    assert main(["--help"]) == 0
    assert "``" not in capsys.readouterr().out


def test_help_is_plain_text_in_groups(capsys):
    for command, groups in (
        (["learn"], ("columns:", "method:", "output:")),
        (["predict"], ("positional arguments:",)),
        (["completion"], ("positional arguments:", "shtab")),
    ):
        assert main([*command, "--help"]) == 0
        out = capsys.readouterr().out
        assert "``" not in out
        assert ":func:" not in out
        for group in groups:
            assert group in out
        assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion(capsys, shell):
    shtab = pytest.importorskip("shtab")
    code = main(["completion", shell])
    captured = capsys.readouterr()
    if shell not in shtab.SUPPORTED_SHELLS:
        assert (code, captured.out) == (2, "")
        assert f"knows no {shell}" in captured.err
        return
    assert (code, captured.err) == (0, "")
    for word in ("learn", "predict", "completion", "degree", "mask-real", "verbose"):
        assert word in captured.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_with_the_script(capsys, tmp_path):
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "measured.csv").touch()

    def completed(*words):
        ask = (
            f'source {script}; COMP_WORDS=({" ".join(words)} ""); COMP_CWORD={len(words)}; '
            '"$(complete -p zeroproof | sed "s/.*-F \\([^ ]*\\).*/\\1/")"; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    assert completed("zeroproof") >= {"learn", "predict", "completion"}
    assert completed("zeroproof", "learn", "--mode") >= {"hybrid", "mask-real", "all"}
    assert "measured.csv" in completed("zeroproof", "learn")


def test_completion_without_its_package(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert 'pip install "zeroproof-autodiff[completion]"' in captured.err
    assert captured.err.count("\n") == 1


def test_plot_without_matplotlib_is_refused_before_training(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    picture = tmp_path / "fit.png"
    code, out, err = run(capsys, "--plot", str(picture))
    assert (code, out) == (2, "")
    assert "matplotlib" in err
    assert err.count("\n") == 1
    assert not picture.exists()


def test_plot_draws_a_picture(capsys, table, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "fit.png"
    code, out, _ = run(capsys, table, "--mode", "all", "--epochs", "20", "--plot", str(picture))
    assert code == 0
    assert "pole at x" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000


def test_plot_of_data_without_a_pole(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "flat $a_{b$.csv"
    path.write_text("\n".join(f"{k},1\n{k}.5,1" for k in range(9)))
    picture = tmp_path / "fit.PNG"
    code, out, _ = run(
        capsys, "--verbose", str(path), "--degree", "1/2", "--epochs", "50", "--plot", str(picture)
    )
    assert code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "distance to a pole (none)" in out


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "zeroproof", "learn", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have Ctrl-C ignored, which children inherit.
        preexec_fn=heed_ctrl_c if os.name == "posix" else None,
        **options,
    )


def heed_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@POSIX
def test_ctrl_c_ends_with_what_was_learned_so_far(tmp_path):
    x = np.random.default_rng(2).uniform(-2.0, 2.0, 2000)
    y = np.tan(x) + np.random.default_rng(3).normal(size=2000)
    path = tmp_path / "noisy.csv"
    path.write_text("\n".join(f"{a},{b}" for a, b in zip(x, y)))
    with command(
        str(path), "--json", "--mode", "all", "--degree", "6/6", "--epochs", "1000000",
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert "epoch 1/1000000" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    report = strict(out)
    assert report["interrupted"] is True
    [only] = report["runs"]
    assert only["stopped_by"] == "interrupt"
    assert only["epochs"] >= 1
    assert only["loss"] < 1.0


@POSIX
def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    with command("--epochs", "2", stdout=write) as process:
        os.close(write)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 141
    assert "Traceback" not in err
    assert "Broken" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_gets_one_line():
    with open("/dev/full", "w") as full, command("--epochs", "1", stdout=full) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert "the output cannot be written (No space left on device)" in err
