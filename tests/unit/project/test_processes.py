"""Processes of every kind: started, forked, cut short, isolated, with a second interpreter."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zeroproof

SECONDS = 60.0
POSIX = pytest.mark.skipif(os.name != "posix", reason="fork is POSIX's")
WORK = """
import numpy as np
from zeroproof import TRNode, tr_vmap

batch = np.linspace(-1.0, 1.0, 100_001)
reciprocal = tr_vmap(lambda x: 1.0 / x)

def work():
    x = TRNode.parameter(0.0)
    (1.0 / x + x).backward()
    assert (x.gradient.value, x.gradient_status.name) == (0.0, "MASKED")
    value, gradient = reciprocal.value_and_grad(batch, reduce="sum")
    return gradient.tobytes()
"""


def run(program: str, *options: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


POOL = """
import multiprocessing, sys
import numpy as np
from zeroproof import tr_vmap

def reciprocals(start):
    x = np.linspace(start, 1.0, 40_000)
    return tr_vmap(lambda x: 1.0 / x).value_and_grad(x)[1].tobytes()

if __name__ == "__main__":
    starts = [-1.0, 0.0, 0.25]
    here = [reciprocals(start) for start in starts]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map_async(reciprocals, starts).get(30.0) == here
"""


@pytest.mark.parametrize("method", sorted(multiprocessing.get_all_start_methods()))
def test_a_pool_computes_the_bits_of_this_process(method: str, tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", str(script), method]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, "")


@POSIX
def test_a_child_forked_while_threads_work_goes_on() -> None:
    run(
        WORK
        + """
import os, threading, warnings
warnings.simplefilter("ignore")  # that the process has threads
want, stop = work(), threading.Event()

def again():
    while not stop.is_set():
        work()

threads = [threading.Thread(target=again) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if work() == want else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
assert work() == want
"""
    )


def test_an_interpreter_that_ends_does_not_wait_for_daemon_threads() -> None:
    run(
        WORK
        + """
import threading, time

def again():
    while True:
        work()

for _ in range(3):
    threading.Thread(target=again, daemon=True).start()
time.sleep(0.3)
"""
    )


def test_objects_may_outlive_what_they_were_made_from() -> None:
    run(
        WORK
        + """
import atexit, sys
kept = [TRNode.parameter(1.0), reciprocal, 1.0 / TRNode.parameter(0.0)]
atexit.register(lambda: kept.append(work()))

class Last:
    def __del__(self):
        assert kept[0].value == 1.0

sys.last = Last()
work()
"""
    )


def test_an_isolated_process_without_site_packages_or_records_of_an_installer(
    tmp_path: Path,
) -> None:
    shutil.copytree(Path(zeroproof.__file__).parent, tmp_path / "zeroproof")
    paths = [str(tmp_path), str(Path(np.__file__).parents[1])]
    said = run(
        f"import sys; sys.path[:0] = {paths!r}\n" + WORK + "import zeroproof\n"
        "work()\nprint(zeroproof.__version__)",
        "-I",
        "-S",
    )
    assert said.strip() == zeroproof.__version__


def test_the_package_can_be_imported_again() -> None:
    run(
        WORK
        + """
import sys
want, node = work(), TRNode.parameter(2.0)
for name in [name for name in sys.modules if name.split(".")[0] == "zeroproof"]:
    if name != "zeroproof._native":
        del sys.modules[name]
import zeroproof
assert zeroproof.TRNode is TRNode
assert (node * zeroproof.TRNode.parameter(3.0)).value == 6.0
assert zeroproof.tr_vmap(lambda x: 1.0 / x).value_and_grad(batch, reduce="sum")[1].tobytes() == want
"""
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters with a GIL of their own")
def test_a_second_interpreter_refuses_or_works() -> None:
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    said = run(
        WORK
        + f"""
import {module} as interpreters
work()
other = interpreters.create()
program = '''
try:
    import zeroproof
except ImportError as error:
    print("refused")
else:
    print(zeroproof.TRNode.parameter(2.0).value)
'''
interpreters.run_string(other, program)
interpreters.destroy(other)
work()
"""
    )
    assert said.split() in (["refused"], ["2.0"])
