"""Work in several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable


def run_all(work: Callable[[int], None], threads: int) -> None:
    """Runs ``work`` in so many threads that begin together; raises what any of them raised."""
    start = threading.Barrier(threads)
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            start.wait(30)
            work(number)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=guarded, args=(k,)) for k in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
