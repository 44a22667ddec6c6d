"""The purge: how long things are kept, how long it lasts, and that nothing is made twice by it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connorg.contract.batches import Batch, BatchRow
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.core.batches.accept import BatchSubmission, submit_batch
from connorg.core.domain.claims import Submitted
from connorg.core.domain.timing import Timing
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.submit import submit
from connorg.core.retention import purge
from connorg.core.services import Services
from tests.simulation.graph import Graph
from tests.unit.core.services_under_test import NOW, Clock, simulated_core
from tests.unit.partners import domain_source, request

YEAR, SECOND = timedelta(days=365), timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def graph(clock: Clock) -> Graph:
    return Graph(clock.now, lambda: 0.0)


@pytest.fixture
def services(clock: Clock, graph: Graph) -> Services:
    return simulated_core(clock, graph)


async def submitted(services: Services, domain: str = "contoso.com", **changes: Any) -> Onboarding:
    asked = request(domain_source(domain), **changes)
    answer = await submit(
        services, Submission(asked, "http", "caller", f"key of {domain}"), wait=20
    )
    assert isinstance(answer, Submitted)
    return answer.onboarding


async def test_a_year_is_a_year(services: Services, clock: Clock) -> None:
    done = await submitted(services)
    clock.moment = NOW + YEAR
    assert await purge(services) == 0
    assert await services.ledger.read(done.id) == done
    clock.moment += SECOND
    assert await purge(services) == 1
    assert await services.ledger.read(done.id) is None


async def test_batches_go_as_onboardings_do(services: Services, clock: Clock) -> None:
    async def batch() -> Batch:
        row = BatchRow(batch_id="", number=1, name="contoso.com", request=request())
        asked = BatchSubmission((row,), (), None, "caller", None, "body", None)
        answer = await submit_batch(services, asked)
        assert isinstance(answer, Batch)
        return answer

    old = await batch()
    clock.moment = NOW + YEAR
    assert await purge(services) == 0
    young = await batch()
    clock.moment += SECOND
    assert await purge(services) == 1
    assert await services.batches.read(old.id) is None
    assert await services.batches.outline(old.id) == ()
    assert await services.batches.read(young.id) == young


async def test_what_is_kept_for_ever_is_not_purged(services: Services, clock: Clock) -> None:
    done = await submitted(services)
    clock.moment = NOW + 30 * YEAR
    assert await purge(replace(services, timing=Timing(retention=0))) == 0
    assert await services.ledger.read(done.id) == done


async def test_a_purge_ends_in_time_and_the_next_one_goes_on(
    services: Services, clock: Clock
) -> None:
    for number in range(3):
        await submitted(services, f"partner{number}.example")
    clock.moment = NOW + 2 * YEAR
    hurried = replace(services, timing=Timing(purge_limit=0))
    assert [await purge(hurried) for _ in range(4)] == [1, 1, 1, 0]


@pytest.mark.parametrize("name", ["Contoso", "Another name"])
async def test_who_asks_again_after_a_purge_is_given_what_graph_has(
    services: Services, clock: Clock, graph: Graph, name: str
) -> None:
    first = await submitted(services)
    clock.moment = NOW + 2 * YEAR
    assert await purge(services) == 1
    again = await submitted(services, displayName=name)
    assert again.id != first.id
    assert (again.status, again.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)
    assert again.result is not None
    assert first.result is not None
    assert again.result.id == first.result.id
    assert bool(again.differences) == (name != "Contoso")
    assert dict(graph.commits) == {"domain:contoso.com": 1}
