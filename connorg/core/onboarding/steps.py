"""One step of an attempt at Graph: from an onboarding that holds the lease to an outcome.

the tenant behind it ──► refused by policy · connected under its other name by somebody else: wait
   │
 in doubt ──► search ──► found: adopt it
   │           └─ nothing: wait until a search can be believed
   ▼
 create ──► created
    ├─ refused as a duplicate ──► search ──► found: adopt it
    │                                └─ nothing: once more in doubt, then refused
    ├─ refused ──► search ──► found: adopt it
    │                └─ nothing: refused
    └─ setback

A search without a reliable result is a setback: because of it nothing is posted or refused.

Once the organization exists, each sponsor is a step of its own.
"""

import asyncio
from dataclasses import replace
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
from connorg.core.domain.errors import (
    already_connected,
    graph_timeout,
    no_tenant,
    tenant_not_known,
)
from connorg.core.domain.history import step
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Blocked,
    Connected,
    Later,
    Namesake,
    Outcome,
    Refused,
    Setback,
)
from connorg.core.onboarding.lookups import (
    NoTenant,
    is_without_tenant,
    look_up_tenant,
    missing_sponsors,
)
from connorg.core.ports import OrganizationGateway
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate

_CLOCK_SKEW = timedelta(minutes=5)  # between Graph's clock and ours
_PATIENT_ATTEMPTS = 3  # before an attempt continues without a lookup that can't be understood


