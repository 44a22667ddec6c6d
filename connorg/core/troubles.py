"""What an operator should look at: failures, poison messages, a queue that is not read."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from connorg.contract.health import Check
from connorg.contract.onboarding import Status
from connorg.contract.problems import ErrorCode
from connorg.contract.storage_names import POISON_QUEUES, WORK_QUEUES
from connorg.core.ports import Backlog, Ledger, MessageQueue, OnboardingFilter

_RECENT = timedelta(hours=24)
# A message has the time when it was put, not when it was due. Most are hidden for 15 minutes
# at most.
_LEFT_ALONE = timedelta(minutes=30)
_MOST_CODES = 5


async def troubles(
    ledger: Ledger, queues: Mapping[str, MessageQueue], now: datetime
) -> tuple[Check, ...]:
    """Return a check each for failures, poison messages and queues. `queues`: by their names.

    Raise StorageUnavailableError.
    """
    failures, backlogs = await asyncio.gather(
        _failures(ledger, now), asyncio.gather(*(queue.backlog() for queue in queues.values()))
    )
    by_name = dict(zip(queues, backlogs, strict=True))
    read = (stalled(name, by_name[name], now) for name in WORK_QUEUES)
    return (failures, _poison({name: by_name[name].messages for name in POISON_QUEUES}), *read)


async def _failures(ledger: Ledger, now: datetime) -> Check:
    which = OnboardingFilter(status=Status.FAILED, since=now - _RECENT)
    codes = Counter([one.code or ErrorCode.UNKNOWN async for one in ledger.outline(which)])
    if not codes:
        return Check(name="failures", status="healthy")
    named = ", ".join(f"{count} {code}" for code, count in codes.most_common(_MOST_CODES))
    return Check(
        name="failures",
        status="failed",
        detail=f"{codes.total()} of the onboardings accepted in the last 24 hours failed: {named}.",
        action="GET onboardings/summary?status=Failed&since=24h says what to do about each code.",
    )


def _poison(messages: Mapping[str, int]) -> Check:
    found = [f"{count} in {name}" for name, count in messages.items() if count]
    if not found:
        return Check(name="poison", status="healthy")
    return Check(
        name="poison",
        status="poisoned",
        detail=f"Messages that could not be handled: {', '.join(found)}.",
        action="They are closed within ten minutes. If they stay, read the function app's log.",
    )


def stalled(name: str, backlog: Backlog, now: datetime) -> Check:
    """Return whether somebody reads a queue: the Functions host's listener can end silently."""
    since = backlog.overdue_since
    check = f"reader of {name}"
    if since is None or now - since < _LEFT_ALONE:
        return Check(name=check, status="healthy")
    minutes = int((now - since).total_seconds() / 60)
    return Check(
        name=check,
        status="stalled",
        detail=f"The oldest message of the queue {name} was put there {minutes} minutes ago, and"
        " no function reads it.",
        action="Restart the function app. Check that its identity may read the queue, and that the"
        " queue's function is not disabled.",
    )
