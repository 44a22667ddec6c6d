"""What came in, what became of it, and what waits and why."""

import asyncio
from collections import Counter
from datetime import datetime

from connorg.contract.onboarding import Status
from connorg.contract.summary import CodeCount, GateView, HourCount, Summary
from connorg.core.ports import Ledger, OnboardingFilter, OnboardingOutline
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.core.throttle.throttle import THROTTLED

_HOURS = 168
_TROUBLED = frozenset({Status.FAILED, Status.WAITING})


async def summarize(services: Services, which: OnboardingFilter) -> Summary:
    """Count the onboardings that match. Raise StorageUnavailableError."""
    counts = _Counts()
    async for outline in services.ledger.outline(which):
        counts.add(outline)
    gate, codes = await asyncio.gather(
        services.throttle.gate(), _with_advice(services.ledger, counts)
    )
    return Summary(
        total=counts.statuses.total(),
        by_status={status.value: counts.statuses[status] for status in Status},
        by_code=codes,
        by_channel=dict(counts.channels.most_common()),
        by_hour=counts.hours(),
        gate=_view(gate, services.clock.now()),
    )


class _Counts:
    def __init__(self) -> None:
        self.statuses: Counter[Status] = Counter()
        self.channels: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.newest: dict[str, OnboardingOutline] = {}
        """By code."""
        self._by_hour: Counter[tuple[datetime, Status]] = Counter()

    def add(self, outline: OnboardingOutline) -> None:
        self.statuses[outline.status] += 1
        self.channels[outline.channel] += 1
        hour = outline.made_at.replace(minute=0, second=0, microsecond=0)
        self._by_hour[hour, outline.status] += 1
        if outline.code is not None and outline.status in _TROUBLED:
            self.codes[outline.code] += 1
            newest = self.newest.setdefault(outline.code, outline)
            if outline.made_at > newest.made_at:
                self.newest[outline.code] = outline

    def hours(self) -> tuple[HourCount, ...]:
        hours = sorted({hour for hour, _ in self._by_hour})[-_HOURS:]
        return tuple(
            HourCount(
                hour=hour,
                accepted=sum(self._by_hour[hour, status] for status in Status),
                succeeded=self._by_hour[hour, Status.SUCCEEDED],
                failed=self._by_hour[hour, Status.FAILED],
            )
            for hour in hours
        )


async def _with_advice(ledger: Ledger, counts: _Counts) -> tuple[CodeCount, ...]:
    async def one(code: str, count: int) -> CodeCount:
        example = counts.newest[code].id
        held = await ledger.read(example)
        error = held.last_error if held else None
        action = error.action if error and error.code == code else None
        return CodeCount(code=code, count=count, action=action, example=example)

    codes = sorted(counts.codes.items(), key=lambda each: (-each[1], each[0]))
    return tuple(await asyncio.gather(*(one(code, count) for code, count in codes)))


def _view(gate: Gate, now: datetime) -> GateView:
    is_closed = gate.is_closed(now)
    error = gate.blocked or (THROTTLED if is_closed else None)
    return GateView(
        open=not is_closed,
        until=gate.closed_until if is_closed else None,
        reason=error.message if error else None,
        action=error.action if error else None,
    )
