"""Answers that people report from the real service and its neighbours, and what each must come to.

Whole onboardings by the real core and the SDK over HTTP, against the emulator, in time that is put
forward.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from azure.identity.aio import ManagedIdentityCredential

from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.core.domain.outcomes import Refused
from connorg.core.organizations import delete_organization, every_organization
from connorg.core.ports import OrganizationFilter, OrganizationPage
from tests.contract.graph_emulator import domain
from tests.contract.graphs import Emulator, emulated
from tests.contract.test_answers import on_emulator
from tests.unit.core.scene import Scene
from tests.unit.partners import domain_source

NAME = "partner.example"
CREATE = {"fault": "raw", "method": "POST", "path": "connectedOrganizations$"}
SPONSOR = {"fault": "raw", "method": "POST", "path": "internalSponsors"}
DUPLICATE = "ConnectedOrganizationAlreadyExists"
ADA = "ada@home.example"
SUCCEEDED, WAITING, FAILED = Status.SUCCEEDED, Status.WAITING, Status.FAILED
CREATED, EXISTING, UPDATED = Conclusion


def told(code: str, message: str = "No.", **more: Any) -> str:
    return json.dumps({"error": {"code": code, "message": message, **more}})


@dataclass(frozen=True)
class Row:
    rules: tuple[dict[str, Any], ...]
    status: Status
    conclusion: Conclusion | None = None
    code: str | None = None
    """Of the last error."""
    advice: str = ""
    stands: bool = False
    """Whether the organization is there before, and described otherwise."""
    config: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    posts: int | None = None
    """How many creates are sent; None: no matter."""


def create(status: int, body: str, times: int | None = None, **more: Any) -> dict[str, Any]:
    often = {} if times is None else {"times": times}
    return {**CREATE, "status": status, "body": body, **often, **more}


ROWS: Mapping[str, Row] = {
    "424 once": Row((create(424, told("FailedDependency"), 1),), SUCCEEDED, CREATED),
    "449 once": Row((create(449, told("RetryWith"), 1),), SUCCEEDED, CREATED),
    "425 once": Row((create(425, told("TooEarly"), 1),), SUCCEEDED, CREATED),
    "a PATCH of what was just found: 404 once": Row(
        ({"fault": "status", "method": "PATCH", "status": 404, "times": 1},),
        *(SUCCEEDED, UPDATED),
        stands=True,
        request={"ifExists": "update"},
    ),
    "sponsors of what was just found: 404 once": Row(
        (
            {
                "fault": "status",
                "method": "GET",
                "path": "internalSponsors",
                "status": 404,
                "times": 1,
            },
        ),
        *(SUCCEEDED, UPDATED),
        stands=True,
        request={"ifExists": "update", "internalSponsors": [ADA]},
    ),
    "carried out, 503, and filters are refused": Row(
        (create(503, told("ServiceUnavailable"), 1, commit=True),),
        *(SUCCEEDED, CREATED),
        config={"filters": "refused"},
        posts=1,
    ),
    "a duplicate, and filters find nothing": Row(
        (), SUCCEEDED, EXISTING, stands=True, config={"filters": "empty"}
    ),
    "a duplicate told in the message": Row(
        (create(400, told("BadRequest", f"It failed: {DUPLICATE}.")),),
        *(SUCCEEDED, EXISTING),
        stands=True,
    ),
    "a duplicate told in an inner error, in other letters": Row(
        (create(409, told("Conflict", innerError={"code": DUPLICATE.upper()})),),
        *(SUCCEEDED, EXISTING),
        stands=True,
    ),
    "409 for ever": Row(
        (create(409, told("Conflict")),), SUCCEEDED, EXISTING, stands=True, posts=1
    ),
    "403 for want of a licence": Row(
        (create(403, told("NoGovernanceSku")),), WAITING, code="LicenseMissing", advice="licence"
    ),
    "402": Row((create(402, told("PaymentRequired")),), WAITING, code="LicenseMissing"),
    "a licence at 400": Row(
        (create(400, told("BadRequest", "The tenant needs a premium license.")),),
        *(WAITING, None, "LicenseMissing"),
    ),
    "403 of throttling": Row(
        (create(403, told("activityLimitReached")),), WAITING, code="GraphThrottled"
    ),
    "a quota at 400": Row((create(400, told("QuotaExceeded")),), FAILED, code="TenantFull"),
    "404 to a create": Row(
        (create(404, told("ResourceNotFound", "No resource was found.")),),
        *(FAILED, None, "RefusedByGraph", "does not offer"),
    ),
    "an expired token": Row(
        (create(401, told("InvalidAuthenticationToken", "Access token has expired.")),),
        *(WAITING, None, "TokenRejected", "expired"),
    ),
    "a claims challenge": Row(
        (
            create(
                401,
                told("InvalidAuthenticationToken"),
                headers={"WWW-Authenticate": 'Bearer claims="e30="'},
            ),
        ),
        *(WAITING, None, "TokenRejected", "Conditional Access"),
    ),
    "the lookup is not offered, for ever": Row(
        ({"fault": "status", "path": "findTenantInformation", "status": 501},),
        *(SUCCEEDED, CREATED),
    ),
    "the lookup can't be read, for ever": Row(
        ({"fault": "html", "path": "findTenantInformation", "status": 200},), SUCCEEDED, CREATED
    ),
    "any other refusal of what stands": Row(
        (create(400, told("BadRequest")),), SUCCEEDED, EXISTING, stands=True
    ),
    "a page that is empty before each": Row(
        (), SUCCEEDED, EXISTING, stands=True, config={"emptyPages": True, "filters": "refused"}
    ),
}


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with emulated("v1.0") as emulator:
        yield emulator


@pytest.fixture
async def scene(emulator: Emulator) -> AsyncIterator[Scene]:
    async with ManagedIdentityCredential(retry_total=0) as credential:
        yield on_emulator(emulator, credential)


async def onboarded(scene: Scene, name: str = NAME, **changes: Any) -> Onboarding:
    """Onboard a partner until it ends, or has waited ten times."""
    held = await scene.submitted(20, identitySources=[domain_source(name)], **changes)
    for _ in range(10):
        if held.status.terminal:
            break
        scene.clock.moment = max(scene.clock.moment, held.due or scene.clock.moment)
        scene.clock.moment += timedelta(minutes=1)
        await scene.deliver()
        held = await scene.held(held)
    return held


async def posts(emulator: Emulator) -> int:
    sent = await emulator.requests("POST")
    return sum(request["path"].endswith("connectedOrganizations") for request in sent)


async def standing(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await emulator.graph.control("GET", "organizations")
    return found


@pytest.mark.parametrize("name", ROWS)
async def test_each_answer_comes_to_what_is_right(
    emulator: Emulator, scene: Scene, name: str
) -> None:
    row = ROWS[name]
    await emulator.graph.configure(**row.config)
    if row.stands:
        await emulator.graph.create(domain(NAME, description="As it was"))
    before = await posts(emulator)
    await emulator.graph.fail(*row.rules)
    held = await onboarded(scene, **row.request)
    error = held.last_error or OnboardingError(code="", message="")
    assert (held.status, held.conclusion) == (row.status, row.conclusion), error
    assert len(await standing(emulator)) == (row.status is SUCCEEDED)
    if row.code is not None:
        assert error.code == row.code
    assert row.advice in str(error.action)
    if row.posts is not None:
        assert await posts(emulator) - before == row.posts


async def test_a_refused_sponsor_of_one_stops_nobody_else(emulator: Emulator, scene: Scene) -> None:
    await emulator.graph.fail({**SPONSOR, "status": 403, "body": told("UnAuthorized")})
    held = await onboarded(scene, internalSponsors=[ADA])
    assert held.status is SUCCEEDED
    assert "SponsorNotAdded" in {warning.code for warning in held.warnings}
    assert (await scene.services.throttle.gate()).blocked is None
    for number in range(3):
        other = await onboarded(scene, f"other{number}.example")
        assert (other.status, other.attempts) == (SUCCEEDED, 1)


async def test_a_name_that_is_taken_is_told_as_such(emulator: Emulator, scene: Scene) -> None:
    await emulator.graph.configure(uniqueDisplayNames=True)
    first = await onboarded(scene, displayName="Twin")
    second = await onboarded(scene, "twin.example", displayName="Twin")
    assert first.result is not None
    assert second.last_error is not None
    assert (second.status, second.last_error.code) == (FAILED, "RefusedByGraph")
    assert f"the name is taken by organization {first.result.id}" in second.last_error.message


async def test_to_be_told_to_wait_for_nothing_is_to_be_told_nothing(
    emulator: Emulator, scene: Scene
) -> None:
    for number, after in enumerate(("0", "-1", "0.2", "Thu, 01 Jan 2015 00:00:00 GMT")):
        rule = create(429, told("TooManyRequests"), headers={"Retry-After": after})
        await emulator.graph.fail(rule)
        before, began = await posts(emulator), scene.clock.moment
        held = await scene.submitted(20, identitySources=[domain_source(f"a{number}.example")])
        assert held.status is WAITING
        assert held.due is not None
        assert (held.due - began).total_seconds() >= scene.services.timing.shortest_backoff
        assert (await scene.services.throttle.gate()).is_closed(scene.clock.now())
        assert await posts(emulator) - before == 1
        scene.clock.moment += timedelta(hours=1)


async def test_who_may_have_created_it_looks_soon(emulator: Emulator, scene: Scene) -> None:
    await emulator.graph.fail(create(503, told("ServiceUnavailable"), commit=True))
    timing = scene.services.timing
    held = await scene.submitted(20, identitySources=[domain_source(NAME)])
    assert held.due is not None
    soon = timing.settle + timing.shortest_backoff + 1
    assert (held.due - scene.clock.moment).total_seconds() <= soon
    assert (await onboarded(scene)).status is SUCCEEDED
    assert await posts(emulator) == 1


async def test_sponsors_of_several_pages_are_all_seen(emulator: Emulator, scene: Scene) -> None:
    sponsors = [
        {
            "@odata.type": "#microsoft.graph.user",
            "id": f"00000000-0000-4000-8000-{number:012}",
            "userPrincipalName": f"sponsor{number}@home.example",
        }
        for number in range(120)
    ]
    await lay(emulator, internalSponsors=sponsors)
    asked = [sponsors[number]["userPrincipalName"] for number in (0, 99, 100, 119)]
    held = await onboarded(scene, internalSponsors=asked)
    assert (held.status, held.conclusion) == (SUCCEEDED, EXISTING)
    assert not [found for found in held.differences if found.attribute == "internalSponsors"]


async def lay(emulator: Emulator, **changes: Any) -> None:
    """Let an organization of the partner be there, as Graph would tell of it."""
    laid = {**domain(NAME), "id": "11111111-0000-4000-8000-000000000001", **changes}
    await emulator.graph.control("PUT", "organizations", [laid])


@pytest.mark.parametrize(
    "changes",
    [
        {"createdDateTime": "2026-01-01T00:00:00"},
        {"createdDateTime": "yesterday"},
        {"state": "somethingNew"},
        {"displayName": None, "description": None},
        {"identitySources": None},
        {"identitySources": [None, {"@odata.type": "#microsoft.graph.newSource", "x": 1}]},
    ],
    ids=str,
)
async def test_what_can_be_read_of_an_odd_organization_is_read(
    emulator: Emulator, scene: Scene, changes: dict[str, Any]
) -> None:
    await lay(emulator, **changes)
    admin = emulator.admin()
    pages = await every_organization(
        scene.services, lambda top, after: admin.list(OrganizationFilter(), top, after)
    )
    assert [found.id for found in pages] == ["11111111-0000-4000-8000-000000000001"]
    held = await onboarded(scene)
    names_it = "identitySources" not in changes
    assert (held.status, held.conclusion) == (SUCCEEDED, EXISTING if names_it else CREATED)


async def test_a_held_organization_stays_and_graphs_reason_is_told(
    emulator: Emulator, scene: Scene
) -> None:
    held = await onboarded(scene)
    assert held.result is not None
    await emulator.graph.configure(holds=[held.result.id])
    refused = await delete_organization(scene.services, emulator.admin(), held.result.id)
    assert isinstance(refused, Refused)
    assert not refused.not_found
    assert refused.error.graph_code
    assert (await scene.held(held)).deleted_date_time is None
    assert len(await standing(emulator)) == 1


@pytest.mark.parametrize("top", [1, 2, 5, 7, 100])
async def test_a_list_goes_on_however_top_is_read(emulator: Emulator, top: int) -> None:
    made = {await emulator.graph.create(domain(f"p{number}.example")) for number in range(12)}
    for config in ({"top": "page"}, {"top": "limit"}, {"top": "limit", "pageSize": 5}):
        await emulator.graph.configure(**{"pageSize": 100, **config})
        admin, found, after = emulator.admin(), list[str](), None
        while True:
            page = await admin.list(OrganizationFilter(), top, after)
            assert isinstance(page, OrganizationPage)
            assert len(page.organizations) <= top
            found += [one.id for one in page.organizations]
            after = page.continuation
            if after is None:
                break
        assert (len(found), {*found}) == (12, made)


async def test_a_filter_that_finds_nothing_is_not_believed_where_letters_can_differ(
    emulator: Emulator,
) -> None:
    source = {**domain_source("Contoso.COM"), "displayName": "Contoso"}
    tenant = {
        "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
        "tenantId": "72F988BF-86F1-41AF-91AB-2D7CD011DB47",
        "displayName": "Fabrikam",
    }
    laid = [
        {**domain("a.example"), "id": f"id-{number}", "identitySources": [one]}
        for number, one in enumerate((source, tenant))
    ]
    await emulator.graph.control("PUT", "organizations", laid)
    for which, wanted in (
        (OrganizationFilter(domain_name="contoso.com"), "id-0"),
        (OrganizationFilter(tenant_id=str(tenant["tenantId"]).lower()), "id-1"),
    ):
        page = await emulator.admin().list(which, 50, None)
        assert isinstance(page, OrganizationPage)
        assert [found.id for found in page.organizations] == [wanted]


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_change_is_told_as_graph_tells_it(
    emulator: Emulator, scene: Scene, status: int
) -> None:
    await emulator.graph.configure(patchStatus=status)
    await emulator.graph.create(domain(NAME, description="As it was"))
    held = await onboarded(scene, ifExists="update")
    [now] = await standing(emulator)
    assert (held.conclusion, held.result is not None) == (UPDATED, True)
    assert held.result is not None
    shown = held.result.model_dump(mode="json")
    for name in ("createdDateTime", "modifiedDateTime", "description"):
        assert shown[name] == now[name], "as Graph wrote it, with all its digits"


async def test_what_was_deleted_by_hand_is_onboarded_again(
    emulator: Emulator, scene: Scene
) -> None:
    first = await onboarded(scene)
    assert first.result is not None
    await emulator.graph.control("PUT", "organizations", [])
    scene.clock.moment += timedelta(days=1)
    second = await onboarded(scene)
    assert second.id != first.id
    assert (second.status, second.conclusion) == (SUCCEEDED, CREATED)
    assert len(await standing(emulator)) == 1
    assert (await scene.held(first)).deleted_date_time is not None
