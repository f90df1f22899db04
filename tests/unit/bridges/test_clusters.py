"""The recipes of the guide to clusters run and print what the guide says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.slow import slow

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "clusters.md"
RECIPE = re.compile(r"```python (?:with_)?(\w+)\.py\n(.*?)```\n+```text\n(.*?)```", re.DOTALL)
RECIPES = {name: (code, output) for name, code, output in RECIPE.findall(GUIDE.read_text("utf-8"))}

#: The calls of Ray that the recipe makes, with what is sent pickled as by Ray.
RAY = """
import cloudpickle

def sent(value):
    return cloudpickle.loads(cloudpickle.dumps(value))

class Reference:
    def __init__(self, value):
        self.value = sent(value)

def get(reference):
    return sent(reference.value)

def put(value):
    return Reference(value)

def init():
    pass

class remote:
    def __init__(self, function):
        self.function = function

    def remote(self, *args):
        given = [get(each) if isinstance(each, Reference) else sent(each) for each in args]
        return Reference(sent(self.function)(*given))
"""

#: The calls of mpi4py that the recipe makes: ranks run one after the other, the root last.
MPI = """
import os, pickle
from pathlib import Path

class COMM_WORLD:
    @staticmethod
    def Get_rank():
        return int(os.environ["RANK"])

    @staticmethod
    def Get_size():
        return int(os.environ["RANKS"])

    @staticmethod
    def gather(value, root):
        here, rank = Path(__file__).parent, int(os.environ["RANK"])
        (here / f"{rank}.pickle").write_bytes(pickle.dumps(value))
        if rank == root:
            files = [here / f"{k}.pickle" for k in range(int(os.environ["RANKS"]))]
            return [pickle.loads(file.read_bytes()) for file in files]
"""


def run(name: str, folder: Path, **variables: str) -> str:
    # Not by the name of the package that it imports.
    script = folder / f"recipe_{name}.py"
    script.write_text(RECIPES[name][0], encoding="utf-8")
    paths = [str(folder), *sys.path]
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guide_has_these_recipes() -> None:
    assert set(RECIPES) == {"futures", "joblib", "dask", "ray", "mpi"}
    # All compute the same function of the same samples.
    assert len({output for _, output in RECIPES.values()}) == 1


@pytest.mark.parametrize("name", ["futures", "joblib", "dask"])
def test_recipe(name: str, tmp_path: Path) -> None:
    if name != "futures":
        pytest.importorskip(name, reason=f"{name} is not installed")
    if name == "dask":
        pytest.importorskip("distributed", reason="distributed is not installed")
    assert run(name, tmp_path) == RECIPES[name][1]


def test_the_recipe_for_ray(tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    (tmp_path / "ray.py").write_text(RAY, encoding="utf-8")
    assert run("ray", tmp_path) == RECIPES["ray"][1]


@pytest.mark.parametrize("ranks", [1, 3, *slow(15)])
def test_the_recipe_for_mpi(ranks: int, tmp_path: Path) -> None:
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py" / "__init__.py").touch()
    (tmp_path / "mpi4py" / "MPI.py").write_text(MPI, encoding="utf-8")
    outputs = [
        run("mpi", tmp_path, RANK=str(rank), RANKS=str(ranks)) for rank in reversed(range(ranks))
    ]
    assert outputs == [*[""] * (ranks - 1), RECIPES["mpi"][1]]


def test_without_dask_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['dask'] = None; import zeroproof.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "zeroproof-autodiff[dask]"' in done.stderr
