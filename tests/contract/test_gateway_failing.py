"""Every way in which a call to Graph can fail, and what an organization gateway makes of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connorg.contract.identity_sources import DomainIdentitySource
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, SponsorSettled
from tests.cases import each
from tests.contract.graph_emulator import ORGANIZATIONS, USER, domain
from tests.contract.graphs import (
    TENANT_DOMAIN,
    Emulator,
    GraphUnderTest,
    asking,
    created,
    partner,
    shown,
)
from tests.simulation.graph import FAULTS


async def test_a_failed_create_tells_what_is_known_of_its_fate(under_test: GraphUnderTest) -> None:
    for case in each(FAULTS):
        with case as fault:
            await under_test.recover()
            failing = await under_test.fail(fault)
            assert shown(await failing.create(partner())) == shown(FAULTS[fault].setback)


async def test_a_failed_search_is_no_answer(under_test: GraphUnderTest) -> None:
    for case in each(FAULTS):
        with case as fault:
            await under_test.recover()
            failing = await under_test.fail(fault)
            answer = await failing.find(partner())
            setback = FAULTS[fault].setback
            if isinstance(setback, Refused):  # no filter and no list is to be had: nobody can tell
                assert isinstance(answer, Later)
                continue
            if isinstance(setback, Later):
                setback = replace(setback, ambiguous=False)  # it changes nothing
            assert shown(answer) == shown(setback)


async def test_a_failed_update_is_a_setback(under_test: GraphUnderTest) -> None:
    """A PATCH that succeeded is not read, so it can't be unreadable."""
    for case in each(fault for fault in FAULTS if fault != "unreadable"):
        with case as fault:
            await under_test.recover()
            organization = await created(under_test.gateway, partner())
            failing = await under_test.fail(fault)
            answer = await failing.update(organization, partner(displayName="Another").attributes)
            assert shown(answer) == shown(FAULTS[fault].setback)


async def test_a_failed_lookup_is_a_setback(under_test: GraphUnderTest) -> None:
    """Nobody needs a licence to look a tenant up."""
    source = asking(domain(TENANT_DOMAIN)).identity_source
    assert isinstance(source, DomainIdentitySource)
    for case in each(fault for fault in FAULTS if fault != "no licence"):
        with case as fault:
            await under_test.recover()
            failing = await under_test.fail(fault)
            assert shown(await failing.tenant_of(source)) == shown(FAULTS[fault].setback)


async def test_a_failed_read_is_a_setback(under_test: GraphUnderTest) -> None:
    for case in each(FAULTS):
        with case as fault:
            await under_test.recover()
            organization = await created(under_test.gateway, partner())
            failing = await under_test.fail(fault)
            assert shown(await failing.read(organization.id)) == shown(FAULTS[fault].setback)
            answer = await failing.sponsors(organization.id, SponsorKind.EXTERNAL)
            assert shown(answer) == shown(FAULTS[fault].setback)


async def test_a_sponsor_that_fails_is_a_setback_or_a_warning(under_test: GraphUnderTest) -> None:
    for case in each(fault for fault in FAULTS if fault != "unreadable"):
        with case as fault:
            await under_test.recover()
            organization = await created(under_test.gateway, partner())
            sponsorship = Sponsorship(kind=SponsorKind.INTERNAL, sponsor=USER["id"])
            failing = await under_test.fail(fault)
            answer = await failing.add_sponsor(organization.id, sponsorship)
            if fault == "refused":  # the organization stands without its sponsor
                assert isinstance(answer, SponsorSettled)
                assert answer.warning is not None
                assert answer.warning.code == "SponsorNotAdded"
            else:
                assert shown(answer) == shown(FAULTS[fault].setback)
            await under_test.recover()
            held = await under_test.gateway.sponsors(organization.id, SponsorKind.INTERNAL)
            assert isinstance(held, tuple)
            assert [sponsor.id for sponsor in held] == [USER["id"]] * FAULTS[fault].commits


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_create_that_failed_was_carried_out_or_not(
    under_test: GraphUnderTest, fault: str
) -> None:
    """A search remembers what it listed, so each fault has a Graph of its own."""
    request = partner()
    await (await under_test.fail(fault)).create(request)
    await under_test.recover()
    stored = await under_test.gateway.find(request)
    assert (stored is not None) == FAULTS[fault].commits


# Each row of connorg.graph.setbacks, as the SDK shows it

