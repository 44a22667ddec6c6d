"""The local queue pump makes the calls to storage that the real listener was recorded to make."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.contract.queue_replay import RECORDED, Run, play, read_runs, recorded_calls, traces

# Seconds of waits, of functions and of the SDK's repeats, where storage's own do not matter.
SPEED = 0.1
REAL_LEASE_SECONDS = 600
# Runs that take longer by themselves are for the slow run.
QUICK_SECONDS = 16
# Options that the recorder left out, by setting.
OPTIONS: dict[str, dict[str, object]] = {
    "failbelow:3, succeeds at the third try": {"visibilityTimeout": "00:00:03"},
    "release (update) answers 500 twice / every time": {
        "maxDequeueCount": 5,
        "visibilityTimeout": "00:00:02",
    },
}
# Other forms: how many messages at once, and how long to wait.
NOT_RUNS = {"b_batches.json", "c_polling.json"}
FILES = sorted({file.name for file in RECORDED.glob("*.json")} - NOT_RUNS)


@dataclass(frozen=True)
class Row:
    """A run that is not played, or comes out differently, on purpose."""

    file: str
    setting: str
    reason: str

    def holds(self, run: Run) -> bool:
        return run.file == self.file and self.setting in run.setting


JITTER = "its overlapping repeats come in the order of their jitter"
NOT_PLAYED = [
    Row("e_renewal_real.json", "", "12 minutes: e_renewal_short shows the same with 8 s"),
    Row("j_killed.json", "real visibility", "10 minutes: the run with 15 s shows the same"),
    Row("l_delete_failures.json", "500 for 16 s", JITTER),
    Row("l_poison_and_release_failures.json", "500 for 16 s", JITTER),
    Row("m_two_hosts.json", "", "calls of two hosts in one list; one more repeat by its jitter"),
]
DIFFERS = [
    Row("i_shutdown.json", "sleepct:60", "Python's worker has no token of cancellation"),
]


def runs(*, slow: bool) -> list[Run]:
    every = [run for file in FILES for run in read_runs(file, OPTIONS)]
    played = [run for run in every if not any(row.holds(run) for row in NOT_PLAYED)]
    return [run for run in played if (run.calls[-1][0] * speed(run) > QUICK_SECONDS) == slow]


def speed(run: Run) -> float:
    depends_on_storage = run.lease != REAL_LEASE_SECONDS or run.file.startswith(("d_", "h_"))
    return 1.0 if depends_on_storage else SPEED


async def differences(several: list[Run], storage: str) -> list[str]:
    """Runs that came out differently, or should have; all are played at once."""
    played = await asyncio.gather(*(play(run, storage, speed(run)) for run in several))
    wrong = []
    for run, result in zip(several, played, strict=True):
        ours, real = traces(result), traces(recorded_calls(run))
        parts = {name: (ours[name], real[name]) for name in ours if ours[name] != real[name]}
        if bool(parts) != any(row.holds(run) for row in DIFFERS):
            wrong.append(f"{run.name}: {parts or 'differs no longer'}")
    return wrong


async def test_the_pump_calls_storage_as_the_listener_does(storage: str) -> None:
    assert await differences(runs(slow=False), storage) == []


@pytest.mark.slow
async def test_the_pump_calls_storage_as_the_listener_does_over_minutes(storage: str) -> None:
    assert await differences(runs(slow=True), storage) == []


def test_each_row_is_about_some_run() -> None:
    every = [run for file in FILES for run in read_runs(file, OPTIONS)]
    idle = [row for row in NOT_PLAYED + DIFFERS if not any(row.holds(run) for run in every)]
    assert idle == []
