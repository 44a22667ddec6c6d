"""Reports on the whole tenant, against the emulator through Microsoft's SDK."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from connorg.contract.organization import ConnectedOrganization
from connorg.contract.sponsors import SponsorKind
from connorg.core import reports
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.submit import submit
from connorg.core.organizations import every_organization
from connorg.core.ports import OrganizationPage
from connorg.core.throttle.throttle import GraphUnavailableError
from connorg.graph.admin import GraphOrganizationAdmin
from tests.contract.graph_emulator import GROUP, USER
from tests.contract.graphs import Emulator
from tests.unit.core.services_under_test import NOW, simulated_core
from tests.unit.partners import domain_source, request

BOTH, INTERNAL, EXTERNAL = tuple(SponsorKind), (SponsorKind.INTERNAL,), (SponsorKind.EXTERNAL,)
SPONSORED = {
    "internal": {"internalSponsors": [{"@odata.type": "#microsoft.graph.user", **USER}]},
    "external": {"externalSponsors": [{"@odata.type": "#microsoft.graph.group", **GROUP}]},
    "none": {},
}
LONG_AGO, LATELY = NOW - timedelta(days=40), NOW - timedelta(days=10)


@pytest.fixture
def admin(emulator: Emulator) -> GraphOrganizationAdmin:
    return emulator.admin()


def laid(name: str, **values: Any) -> dict[str, Any]:
    usual = {
        "id": str(uuid4()),
        "displayName": name,
        "description": name,
        "state": "configured",
        "identitySources": [],
        "createdDateTime": LONG_AGO.isoformat(),
        "modifiedDateTime": LONG_AGO.isoformat(),
        "internalSponsors": [],
        "externalSponsors": [],
    }
    return usual | values


async def lay(emulator: Emulator, *organizations: dict[str, Any]) -> None:
    await emulator.graph.control("PUT", "organizations", list(organizations))


def names(found: Sequence[ConnectedOrganization]) -> list[str | None]:
    return [organization.display_name for organization in found]


@pytest.mark.parametrize(
    ("kinds", "reported"),
    [(BOTH, {"none"}), (INTERNAL, {"none", "external"}), (EXTERNAL, {"none", "internal"})],
)
async def test_those_that_lack_each_kind_that_is_asked_for_are_reported(
    emulator: Emulator,
    admin: GraphOrganizationAdmin,
    kinds: tuple[SponsorKind, ...],
    reported: set[str],
) -> None:
    await lay(emulator, *(laid(name, **sponsors) for name, sponsors in SPONSORED.items()))
    found = await reports.without_sponsors(simulated_core(), admin, kinds)
    assert set(names(found)) == reported
    assert all(not one.sponsors(kind) for one in found for kind in kinds)


async def test_those_that_stay_proposed_are_reported_oldest_first(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    def proposed(name: str, **values: Any) -> dict[str, Any]:
        return laid(name, state="proposed", **values)

    older, oldest = ((LONG_AGO - timedelta(days=days)).isoformat() for days in (1, 2))
    await lay(
        emulator,
        proposed("old"),
        proposed("changed lately", modifiedDateTime=LATELY.isoformat()),
        proposed("older", modifiedDateTime=older),
        proposed("never changed", createdDateTime=oldest, modifiedDateTime=None),
        laid("configured"),
    )
    for config in ({}, {"filters": "ignored"}):
        await emulator.graph.configure(**config)
        found = await reports.proposed_since(simulated_core(), admin, NOW - timedelta(days=30))
        assert names(found) == ["never changed", "older", "old"]


async def test_those_that_no_onboarding_came_to_are_reported(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    services = simulated_core()
    for name in ("ours.example", "theirs.example"):
        await submit(services, Submission(request(domain_source(name)), "http"), wait=5)
    [ours, _] = await services.ledger.organizations()
    await lay(emulator, laid("ours", id=ours.upper()), laid("by hand"))
    assert names(await reports.unrequested(services, admin)) == ["by hand"]


REPORTS: list[Callable[..., Any]] = [
    lambda services, admin: reports.without_sponsors(services, admin, BOTH),
    lambda services, admin: reports.proposed_since(services, admin, NOW),
    reports.unrequested,
]


@pytest.mark.parametrize("report", REPORTS)
async def test_a_report_is_of_all_pages_empty_ones_too(
    emulator: Emulator, admin: GraphOrganizationAdmin, report: Callable[..., Any]
) -> None:
    everything = [laid(f"{number}", state="proposed") for number in range(250)]
    await lay(emulator, *everything)
    await emulator.graph.configure(emptyPages=True)
    assert len(await report(simulated_core(), admin)) == 250


@pytest.mark.parametrize("report", REPORTS)
async def test_a_page_that_leads_to_itself_is_not_followed(
    emulator: Emulator, admin: GraphOrganizationAdmin, report: Callable[..., Any]
) -> None:
    body = f'{{"value": [], "@odata.nextLink": "{emulator.graph.root}/v1.0/x?$skiptoken=y"}}'
    await emulator.graph.fail(
        {"method": "GET", "path": ".*", "fault": "raw", "status": 200, "body": body}
    )
    with pytest.raises(GraphUnavailableError) as refused:
        await report(simulated_core(), admin)
    assert refused.value.error.code == "GraphAnswerUnreadable"
    assert len(await emulator.requests("GET")) == 2


async def test_a_list_without_an_end_is_given_up() -> None:
    pages = 0

    async def next_page(_top: int, _after: str | None) -> OrganizationPage[ConnectedOrganization]:
        nonlocal pages
        pages += 1
        return OrganizationPage((), f"page {pages}")

    with pytest.raises(GraphUnavailableError) as refused:
        await every_organization(simulated_core(), next_page)
    assert refused.value.error.code == "GraphAnswerUnreadable"
    assert pages == 200


@pytest.mark.parametrize("report", REPORTS)
async def test_no_report_asks_graph_while_the_gate_is_closed(
    emulator: Emulator, admin: GraphOrganizationAdmin, report: Callable[..., Any]
) -> None:
    services = simulated_core()
    await emulator.graph.fail({"method": "GET", "path": ".*", "fault": "throttle", "retryAfter": 7})
    for _ in range(2):
        with pytest.raises(GraphUnavailableError) as refused:
            await report(services, admin)
        assert refused.value.retry_after == 7
    assert len(await emulator.requests("GET")) == 1


async def test_a_graph_that_leaves_sponsors_out_is_not_taken_at_its_word(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    """Else each organization would be reported as one that has none."""
    body = '{"value": [{"id": "1", "displayName": "x"}]}'
    await emulator.graph.fail(
        {"method": "GET", "path": ".*", "fault": "raw", "status": 200, "body": body}
    )
    with pytest.raises(GraphUnavailableError):
        await reports.without_sponsors(simulated_core(), admin, BOTH)
