"""What the simulation shows of the core, and what shows that the simulation would notice."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.schedule import PASSING_FAULTS, run
from tests.simulation.world import Weather

_SCHEDULES = 2000
_PATIENCE = 600  # seconds; it takes some 30 on two processors
_MOST_SEEDS = 1000  # that a broken core may survive; most are caught within 20
STORM = Weather(ends=180, crash=0.1, graph=0.5, hang=0.2, listing_delay=30, faults=PASSING_FAULTS)


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


def test_every_promise_holds_under_two_thousand_schedules() -> None:
    command = simulate("--schedules", str(_SCHEDULES), "--seed", "0")
    assert command.returncode == 0, command.stdout + command.stderr


@pytest.mark.parametrize("seed", ["1", "12", "123"])
def test_one_seed_is_one_schedule_in_any_process(seed: str) -> None:
    one, other = (simulate("--replay", seed, hash_seed=hashes).stdout for hashes in ("1", "2"))
    assert one.count("\n") > 10
    assert one == other


@pytest.fixture
def _silence() -> Iterator[None]:
    """A broken core has much to tell."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_silence")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_core_with_a_broken_safeguard_is_caught(name: str) -> None:
    reports = (run(seed, MUTATIONS[name](), STORM) for seed in range(_MOST_SEEDS))
    caught = next((report for report in reports if report.broken), None)
    assert caught is not None, f"{_MOST_SEEDS} schedules did not show that {name}"
    again = run(caught.seed, MUTATIONS[name](), STORM, tracing=True)
    assert again.broken == caught.broken
    assert any(who == "INVARIANT" for _, who, _ in again.trace)


@pytest.mark.usefixtures("_silence")
def test_the_core_as_it_is_holds_in_the_same_storm() -> None:
    assert [seed for seed in range(_MOST_SEEDS // 4) if run(seed, weather=STORM).broken] == []
