"""A part that connorg needs is gone: what was accepted is kept, what can't be kept is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.client import Connorg, Json, Partner, eventually, problem


@contextmanager
def outage(connorg: Connorg, part: str) -> Iterator[None]:
    connorg.stack.kill(part)
    try:
        yield
    finally:
        connorg.stack.restart(part)


async def checks(connorg: Connorg) -> Json:
    """What health says: of each part, of the whole, and by its HTTP status."""
    answer = await connorg.call("GET", "health", key=False)
    health = answer.json()
    parts = {check["name"]: check["status"] for check in health["checks"]}
    return {**parts, "whole": health["status"], "answer": answer.status_code}


async def test_without_storage_nothing_is_accepted_and_nothing_half_done(frail: Connorg) -> None:
    partner = Partner()
    with outage(frail, "storage"):
        answer = await frail.submit(partner.body())
        problem(answer, 503, "StorageUnavailable")
        assert int(answer.headers["retry-after"]) >= 1
        problem(await frail.call("GET", "onboardings"), 503, "StorageUnavailable")
        problem(await frail.submit({}), 422, "InvalidValues")
        assert await checks(frail) == {
            "answer": 503,
            "ledger": "unhealthy",
            "queue": "unhealthy",
            "identity": "healthy",
            "graph": "healthy",
            "tenantLookup": "healthy",
            "whole": "unhealthy",
        }
        assert not await frail.graph.calls(partner)
    again = await frail.submit(partner.body())
    assert again.status_code == 201
    assert len(await frail.graph.creates(partner)) == 1
    queued = Partner()
    await frail.put(queued.body())
    await frail.graph.created(queued)
    await eventually(frail.is_healthy, "it is not well although storage is back")


async def test_without_graph_or_token_requests_are_kept_until_they_are_back(
    frail: Connorg,
) -> None:
    """Two outages, one after the other, and then one wait for both requests."""
    tokenless, unreached = Partner(), Partner()
    frail.stack.kill("functions")
    with outage(frail, "identity"):
        frail.stack.restart("functions")
        first = await frail.submit(tokenless.body())
        assert first.status_code == 202
        assert first.json()["lastError"]["code"] == "TokenUnavailable"
        told = await checks(frail)
        assert (told["identity"], told["whole"]) == ("unhealthy", "degraded")
        assert told["answer"] == 200, "it can accept"
    await eventually(frail.is_healthy, "there is no token although there could be")
    with outage(frail, "graph"):
        second = await frail.submit(unreached.body())
        assert second.status_code == 202
        assert second.json()["lastError"]["code"] == "GraphUnreachable"

    for partner, answer in ((tokenless, first), (unreached, second)):
        onboarding = await frail.ended(answer.json()["id"])
        assert onboarding["status"] == "Succeeded"
        assert len(await frail.graph.organizations(partner)) == 1
        assert [call["status"] for call in await frail.graph.creates(partner)] == [201]