async def attempt(
    services: Services, onboarding: Onboarding, gate: Gate, limit: float
) -> tuple[Outcome, tuple[HistoryEntry, ...]]:
    """Take the next step within `limit` seconds. Return its result, and what was looked up.

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
        error = connecting.duplicate or graph_timeout(limit)
        outcome = Later(error, ambiguous=connecting.posted_at is not None)
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
        self._tenant_unknown = False
        self._has_no_tenant = False
        self._earlier: Onboarding | None = None
        """One that ended, and was the last to connect the same tenant."""
        self.looked_up: list[HistoryEntry] = []
        self.posted_at: datetime | None = None
        """When the create was sent; None: this attempt has sent none."""
        self.duplicate: OnboardingError | None = None
        """What Graph said where it refused the create as a duplicate."""

    async def run(self) -> Outcome:
        policy, channel = self._services.policy, self._onboarding.channel
        refusal = policy.early_refusal(self._request, channel)
        if refusal is not None:
            return Refused(refusal.error)
        setback = await self._look_up_tenant()
        if setback is not None:
            return setback
        if policy.tenant_only and self._tenant_unknown:
            return Later(tenant_not_known())
        refusal = policy.refusal(self._request, channel, self._tenant, has_none=self._has_no_tenant)
        if refusal is not None:
            return Refused(refusal.error)
        if self._doubt_until is not None:
            outcome = await self._look_up(self._doubt_until)
            if outcome is not None:
                return outcome
        return await self._take_tenant() or await self._create()

    async def _look_up_tenant(self) -> Setback | None:
        """Learn which tenant it is, and whether another onboarding knows it by another name."""
        patient = self._onboarding.attempts < _PATIENT_ATTEMPTS
        found = await look_up_tenant(
            self._services, self._request.identity_source, self._gate, patient=patient
        )
        if isinstance(found, NoTenant):
            self._tenant_unknown = found is NoTenant.UNKNOWN
            self._has_no_tenant = is_without_tenant(self._request.identity_source, found)
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
        believed = doubt_until <= self._now
        found = await self._search(since=doubt_until, quick=not believed)
        if found is not None and not isinstance(found, Namesake):
            return found
        if believed:
            return None
        error = self._earlier_refusal or OnboardingError(
            code=ErrorCode.NOT_LISTED_YET,
            message="An earlier call to Microsoft Graph ended without an answer. The organization"
            " is not listed, but Graph may list it a little later than it creates it.",
        )
        return Later(error, retry_after=(doubt_until - self._now).total_seconds())

    async def _create(self) -> Outcome:
        self.posted_at = self._services.clock.now()
        answer = await self._gateway.create(self._request)
        match answer:
            case ConnectedOrganization():
                return self._created(answer)
            case AlreadyConnected(error):
                return await self._of_duplicate(error, self.posted_at)
            case Refused(of_body=False):
                return await self._of_refused(answer)
        return answer

    async def _of_duplicate(self, error: OnboardingError, posted_at: datetime) -> Outcome:
        self.duplicate = error
        # What was refused as one before is by now as old as Graph may take to list it.
        is_second = self._earlier_refusal is not None
        found = await self._search(since=self._doubt_until if is_second else posted_at)
        if isinstance(found, Later):
            return replace(found, ambiguous=True)  # the next attempt looks before it posts
        if found is not None and not isinstance(found, Namesake):
            return found
        if not is_second:
            return Later(error, ambiguous=True)
        if found is None or self._tenant_unknown:  # the namesake may be it
            return Refused(_not_found(self._tenant_unknown))
        return Refused(_name_taken(found))

    async def _of_refused(self, refused: Refused) -> Outcome:
        """Refuse for good only what does not exist, whatever Graph says."""
        found = await self._search(since=self._doubt_until)
        if isinstance(found, Later):
            error = found.error if found.throttled else refused.error
            return replace(found, error=error, ambiguous=True)
        return refused if found is None or isinstance(found, Namesake) else found

    @property
    def _earlier_refusal(self) -> OnboardingError | None:
        """Return the refusal as a duplicate to which alone the last attempts came; else None."""
        last_error = self._onboarding.last_error
        is_duplicate = last_error is not None and last_error.code == ErrorCode.ALREADY_CONNECTED
        return last_error if is_duplicate else None

    async def _search(
        self, *, since: datetime | None = None, quick: bool = False
    ) -> Outcome | Namesake | None:
        found = await self._gateway.find(
            self._request,
            self._tenant,
            tenant_unknown=self._tenant_unknown,
            since=since,
            quick=quick,
        )
        if isinstance(found, ConnectedOrganization):
            self._note(f"organization {found.id}")
            return await self._adopt(found)
        error = found.error if isinstance(found, Later | Blocked) else None
        self._note("no organization is listed", error)
        return found

    async def _adopt(self, found: ConnectedOrganization) -> Outcome:
        differing = differences(self._request.attributes, found.attributes)
        if self._is_our_own(found) and not differing:
            return self._created(found)
        if self._request.if_exists is IfExists.FAIL:
            return Refused(already_connected(found.id))
        warnings = self._warnings
        lacked = await missing_sponsors(self._gateway, self._request, found)
        if isinstance(lacked, Refused) and not lacked.not_found:
            warnings, lacked = (*warnings, lacked.error), ()
        if not isinstance(lacked, tuple):
            return _as_seen_later(lacked)
        all_differences = differing + sponsor_differences(lacked)
        conclusion, to_add = Conclusion.EXISTING, lacked[:0]
        if self._request.if_exists is IfExists.UPDATE and all_differences:
            conclusion, to_add = Conclusion.UPDATED, lacked
            if differing:
                answer = await self._gateway.update(found, self._request.attributes)
                if isinstance(answer, ConnectedOrganization):
                    found = answer
                elif isinstance(answer, Refused) and not answer.not_found:
                    warnings += (answer.error,)  # it exists all the same, as it was
                    conclusion = Conclusion.EXISTING
                else:
                    return _as_seen_later(answer)
        return Connected(conclusion, self._with_tenant(found), all_differences, to_add, warnings)

    def _note(self, outcome: str, error: OnboardingError | None = None) -> None:
        now = self._services.clock.now()
        self.looked_up.append(step(now, Step.LOOKED_UP, outcome, error))

    def _created(self, organization: ConnectedOrganization) -> Connected:
        sponsors = self._request.sponsorships
        return Connected(
            Conclusion.CREATED,
            self._with_tenant(organization),
            sponsors_to_add=sponsors,
            warnings=self._warnings,
        )

    @property
    def _warnings(self) -> tuple[OnboardingError, ...]:
        """Return what holds however the organization came about."""
        domain = self._request.identity_source.partner_name
        return (no_tenant(domain),) if self._has_no_tenant and domain else ()

    def _with_tenant(self, organization: ConnectedOrganization) -> ConnectedOrganization:
        return organization.model_copy(update={"tenant": self._tenant})

    def _is_our_own(self, found: ConnectedOrganization) -> bool:
        """Whether an earlier attempt of this onboarding created what was found."""
        if self._onboarding.doubt_until is None or found.created_date_time is None:
            return False
        return found.created_date_time >= self._onboarding.created_date_time - _CLOCK_SKEW


def _under_way(other: Onboarding) -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.TENANT_UNDER_WAY,
        message=f"Onboarding {other.id} is connecting the same tenant by another name of it.",
    )


def _as_seen_later(setback: Setback) -> Setback:
    """Return the setback of a call about an organization that was just found.

    One that is not found is not visible everywhere yet, or deleted: the next search will show.
    """
    if isinstance(setback, Refused) and setback.not_found:
        unseen = setback.error.model_copy(update={"code": ErrorCode.NOT_LISTED_YET, "action": None})
        return Later(unseen)
    return setback


def _name_taken(namesake: Namesake) -> OnboardingError:
    other = namesake.organization
    return OnboardingError(
        code=ErrorCode.REFUSED_BY_GRAPH,
        message="Microsoft Graph refuses it as a duplicate, and no organization has its identity"
        f" source: the name is taken by organization {other.id}.",
        action="Ask for it under another displayName.",
    )


def _not_found(tenant_unknown: bool) -> OnboardingError:  # noqa: FBT001
    message = (
        "Microsoft Graph refuses the identity source because it is connected already, and lists no"
        " organization for it."
    )
    if tenant_unknown:
        return OnboardingError(
            code=ErrorCode.CONNECTED_BUT_NOT_FOUND,
            message=f"{message} It may be connected as the tenant that the domain belongs to.",
            action="Grant the app's identity CrossTenantInformation.ReadBasic.All, so that it can"
            " learn of which tenant a domain is; then replay this onboarding.",
        )
    return OnboardingError(
        code=ErrorCode.CONNECTED_BUT_NOT_FOUND,
        message=message,
        action="Look for it in the Entra admin center, also among what was deleted a short while"
        " ago; then replay this onboarding.",
    )
