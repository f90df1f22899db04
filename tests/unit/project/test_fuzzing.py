"""The fuzz targets of files, for half a second each; scheduled runs go on for ten minutes."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest

from fuzz_files import MOST_SECONDS, mutate
from support.file_targets import TARGETS
from support.mutations import mutated_file

ROOT = Path(__file__).parents[3]
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0.5"))


@pytest.mark.parametrize("name", TARGETS)
def test_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    tried, read, slowest = mutate(TARGETS[name], tmp_path, SECONDS, seed=1)
    print(f"{name}: {tried} files, {read} of them read")
    assert 0 < read < tried
    assert slowest < MOST_SECONDS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read(name: str) -> None:
    for data in TARGETS[name].seeds():
        assert TARGETS[name].one(data), data


def test_a_target_that_fails_leaves_its_file(tmp_path: Path) -> None:
    class Broken:
        @staticmethod
        def seeds() -> list[bytes]:
            return [b'{"a": 1}']

        @staticmethod
        def one(data: bytes) -> bool:
            raise KeyError(data)

    with pytest.raises(KeyError) as caught:
        mutate(Broken, tmp_path, 1.0, seed=1)
    [left] = tmp_path.iterdir()
    assert left.read_bytes() == caught.value.args[0]


def test_mutations_change_a_file_and_repeat_by_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = TARGETS["program"].seeds()[0]
    found = [mutated_file(data, random.Random(seed)) for seed in range(200)]
    monkeypatch.setattr(time, "time", lambda: 1e9)  # no clock in what a seed gives
    assert found == [mutated_file(data, random.Random(seed)) for seed in range(200)]
    assert sum(each != data for each in found) > 150


def test_every_target_is_in_the_scheduled_workflow() -> None:
    if not (ROOT / ".github").exists():
        pytest.skip("not in a checkout")
    workflow = (ROOT / ".github/workflows/attacks.yml").read_text(encoding="utf-8")
    rust = re.findall(r'^name = "(\w+)"$', (ROOT / "fuzz/Cargo.toml").read_text(), re.MULTILINE)
    assert len(rust) == 2
    for name in (*TARGETS, *rust):
        assert re.search(rf"\b{name}\b", workflow), name
