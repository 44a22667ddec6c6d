"""One step of an attempt at Graph: from an onboarding that holds the lease to an outcome.

the tenant behind it ──► refused by policy · connected under its other name by somebody else: wait
   │
 in doubt ──► search ──► found: adopt it
   │           └─ nothing: wait until a search can be believed
   ▼
 create ──► created
    ├─ refused as a duplicate ──► search ──► found: adopt it
    │                                └─ nothing: once more in doubt, then refused
    └─ setback

Once the organization stands, each sponsor is a step of its own.
"""

import asyncio
from datetime import datetime, timedelta

from connorg.contract.history import HistoryEntry, Step
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError
from connorg.contract.organization import (
    ConnectedOrganization,
    Tenant,
    differences,
    sponsor_differences,
)
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.core.domain.errors import already_connected, graph_timeout
from connorg.core.domain.history import step
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Connected,
    Later,
    Outcome,
    Refused,
    Setback,
)
from connorg.core.onboarding.lookups import look_up_tenant, missing_sponsors
from connorg.core.ports import OrganizationGateway
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate

_CLOCK_SKEW = timedelta(minutes=5)  # between Graph's clock and ours


async def attempt(
    services: Services, onboarding: Onboarding, gate: Gate, limit: float
) -> tuple[Outcome, tuple[HistoryEntry, ...]]:
    """Take the next step within `limit` seconds. Return what it came to, and what was looked up.

    `gate`: as it was read before the lease was taken. Raise StorageUnavailableError: the attempt
    stays unconcluded.
    """
    request = onboarding.request
    if request is None:
        raise AssertionError("an onboarding without a request never gets the lease")
    connecting = _Connecting(services, onboarding, request, gate)
    outcome: Outcome
    try:
        async with asyncio.timeout(limit):
            if onboarding.sponsors_to_add:
                outcome = await _add_sponsor(services.gateway, onboarding)
            else:
                outcome = await connecting.run()
    except TimeoutError:
        outcome = Later(graph_timeout(limit), ambiguous=True)
    return outcome, tuple(connecting.looked_up)


async def _add_sponsor(gateway: OrganizationGateway, onboarding: Onboarding) -> Outcome:
    if onboarding.result is None:
        raise AssertionError("sponsors are added to an organization that stands")
    return await gateway.add_sponsor(onboarding.result.id, onboarding.sponsors_to_add[0])


