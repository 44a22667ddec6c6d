"""What the simulation shows of the core, and what shows that the simulation would notice.

The sample takes other schedules after each commit. A broken core is first run on a schedule that is
known to catch it, and searched for among many where that one does so no more.
"""

import logging
import os
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commit import commit_number
from tests.simulation.host_faults import HostFault
from tests.simulation.mutations import MUTATIONS
from tests.simulation.schedule import PASSING_FAULTS, RUSH, run
from tests.simulation.world import Weather

_PATIENCE = 600  # seconds; two thousand schedules take some 60 on two processors
_MOST_SEEDS = 1000  # that a broken core may survive; each is caught within 100, on average
STORM = Weather(ends=180, crash=0.02, graph=0.5, hang=0.2, listing_delay=30, faults=PASSING_FAULTS)
CRASHES = Weather(ends=600, crash=0.1, faults=PASSING_FAULTS)
"""In a storm, somebody asks again and mends what a message that was deleted too early leaves."""
THRONG = Weather(ends=60, rush=RUSH, limit=10, retry_after=7)
WEATHERS = {
    "message_deleted_before_the_ledger_is_closed": CRASHES,
    "pace_kept": THRONG,
    "turns_taken_twice": THRONG,
    "turns_forgotten": THRONG,
    "turns_ignored": THRONG,
    "jitter_dropped": THRONG,
}
"""In which a broken core is run; the others in a storm."""
CAUGHT_BY = {
    "lease_ignored": 1,
    "lookup_skipped": 1,
    "search_stops_at_the_first_page": 4,
    "search_believes_an_ignored_filter": 10,
    "message_deleted_before_the_ledger_is_closed": 57,
    "arm_after_act": 14,
    "tenant_not_claimed": 13,
    "sponsors_forgotten": 10,
    "callback_forgotten": 2,
    "attempt_as_long_as_its_lease": 3,
    "pace_kept": 0,
    "turns_taken_twice": 1,
    "turns_forgotten": 2,
    "turns_ignored": 3,
    "gate_read_long_ago": 0,
    "jitter_dropped": 1,
}
"""Seeds that show what is broken, at once."""


def weather_of(name: str) -> Weather:
    return WEATHERS.get(name, STORM)


def simulate(*arguments: str, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("schedules", "seed"),
    [("50", "commit"), pytest.param("2000", "0", marks=pytest.mark.slow)],
)
def test_every_promise_holds_under_all_schedules(schedules: str, seed: str) -> None:
    command = simulate("--schedules", schedules, "--seed", seed)
    assert command.returncode == 0, command.stdout + command.stderr


def test_one_seed_is_one_schedule_in_any_process() -> None:
    replay = ("--replay", "1", "12", "123")
    one, other = (simulate(*replay, hash_seed=hashes).stdout for hashes in ("1", "2"))
    assert one.count("\n") > 30
    assert one == other


def test_a_host_does_all_that_the_real_one_was_seen_to_do() -> None:
    weather = replace(STORM, host=0.2, kill=0.2)
    faults = sum((run(seed, weather=weather).host_faults for seed in range(20)), Counter())
    assert faults.keys() == set(HostFault)


@pytest.fixture
def _silence() -> Iterator[None]:
    """A broken core has much to tell."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def first_to_catch(name: str, seeds: Iterable[int]) -> int:
    """Return the first seed whose schedule shows that the core is broken, and says where."""
    weather = weather_of(name)
    reports = (run(seed, MUTATIONS[name](), weather) for seed in seeds)
    caught = next((report for report in reports if report.broken), None)
    assert caught is not None, f"{_MOST_SEEDS} schedules did not show that {name}"
    again = run(caught.seed, MUTATIONS[name](), weather, tracing=True)
    assert again.broken == caught.broken
    assert any(who == "INVARIANT" for _, who, _ in again.trace)
    return caught.seed


@pytest.mark.usefixtures("_silence")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_core_with_a_broken_safeguard_is_caught(name: str) -> None:
    known = CAUGHT_BY[name]
    caught = first_to_catch(name, [known, *range(_MOST_SEEDS)])
    if caught != known:
        warnings.warn(f"{name} is caught by {caught}, no more by {known}", stacklevel=1)


@pytest.mark.slow
@pytest.mark.usefixtures("_silence")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_core_with_a_broken_safeguard_is_caught_wherever_the_search_begins(name: str) -> None:
    start = commit_number()
    first_to_catch(name, range(start, start + _MOST_SEEDS))


@pytest.mark.slow
@pytest.mark.usefixtures("_silence")
def test_the_core_as_it_is_holds_where_broken_ones_are_caught() -> None:
    for name, seed in CAUGHT_BY.items():
        assert not run(seed, weather=weather_of(name)).broken


@pytest.mark.slow
@pytest.mark.usefixtures("_silence")
@pytest.mark.parametrize(
    ("weather", "seeds"),
    [(STORM, 250), (CRASHES, 250), (THRONG, 50)],
    ids=["storm", "crashes", "throng"],
)
def test_the_core_as_it_is_holds_in_the_same_weather(weather: Weather, seeds: int) -> None:
    assert [seed for seed in range(seeds) if run(seed, weather=weather).broken] == []
