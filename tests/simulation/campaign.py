"""Many schedules, on several processors."""

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.schedule import Report, run

_CHUNK = 50  # schedules that a process is given at a time


def run_all(seeds: Sequence[int], jobs: int) -> Iterator[Report]:
    """Run a schedule for each seed. Those that broke something come with their trace."""
    if jobs == 1:
        yield from map(_run, seeds)
        return
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        yield from pool.map(_run, seeds, chunksize=_CHUNK)


def _run(seed: int) -> Report:
    # The core tells of each attempt, and of each that an outage of storage cut short.
    logging.disable(logging.ERROR)
    report = run(seed)
    return run(seed, tracing=True) if report.broken else report
