"""The one question, whether an organization is there, put to Graph in all its dialects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.core.domain.outcomes import Later, Namesake
from tests.cases import each
from tests.simulation.graph import Dialect, Filters, Graph, SimulatedGateway
from tests.unit.partners import CONTOSO_TENANT, domain_source, request, tenant_source

FILTERS: tuple[Filters, ...] = ("exact", "ignore case", "ignored", "refused", "empty")
DIALECTS = [
    Dialect(filters, size, empty_pages=empty, capitals=capitals)
    for filters, size, empty, capitals in product(
        FILTERS, (1, 2, 100), (False, True), (False, True)
    )
]
TENANT = Tenant(tenant_id=CONTOSO_TENANT)


class Scene:
    def __init__(self, dialect: Dialect) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)
        self.graph = Graph(lambda: self.moment, lambda: 0.0)
        self.graph.dialect = dialect
        self.graph.tenant_of_domain["contoso.com"] = CONTOSO_TENANT
        self.calls: list[str] = []
        self.gateway = SimulatedGateway(self.graph, self._ask)

    async def _ask[T](self, what: str, _: str, act: Callable[[], T], /) -> T:
        self.calls.append(what)
        return act()

    def others(self, count: int = 5) -> None:
        for number in range(count):
            source = domain_source(f"other{number}.example")
            self.graph.create(request(displayName=f"Other {number}", identitySources=[source]))


async def test_what_stands_is_found_in_every_dialect() -> None:
    for case in each(DIALECTS):
        with case as dialect:
            scene = Scene(dialect)
            scene.others()
            for source in (domain_source("partner.example"), tenant_source()):
                scene.moment += timedelta(seconds=1)
                made = scene.graph.create(request(identitySources=[source]))
                assert isinstance(made, ConnectedOrganization)
                found = await scene.gateway.find(request(displayName="x", identitySources=[source]))
                assert isinstance(found, ConnectedOrganization)
                assert found.id == made.id


async def test_a_domain_is_found_as_the_tenant_behind_it() -> None:
    for case in each(DIALECTS):
        with case as dialect:
            scene = Scene(dialect)
            scene.others()
            scene.graph.create(request())
            assert isinstance(await scene.gateway.find(request(), TENANT), ConnectedOrganization)


async def test_what_does_not_stand_is_not_found_in_any_dialect() -> None:
    for case in each(DIALECTS):
        with case as dialect:
            scene = Scene(dialect)
            scene.others()
            assert await scene.gateway.find(request(), TENANT) is None
            assert await scene.gateway.find(request(), TENANT, quick=True) is None


async def test_who_has_the_name_is_told() -> None:
    for case in each(DIALECTS):
        with case as dialect:
            scene = Scene(dialect)
            scene.others()
            answer = await scene.gateway.find(request(displayName="OTHER 3"))
            assert isinstance(answer, Namesake)
            assert answer.organization.display_name == "Other 3"


async def test_an_older_listing_proves_nothing_of_what_came_after() -> None:
    scene = Scene(Dialect("empty"))
    scene.others()
    assert await scene.gateway.find(request()) is None
    scene.moment += timedelta(seconds=10)
    made = scene.graph.create(request())
    assert isinstance(made, ConnectedOrganization)
    found = await scene.gateway.find(request(), TENANT, since=scene.moment)
    assert isinstance(found, ConnectedOrganization)


async def test_one_listing_serves_all_who_ask_within_a_minute() -> None:
    scene = Scene(Dialect("exact", page_size=1))
    scene.others(30)
    for number in range(100):
        source = domain_source(f"refused{number}.example")
        await scene.gateway.find(
            request(displayName=source["domainName"], identitySources=[source])
        )
    assert len(scene.calls) <= 100 * 2 + 31  # by source and by name each; one listing, and a proof


async def test_a_list_without_end_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(Dialect("empty", page_size=1))
    scene.others(3)
    page = scene.graph.page
    monkeypatch.setattr(scene.graph, "page", lambda asked, _: page(asked, None))
    assert isinstance(await scene.gateway.find(request()), Later)
