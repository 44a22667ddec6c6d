"""How the durations stand to each other, by default and at the ends of what may be set."""

import json
import math
from collections.abc import Mapping

import pytest

from connorg.callback_receiver import HttpReceiver
from connorg.core import callbacks
from connorg.core.domain.timing import Timing
from connorg.core.throttle import throttle
from connorg.functions.timers import observe, purge
from connorg.settings import Settings, settings
from connorg.storage import connection
from connorg.wiring import _timing
from infra.local.child import ROOT

MINUTE, HOUR, DAY = 60.0, 60 * 60.0, 24 * 60 * 60.0
FUNCTION_TIMEOUT = 5 * MINUTE
LOAD_BALANCER = 230.0  # seconds that Azure lets a caller wait
POISON_KEPT = 7 * DAY

SHORTEST = {
    "CONNORG_ATTEMPT_SECONDS": "1",
    "CONNORG_SETTLE_SECONDS": "0",
    "CONNORG_BLOCKED_RETRY_SECONDS": "1",
    "CONNORG_RETENTION_DAYS": "8",
    "CONNORG_CALLBACK_RETRY_SECONDS": "0.001",
}
LONGEST = {
    "CONNORG_ATTEMPT_SECONDS": "100",
    "CONNORG_SETTLE_SECONDS": "600",
    "CONNORG_BLOCKED_RETRY_SECONDS": "3600",
    "CONNORG_GIVE_UP_HOURS": "168",
    "CONNORG_RETENTION_DAYS": "8",
    "CONNORG_CALLBACK_RETRY_SECONDS": "900",
}


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields.values():
        monkeypatch.delenv(name.alias or "", raising=False)
    settings.cache_clear()


def timing_with(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> Timing:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return _timing()


@pytest.mark.parametrize("values", [{}, SHORTEST, LONGEST], ids=["default", "shortest", "longest"])
async def test_what_must_end_first_is_shorter(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    timing = timing_with(monkeypatch, values)
    async with HttpReceiver(())._session as session:  # noqa: SLF001
        call_back = session.timeout.total or math.inf
    calling = callbacks._LEASE  # noqa: SLF001
    hold = throttle._HOLD  # noqa: SLF001
    write = connection._PATIENCE["read_timeout"]  # noqa: SLF001
    for first, then in (
        # Who takes over an attempt finds it ended, and what it came to written.
        (timing.attempt_limit + write, timing.lease + 0.001),
        # The host ends a function.
        (hold + timing.lease, FUNCTION_TIMEOUT),
        (timing.purge_limit + MINUTE, FUNCTION_TIMEOUT),
        (call_back, calling),
        (calling, FUNCTION_TIMEOUT),
        # Pauses grow.
        (timing.shortest_backoff, timing.longest_backoff),
        (timing.callback_retry, timing.longest_backoff + 0.001),
        (timing.longest_backoff, timing.give_up),
        (timing.longest_backoff, timing.callback_give_up),
        (timing.settle, timing.give_up),
        (timing.blocked_retry, timing.give_up),
        (timing.lookup_retry, timing.give_up),
        # What may still be asked for is kept.
        (timing.give_up, timing.retention),
        (timing.callback_give_up, timing.retention),
        (POISON_KEPT, timing.retention),
        # A wave is spread over more than the second in which Graph counts.
        (1, timing.jitter),
    ):
        assert first < then


def test_the_host_ends_a_function_after_five_minutes() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    hours, minutes, seconds = (int(part) for part in host["functionTimeout"].split(":"))
    assert (hours * 60 + minutes) * 60 + seconds == FUNCTION_TIMEOUT


def test_the_ledger_is_purged_once_a_night_and_the_queue_looked_at_each_minute() -> None:
    second, minute, hour, *days = purge.EVERY_NIGHT.split()
    assert all(part.isdigit() for part in (second, minute, hour))
    assert days == ["*", "*", "*"]
    assert observe.EACH_MINUTE.split() == ["0", "*", "*", "*", "*", "*"]


def test_a_caller_is_answered_before_azure_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNORG_WAIT_SECONDS", "100")
    settings.cache_clear()
    assert settings().wait_seconds < LOAD_BALANCER / 2


@pytest.mark.parametrize(
    ("setting", "value", "field", "seconds"),
    [
        ("CONNORG_ATTEMPT_SECONDS", "7", "attempt_limit", 7),
        ("CONNORG_SETTLE_SECONDS", "7", "settle", 7),
        ("CONNORG_BLOCKED_RETRY_SECONDS", "7", "blocked_retry", 7),
        ("CONNORG_GIVE_UP_HOURS", "7", "give_up", 7 * HOUR),
        ("CONNORG_RETENTION_DAYS", "9", "retention", 9 * DAY),
        ("CONNORG_RETENTION_DAYS", "0", "retention", 0),
        ("CONNORG_CALLBACK_RETRY_SECONDS", "7", "callback_retry", 7),
    ],
)
def test_a_setting_sets_its_duration_in_its_unit_and_no_other(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, field: str, seconds: float
) -> None:
    assert timing_with(monkeypatch, {setting: value}) == Timing(**{field: seconds})


def test_without_settings_the_durations_are_those_of_the_core() -> None:
    assert _timing() == Timing()
