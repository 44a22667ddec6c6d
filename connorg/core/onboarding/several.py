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


@dataclass(frozen=True)
class _Several:
    """Does one thing to each onboarding that has one of the statuses."""

    statuses: tuple[Status, ...]
    otherwise: Reason
    """Why one of another status, or whose request could not be read, is left as it is."""
    act: Callable[[Services, str, str | None], Awaitable[Submitted | Conflict | None]]

    async def __call__(
        self,
        services: Services,
        choice: Choice,
        limit: int,
        *,
        dry_run: bool,
        by: str | None = None,
    ) -> Outcomes:
        """Do it to `limit` at the most, newest first. A dry run changes nothing.

        `by`: who requests it. Raise StorageUnavailableError: the call may be repeated.
        """
        found, more = await _chosen(services, choice, limit, self.statuses)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(onboarding_id: str, held: Onboarding | None) -> Outcome:
            if held is None:
                return Outcome(onboarding_id, None, None)
            if held.status not in self.statuses or held.request is None:
                return Outcome(onboarding_id, held, Conflict(self.otherwise, held.id, held))
            if dry_run:
                return Outcome(onboarding_id, held, Submitted(held, fresh=False))
            async with at_once:
                return Outcome(onboarding_id, held, await self.act(services, onboarding_id, by))

        return Outcomes(tuple(await asyncio.gather(*(one(*each) for each in found))), more)


replay_several = _Several((Status.FAILED,), Reason.NOT_FAILED, replay)
"""Replay those that failed."""
cancel_several = _Several((Status.NOT_STARTED, Status.WAITING), Reason.NOT_CANCELABLE, cancel)
"""Cancel those that wait."""


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