IN_A_MINUTE = "in a minute"
ROWS: Mapping[str, tuple[dict[str, Any], type, str, dict[str, Any]]] = {
    "400": ({"status": 400}, Refused, "RefusedByGraph", {}),
    "404": ({"status": 404}, Refused, "RefusedByGraph", {}),
    "422": ({"status": 422}, Refused, "RefusedByGraph", {}),
    "401": ({"status": 401}, Blocked, "TokenRejected", {}),
    "403": ({"status": 403, "code": "UnAuthorized"}, Blocked, "PermissionMissing", {}),
    "403 of the directory": (
        {"status": 403, "code": "Authorization_RequestDenied"},
        Blocked,
        "PermissionMissing",
        {},
    ),
    "403 for the licence": ({"status": 403, "code": "NoLicense"}, Blocked, "LicenseMissing", {}),
    "403 for a full tenant": (
        {"status": 403, "code": "QuotaExceeded"},
        Refused,
        "TenantFull",
        {},
    ),
    "408": ({"status": 408}, Later, "GraphBusy", {"ambiguous": True}),
    "409": ({"status": 409}, Later, "GraphBusy", {"ambiguous": True}),
    "412": ({"status": 412}, Later, "GraphBusy", {"ambiguous": False}),
    "423": ({"status": 423, "retryAfter": 3}, Later, "GraphBusy", {"retry_after": 3}),
    "429": ({"status": 429}, Later, "GraphThrottled", {"throttled": True, "retry_after": None}),
    "429 with a float": (
        {"status": 429, "retryAfter": 2.5},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": 2.5, "ambiguous": False},
    ),
    "429 with a date": (
        {"status": 429, "retryAfter": IN_A_MINUTE},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": pytest.approx(60, abs=30)},
    ),
    "429 with nonsense": (
        {"status": 429, "retryAfter": "soon"},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": None},
    ),
    "500": ({"status": 500}, Later, "GraphUnavailable", {"ambiguous": True, "throttled": False}),
    "502 as a page": (
        {"fault": "html", "status": 502},
        Later,
        "GraphUnavailable",
        {"ambiguous": True},
    ),
    "503 with a time": (
        {"status": 503, "retryAfter": 9},
        Later,
        "GraphUnavailable",
        {"ambiguous": True, "throttled": True, "retry_after": 9},
    ),
    "504": ({"status": 504}, Later, "GraphUnavailable", {"ambiguous": True}),
    "201 as a page": (
        {"fault": "html", "status": 201},
        Later,
        "GraphAnswerUnreadable",
        {"ambiguous": True},
    ),
    "closed": ({"fault": "close"}, Later, "GraphConnectionLost", {"ambiguous": True}),
    "reset": ({"fault": "reset"}, Later, "GraphConnectionLost", {"ambiguous": True}),
    **{
        f"{status} {code}": (
            {"status": status, "code": code},
            AlreadyConnected,
            "AlreadyConnected",
            {},
        )
        for status in (400, 409, 500)
        for code in ("ConnectedOrganizationAlreadyExists", "IdentityProviderAlreadyConfigured")
    },
}


async def test_every_answer_of_graph_has_its_meaning(emulator: Emulator) -> None:
    for case in each(ROWS.items()):
        with case as (_, (rule, kind, code, marks)):
            later = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
            told = {"retryAfter": later} if rule.get("retryAfter") == IN_A_MINUTE else {}
            await emulator.graph.fail({"fault": "status", "method": "POST", **rule, **told})
            answer = await emulator.gateway.create(partner())
            assert isinstance(answer, kind)
            assert isinstance(answer, AlreadyConnected | Refused | Later | Blocked)
            assert answer.error.code == code
            assert {name: getattr(answer, name) for name in marks} == marks


async def test_an_answer_that_never_comes_is_ambiguous(emulator: Emulator) -> None:
    await emulator.graph.fail({"fault": "hang"})
    answer = await emulator.at(emulator.graph.root, limit=0.2).create(partner())
    assert isinstance(answer, Later)
    assert (answer.error.code, answer.ambiguous) == ("GraphTimeout", True)


async def test_an_error_tells_graphs_own_code_and_request_id(emulator: Emulator) -> None:
    await emulator.graph.fail({"fault": "status", "status": 400, "code": "Peculiar"})
    answer = await emulator.gateway.create(partner())
    assert isinstance(answer, Refused)
    assert answer.error.graph_code == "Peculiar"
    assert answer.error.graph_request_id


async def test_graph_is_never_called_a_second_time_by_the_sdk(emulator: Emulator) -> None:
    for status in (429, 503, 504):
        await emulator.graph.fail({"fault": "status", "status": status, "retryAfter": 0})
        await emulator.gateway.create(partner())
    assert [request["status"] for request in await emulator.requests()] == [429, 503, 504]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/v1.0/elsewhere", "https://elsewhere.example/v1.0/here"])
async def test_a_redirect_is_not_followed(emulator: Emulator, status: int, location: str) -> None:
    """Neither the body nor the token goes to another address, and no attempt dies of it."""
    redirect = {"fault": "raw", "status": status, "headers": {"Location": location}, "body": ""}
    await emulator.graph.fail({**redirect, "method": "POST", "path": "connectedOrganizations"})
    answer = await emulator.gateway.create(asking(domain("contoso.example")))
    assert isinstance(answer, Later | Refused)
    assert [asked["path"] for asked in await emulator.requests()] == [ORGANIZATIONS]
