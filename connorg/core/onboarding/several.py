"""Replay or cancel several onboardings at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from connorg.contract.onboarding import Onboarding, Status
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.onboarding.records import read_kept
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.ports import OnboardingFilter
from connorg.core.services import Services

_AT_ONCE = 8  # so that a call leaves storage to others too

type Choice = OnboardingFilter | Sequence[str]
"""Those that match, or those with these ids."""


@dataclass(frozen=True)
class Outcome:
    """What became of one. `onboarding`: as it was; None: there is no such onboarding."""

    id: str
    onboarding: Onboarding | None
    result: Submitted | Conflict | None


@dataclass(frozen=True)
class Outcomes:
    each: tuple[Outcome, ...]
    more: bool
    """Whether more match."""


async def replay_several(
    services: Services, choice: Choice, limit: int, *, dry_run: bool, by: str | None = None
) -> Outcomes:
    """Replay those that failed, `limit` at the most, newest first. A dry run changes nothing.

    Raise StorageUnavailableError: the call may be repeated.
    """
    return await _several(
        services,
        choice,
        limit,
        (Status.FAILED,),
        Reason.NOT_FAILED,
        None if dry_run else lambda onboarding_id: replay(services, onboarding_id, by),
    )


async def cancel_several(
    services: Services, choice: Choice, limit: int, *, dry_run: bool, by: str | None = None
) -> Outcomes:
    """Cancel those that wait, `limit` at the most, newest first. A dry run changes nothing.

    Raise StorageUnavailableError: the call may be repeated.
    """
    return await _several(
        services,
        choice,
        limit,
        (Status.NOT_STARTED, Status.WAITING),
        Reason.NOT_CANCELABLE,
        None if dry_run else lambda onboarding_id: cancel(services, onboarding_id, by),
    )


async def _several(  # noqa: PLR0913, PLR0917
    services: Services,
    choice: Choice,
    limit: int,
    statuses: tuple[Status, ...],
    otherwise: Reason,
    act: Callable[[str], Awaitable[Submitted | Conflict | None]] | None,
) -> Outcomes:
    found, more = await _chosen(services, choice, limit, statuses)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(onboarding_id: str, held: Onboarding | None) -> Outcome:
        if held is None:
            return Outcome(onboarding_id, None, None)
        if held.status not in statuses or held.request is None:
            return Outcome(onboarding_id, held, Conflict(otherwise, held.id, held))
        if act is None:
            return Outcome(onboarding_id, held, Submitted(held, fresh=False))
        async with at_once:
            return Outcome(onboarding_id, held, await act(onboarding_id))

    return Outcomes(tuple(await asyncio.gather(*(one(*each) for each in found))), more)


async def _chosen(
    services: Services, choice: Choice, limit: int, statuses: tuple[Status, ...]
) -> tuple[list[tuple[str, Onboarding | None]], bool]:
    if not isinstance(choice, OnboardingFilter):
        ids = list(dict.fromkeys(choice))
        held = await asyncio.gather(*(read_kept(services.ledger, each) for each in ids))
        return list(zip(ids, held, strict=True)), False
    wanted = [status for status in statuses if choice.status in {None, status}]
    pages = await asyncio.gather(
        *(services.ledger.list(replace(choice, status=one), limit, None) for one in wanted)
    )
    matching = [onboarding for page in pages for onboarding in page.onboardings]
    matching.sort(key=lambda onboarding: onboarding.created_date_time, reverse=True)
    more = len(matching) > limit or any(page.continuation for page in pages)
    return [(each.id, each) for each in matching[:limit]], more
