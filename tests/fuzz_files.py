"""Fuzzes what reads users' files: tables, models and saved programs.

    python tests/fuzz_files.py rational --seconds 180 --corpus target/corpus/rational

Files are mutated by ``tests/support/mutations.py``. With ``--coverage`` atheris, a package of its
own, chooses those that reach new code and keeps them in the corpus; without, seeds and corpus are
mutated blindly. A file that is neither read nor refused ends the run with its error, and is left in
the folder of the corpus or beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

#: No file of this size may keep a reader for longer.
MOST_SECONDS = 10.0
MOST_MEBIBYTES = 4096


def limit_memory() -> None:
    """A file that asks for all memory meets a MemoryError, not the kernel."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEBIBYTES << 20, resource.RLIM_INFINITY))


def seeds_of(target: Any, corpus: Path) -> list[bytes]:
    kept = [path.read_bytes() for path in sorted(corpus.iterdir()) if path.is_file()]
    return [*target.seeds(), *kept]


def mutate(target: Any, corpus: Path, seconds: float, seed: int) -> tuple[int, int, float]:
    """How many files were tried, how many of them were read, and the longest time of one.

    Raises:
        AssertionError: for a file that took too long, or whatever else came of one.
    """
    from support.mutations import mutated_file

    files, chosen = seeds_of(target, corpus), random.Random(seed)
    # The processor's time, so that a busy machine tries as many.
    begun, tried, read, slowest = time.process_time(), 0, 0, 0.0
    while time.process_time() - begun < seconds:
        data = mutated_file(chosen.choice(files), chosen, files)
        name = hashlib.sha1(data).hexdigest()
        start = time.process_time()
        try:
            was_read = target.one(data)
            slowest = max(slowest, time.process_time() - start)
            assert slowest < MOST_SECONDS, f"a file took {slowest:.1f} s"
        except BaseException:
            (corpus / f"failed-{name}").write_bytes(data)
            print(f"{corpus / f'failed-{name}'}: {data[:2000]!r}", file=sys.stderr)
            raise
        tried, read = tried + 1, read + was_read
        # What was read is a start for others; the list stays small.
        if was_read and len(data) < 4096:
            if len(files) < 400:
                files.append(data)
            else:
                files[chosen.randrange(20, 400)] = data
    return tried, read, slowest


def cover(name: str, corpus: Path, seconds: float, seed: int) -> None:
    """Likewise, by libFuzzer. Ends the process."""
    import atheris

    with atheris.instrument_imports(include=["zeroproof", "json"]):
        from support.file_targets import TARGETS
        from support.mutations import mutated_file

    target = TARGETS[name]
    for data in target.seeds():
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)

    def mutator(data: bytes, most: int, number: int) -> bytes:
        return bytes(mutated_file(bytes(data), random.Random(number)))[:most]

    options = [
        f"-max_total_time={int(seconds)}",
        f"-seed={seed}",
        "-max_len=65536",
        "-print_final_stats=1",
    ]
    # Instrumented, and by the clock on a machine that may be busy.
    options += [
        f"-timeout={int(6 * MOST_SECONDS)}",
        f"-artifact_prefix={corpus.parent}/failed-{name}-",
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(corpus)],
        lambda data: 0 if target.one(bytes(data)) else None,
        custom_mutator=mutator,
    )
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "target", choices=["table", "rational", "rational_model", "predict", "program"]
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--corpus", type=Path, help="by default a folder below target/corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="choose files by atheris")
    given = parser.parse_args()
    corpus = given.corpus or Path("target/corpus") / given.target
    corpus.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("error")
    if given.coverage:
        cover(given.target, corpus, given.seconds, given.seed)
    from support.file_targets import TARGETS

    limit_memory()
    tried, read, slowest = mutate(TARGETS[given.target], corpus, given.seconds, given.seed)
    print(f"{given.target}: {tried} files, {read} of them read, the slowest took {slowest:.2f} s")


if __name__ == "__main__":
    main()