class _Connecting:
    def __init__(
        self, services: Services, onboarding: Onboarding, request: OnboardingRequest, gate: Gate
    ) -> None:
        self._services = services
        self._gateway = services.gateway
        self._onboarding = onboarding
        self._request = request
        self._gate = gate
        self._now = services.clock.now()
        self._doubt_until = onboarding.doubt_until
        self._tenant: Tenant | None = None
        self._earlier: Onboarding | None = None
        """One that ended, and was the last to connect the same tenant."""
        self.looked_up: list[HistoryEntry] = []

    async def run(self) -> Outcome:
        policy, channel = self._services.policy, self._onboarding.channel
        refusal = policy.early_refusal(self._request, channel)
        if refusal is not None:
            return Refused(refusal.error)
        setback = await self._look_up_tenant()
        if setback is not None:
            return setback
        refusal = policy.refusal(self._request, channel, self._tenant)
        if refusal is not None:
            return Refused(refusal.error)
        if self._doubt_until is not None:
            outcome = await self._look_up(self._doubt_until)
            if outcome is not None:
                return outcome
        return await self._take_tenant() or await self._create()

    async def _look_up_tenant(self) -> Setback | None:
        """Learn which tenant it is, and whether another onboarding knows it by another name."""
        found = await look_up_tenant(self._services, self._request.identity_source, self._gate)
        if found is None:
            return None
        if not isinstance(found, Tenant):
            self._note("the tenant is not known", found.error)
            return found
        self._note(f"tenant {found.tenant_id}")
        self._tenant = found
        if self._onboarding.batch_row is not None:
            self._request = self._request.named_by_tenant(found.display_name)
        other = await self._services.ledger.claim_tenant(found.tenant_id.lower(), self._onboarding)
        if other is None:
            return None
        if not other.status.terminal:
            return Later(_under_way(other))
        self._earlier = other
        if other.deleted_date_time is None:
            # It connected the tenant, or tried to; Graph may list that a little later.
            listed = other.last_action_date_time + timedelta(seconds=self._services.timing.settle)
            doubts = (self._doubt_until, other.doubt_until, listed)
            self._doubt_until = max(doubt for doubt in doubts if doubt is not None)
        return None

    async def _take_tenant(self) -> Setback | None:
        """Follow the one that ended: not before it is known that it left no organization."""
        if self._tenant is None or self._earlier is None:
            return None
        tenant_id = self._tenant.tenant_id.lower()
        rival = await self._services.ledger.claim_tenant(tenant_id, self._onboarding, self._earlier)
        return None if rival is None else Later(_under_way(rival))

    async def _look_up(self, doubt_until: datetime) -> Outcome | None:
        """Find out what became of an earlier POST; None: it did nothing."""
        found = await self._search()
        if found is not None:
            return found
        if doubt_until <= self._now:
            return None
        error = self._earlier_refusal or OnboardingError(
            code=ErrorCode.NOT_LISTED_YET,
            message="An earlier call to Microsoft Graph ended without an answer. The organization"
            " is not listed, but Graph may list it a little later than it creates it.",
        )
        return Later(error, retry_after=(doubt_until - self._now).total_seconds())

    async def _create(self) -> Outcome:
        answer = await self._gateway.create(self._request)
        if isinstance(answer, ConnectedOrganization):
            return self._created(answer)
        if not isinstance(answer, AlreadyConnected):
            return answer
        found = await self._search()
        if found is not None:
            return found
        if self._earlier_refusal is not None:
            return Refused(_not_found())  # as long ago as Graph may take to list it
        return Later(answer.error, ambiguous=True)

    @property
    def _earlier_refusal(self) -> OnboardingError | None:
        """Give the refusal as a duplicate to which alone the last attempts came; else None."""
        last_error = self._onboarding.last_error
        is_duplicate = last_error is not None and last_error.code == ErrorCode.ALREADY_CONNECTED
        return last_error if is_duplicate else None

    async def _search(self) -> Outcome | None:
        found = await self._gateway.find(self._request, self._tenant)
        if isinstance(found, ConnectedOrganization):
            self._note(f"organization {found.id}")
        else:
            self._note("no organization is listed", found.error if found else None)
        return await self._adopt(found) if isinstance(found, ConnectedOrganization) else found

    async def _adopt(self, found: ConnectedOrganization) -> Outcome:
        differing = differences(self._request.attributes, found.attributes)
        if self._is_our_own(found) and not differing:
            return self._created(found)
        if self._request.if_exists is IfExists.FAIL:
            return Refused(already_connected(found.id))
        lacked = await missing_sponsors(self._gateway, self._request, found)
        if not isinstance(lacked, tuple):
            return lacked
        all_differences = differing + sponsor_differences(lacked)
        if self._request.if_exists is not IfExists.UPDATE or not all_differences:
            return Connected(Conclusion.EXISTING, self._with_tenant(found), all_differences)
        if differing:
            answer = await self._gateway.update(found, self._request.attributes)
            if not isinstance(answer, ConnectedOrganization):
                return answer
            found = answer
        return Connected(Conclusion.UPDATED, self._with_tenant(found), all_differences, lacked)

    def _note(self, outcome: str, error: OnboardingError | None = None) -> None:
        now = self._services.clock.now()
        self.looked_up.append(step(now, Step.LOOKED_UP, outcome, error))

    def _created(self, organization: ConnectedOrganization) -> Connected:
        sponsors = self._request.sponsorships
        return Connected(
            Conclusion.CREATED, self._with_tenant(organization), sponsors_to_add=sponsors
        )

    def _with_tenant(self, organization: ConnectedOrganization) -> ConnectedOrganization:
        return organization.model_copy(update={"tenant": self._tenant})

    def _is_our_own(self, found: ConnectedOrganization) -> bool:
        """Tell whether an earlier attempt of this onboarding created what was found."""
        if self._onboarding.doubt_until is None or found.created_date_time is None:
            return False
        return found.created_date_time >= self._onboarding.created_date_time - _CLOCK_SKEW


def _under_way(other: Onboarding) -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.TENANT_UNDER_WAY,
        message=f"Onboarding {other.id} is connecting the same tenant by another name of it.",
    )


def _not_found() -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.CONNECTED_BUT_NOT_FOUND,
        message="Microsoft Graph refuses the identity source because it is connected already, and"
        " lists no organization for it. It may stand for the tenant to which the domain belongs.",
        action="Grant the app's identity CrossTenantInformation.ReadBasic.All, so that it can learn"
        " of which tenant a domain is; then replay this onboarding.",
    )
