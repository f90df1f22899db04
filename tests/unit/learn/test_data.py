"""Tables as people have them, and what is said about tables that cannot be used."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from zeroproof.core import TRTag, is_real
from zeroproof.learn import text as text_module
from zeroproof.learn.data import Dataset, InputError, read_csv
from zeroproof.learn.robotics import (
    FOREARM,
    SHOULDER,
    UPPER_ARM,
    inverse_jacobian_entry,
    two_link_arm,
)


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        "0.5,2\n-1.5,3e2\n",
        "x,y\n0.5,2\n-1.5,3e2\n",
        "\ufeffelbow angle,value\r\n0.5,2\r\n-1.5,3e2\r\n",
        "0.5,2\r-1.5,3e2",
        "\n\n0.5,2\n\n,\n-1.5,3e2\n\n",
        "# measured\n0.5 , 2\n-1.5 , 3e2\n",
        "x;y\n0.5;2\n-1.5;3e2\n",
        "x;y\n0,5;2,0\n-1,5;3e2\n",
        "a, b; c\n0,5;2\n-1,5;3e2\n",
        "x\ty\n0.5\t2\n-1.5\t3e2\n",
        "x y\n0.5 2\n-1.5   3e2\n",
        "  0.5   2\n -1.5   3e2",
        '"x","y"\n"0.5","2"\n"-1.5","3e2"\n',
        "Größe,Wert\n+.5,2.\n-1.5,+3E+2\n",
    ],
)
def test_formats(table, content):
    data = read_csv(table(content))
    assert data.x.tolist() == [0.5, -1.5]
    assert data.y.tolist() == [2.0, 300.0]
    assert data.usable.all()
    assert data.true_poles == ()


def test_targets_that_are_not_real(table):
    data = read_csv(table("x,y\n1,nan\n2,inf\n3,-inf\n4,4\n5,NaN\n6,1e999\n"))
    assert data.usable.tolist() == [False, False, False, True, False, False]
    assert data.targets_by_tag() == {"REAL": 1, "PINF": 2, "NINF": 1, "PHI": 2}
    assert math.isnan(data.y[0])


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"", "", "the file is empty"),
        (b"\n \r\n\t\n", "", "the file is empty"),
        (b"# only a comment\n", "", "the file is empty"),
        (b"x,y\n", "", "no rows of numbers"),
        (b"\x89PNG\r\n\x1a\n\0\0\xff\xfe", "", "not text in UTF-8"),
        (b"1,2\n3,\0\n", "", "binary"),
        ("1,2\n3,4\n".encode("utf-16"), "", "not text in UTF-8"),
        (b"1\n2\n", "line 1", "1 column found"),
        (b"x\n1\n", "line 1", "1 column found"),
        (b"1,2,3\n", "line 1", "3 columns found"),
        (b"x,y\n1,2\n\n3,4,5\n", "line 4", "3 columns found"),
        (b"1,2\n3;4\n", "line 2", "1 column found"),
        (b"1,2\nabc,4\n", "line 2", "x is 'abc', which is not a number"),
        (b"1,2\n3,abc\n", "line 2", "y is 'abc', which is not a number"),
        (b"1,two\n3,4\n", "line 1", "y is 'two', which is not a number"),
        (b"one,2\n3,4\n", "line 1", "x is 'one', which is not a number"),
        (b"x,y\nx,y\n", "line 2", "x is 'x', which is not a number"),
        (b"1,2\n3,\n", "line 2", "y is empty"),
        (b"1,2\n,4\n", "line 2", "x is empty"),
        (b"1,2\n1_000,4\n", "line 2", "x is '1_000'"),
        (b"x,y\r\n1,2\r\nnan,4\r\n", "line 3", "x must be finite"),
        (b"1,2\ninf,4\n", "line 2", "x must be finite"),
        (b"1,2\n-1e999,4\n", "line 2", "x must be finite"),
        (b"1,2\n" + b"z" * 200_000 + b",4\n", "line 2", "1 column found"),
        (b"1,2\n3," + b"z" * 500 + b"\n", "line 2", "..."),
    ],
)
def test_unusable_tables(table, content, where, what):
    path = table(content)
    with pytest.raises(InputError) as caught:
        read_csv(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, {where}:" if where else f"{path}:")
    assert what in message
    assert "\n" not in message
    assert len(message) < len(path) + 200


def test_unusable_paths(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_csv(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="is a directory"):
        read_csv(str(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        read_csv("a\0b")


def test_what_is_too_long_is_not_read_to_its_end(table, tmp_path, monkeypatch):
    monkeypatch.setattr(text_module, "MOST_BYTES", 8)
    assert read_csv(table("1,2\n3,4\n")).x.tolist() == [1.0, 3.0]
    path = table("1,2\n3,4\n\n")
    with pytest.raises(InputError) as caught:
        read_csv(path)
    assert str(caught.value) == f"{path}: is longer than 0 MiB; give a table with fewer rows"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
def test_a_device_without_an_end():
    with pytest.raises(InputError, match=r"^/dev/zero: is longer than 256 MiB; give a table"):
        read_csv("/dev/zero")


def test_rows_needed():
    x = np.array([1.0, 2.0, 3.0, 3.0, 4.0])
    y = np.array([1.0, 2.0, 3.0, 3.5, np.inf])
    data = Dataset("table", x, y)
    data.require_rows(3)
    with pytest.raises(InputError, match=r"3 usable rows with different x.* 4 free coefficients"):
        data.require_rows(4)


def test_the_arm_has_its_samples_where_it_says():
    data = two_link_arm()
    assert len(data.x) == 300
    assert (np.abs(data.x) <= 0.01).sum() == 30
    assert (data.x == 0.0).sum() == 1
    assert data.usable.sum() == 299
    assert not data.usable[data.x == 0.0]
    assert data.true_poles == (0.0,)
    assert np.array_equal(two_link_arm().y, data.y)


def test_the_entry_is_that_of_the_inverse_jacobian():
    def jacobian(elbow):
        s1, c1 = math.sin(SHOULDER), math.cos(SHOULDER)
        s12, c12 = math.sin(SHOULDER + elbow), math.cos(SHOULDER + elbow)
        return np.array(
            [
                [-UPPER_ARM * s1 - FOREARM * s12, -FOREARM * s12],
                [UPPER_ARM * c1 + FOREARM * c12, FOREARM * c12],
            ]
        )

    for elbow in (-0.6, -0.01, 0.003, 0.2, 1.1):
        entry = inverse_jacobian_entry(elbow)
        assert is_real(entry)
        assert float(entry) == pytest.approx(np.linalg.inv(jacobian(elbow))[0, 0], rel=1e-10)
    assert inverse_jacobian_entry(0.0).tag is TRTag.PINF
    assert inverse_jacobian_entry(-0.0).tag is TRTag.NINF
