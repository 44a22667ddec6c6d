"""One attempt at Graph: from an onboarding that holds the lease to an outcome.

in doubt ──► search ──► found: adopt it
   │           └─ nothing: wait until a search can be believed
   ▼
 create ──► created
    ├─ refused as a duplicate ──► search ──► found: adopt it
    └─ setback
"""

import asyncio
from datetime import datetime, timedelta

from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError
from connorg.contract.organization import ConnectedOrganization, differences
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.outcomes import AlreadyConnected, Connected, Later, Outcome, Refused
from connorg.ports import Clock, Directory

_CLOCK_SKEW = timedelta(minutes=5)  # between Graph's clock and ours


async def attempt(
    onboarding: Onboarding, directory: Directory, clock: Clock, limit: float
) -> Outcome:
    """Try to connect the organization within `limit` seconds. Never raises."""
    request = onboarding.request
    if request is None:
        raise AssertionError("an onboarding without a request never gets the lease")
    try:
        async with asyncio.timeout(limit):
            return await _Attempt(onboarding, request, directory, clock.now()).run()
    except TimeoutError:
        error = OnboardingError(
            code="GraphTimeout",
            message=f"Microsoft Graph did not answer within {limit:.0f} seconds.",
        )
        return Later(error, ambiguous=True)


class _Attempt:
    def __init__(
        self,
        onboarding: Onboarding,
        request: OnboardingRequest,
        directory: Directory,
        now: datetime,
    ) -> None:
        self._onboarding = onboarding
        self._request = request
        self._directory = directory
        self._now = now

    async def run(self) -> Outcome:
        if self._onboarding.doubt_until is not None:
            outcome = await self._look_up()
            if outcome is not None:
                return outcome
        return await self._create()

    async def _look_up(self) -> Outcome | None:
        """Find out what became of an earlier POST; None: it did nothing."""
        found = await self._search()
        if found is not None:
            return found
        doubt_until = self._onboarding.doubt_until
        if doubt_until is None or doubt_until <= self._now:
            return None
        error = OnboardingError(
            code="NotListedYet",
            message="An earlier call to Microsoft Graph ended without an answer. The organization"
            " is not listed, but Graph may list it a little later than it creates it.",
        )
        return Later(error, retry_after=(doubt_until - self._now).total_seconds())

    async def _create(self) -> Outcome:
        answer = await self._directory.create(self._request)
        if isinstance(answer, ConnectedOrganization):
            return Connected(Conclusion.CREATED, answer)
        if not isinstance(answer, AlreadyConnected):
            return answer
        return await self._search() or Later(answer.error, ambiguous=True)

    async def _search(self) -> Outcome | None:
        found = await self._directory.find(self._request)
        return await self._adopt(found) if isinstance(found, ConnectedOrganization) else found

    async def _adopt(self, found: ConnectedOrganization) -> Outcome:
        differing = differences(self._request.attributes, found.attributes)
        if self._is_our_own(found) and not differing:
            return Connected(Conclusion.CREATED, found)
        if self._request.if_exists is IfExists.FAIL:
            return Refused(already_connected(found.id))
        if self._request.if_exists is IfExists.UPDATE and differing:
            answer = await self._directory.update(found, self._request)
            if isinstance(answer, ConnectedOrganization):
                return Connected(Conclusion.UPDATED, answer)
            return answer
        return Connected(Conclusion.EXISTING, found, differing)

    def _is_our_own(self, found: ConnectedOrganization) -> bool:
        """Tell whether an earlier attempt of this onboarding created what was found."""
        if self._onboarding.doubt_until is None or found.created_date_time is None:
            return False
        return found.created_date_time >= self._onboarding.created_date_time - _CLOCK_SKEW


def already_connected(organization_id: str) -> OnboardingError:
    return OnboardingError(
        code="AlreadyConnected",
        message=f"The identity source is connected already, as organization {organization_id}.",
        action="Leave ifExists out to take the organization as it is, or ask for 'update'.",
    )
