"""The functions process is killed in the middle of a create: nothing is lost, nothing is doubled.

Two kills, two partners each, before the first one is looked at: leases run out side by side.
"""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from tests.end_to_end.client import Connorg, Json, Partner, failing_create


async def keep_silent_and_commit(connorg: Connorg, unanswered: Partner, committed: Partner) -> None:
    """One create gets no answer, the other is committed a little after it came."""
    await connorg.graph.fail(
        failing_create(unanswered, "hang", times=1), failing_create(committed, "delay", seconds=1)
    )


async def lose_connection(connorg: Connorg, body: Json) -> None:
    with pytest.raises(httpx.TransportError):
        await connorg.submit(body)


async def crash_during_requests(connorg: Connorg, unanswered: Partner, committed: Partner) -> None:
    await keep_silent_and_commit(connorg, unanswered, committed)
    async with asyncio.TaskGroup() as callers:
        for partner in (unanswered, committed):
            body = partner.body(reference=partner.domain)
            callers.create_task(lose_connection(connorg, body))
            await connorg.graph.create_seen(partner)
        await connorg.crash_when_committed(committed)


async def crash_during_messages(connorg: Connorg, unanswered: Partner, committed: Partner) -> None:
    """One message by a producer, one of connorg's own."""
    await keep_silent_and_commit(connorg, unanswered, committed)
    await connorg.put(unanswered.body(reference=unanswered.domain))
    await connorg.graph.create_seen(unanswered)
    body = committed.body(reference=committed.domain)
    await connorg.accepted(body, prefer="respond-async")
    await connorg.graph.create_seen(committed)
    await connorg.crash_when_committed(committed)


async def ended(connorg: Connorg, partner: Partner) -> Json:
    onboarding = await connorg.only_one_listed(reference=partner.domain)
    return await connorg.ended(onboarding["id"])


@pytest.fixture(scope="module")
async def partners(given_back: Connorg) -> Mapping[str, Partner]:
    """Whose onboardings were cut off by a crash, by when it came."""
    requests = {"unanswered in a request": Partner(), "committed in a request": Partner()}
    messages = {"unanswered from the queue": Partner(), "committed from the queue": Partner()}
    await crash_during_requests(given_back, *requests.values())
    await crash_during_messages(given_back, *messages.values())
    return requests | messages


@pytest.mark.parametrize("when", ["committed in a request", "committed from the queue"])
async def test_a_crash_after_the_post_creates_one_organization(
    frail: Connorg, partners: Mapping[str, Partner], when: str
) -> None:
    onboarding = await ended(frail, partners[when])
    [organization] = await frail.graph.organizations(partners[when])
    assert onboarding["status"] == "Succeeded"
    assert onboarding["conclusion"] == "created"
    assert onboarding["result"]["id"] == organization["id"]
    creates = await frail.graph.creates(partners[when])
    assert len(creates) == 1, "it is looked up, not created again"


@pytest.mark.parametrize("when", ["unanswered in a request", "unanswered from the queue"])
async def test_a_crash_while_graph_keeps_silent_creates_one_organization(
    frail: Connorg, partners: Mapping[str, Partner], when: str
) -> None:
    onboarding = await ended(frail, partners[when])
    [organization] = await frail.graph.organizations(partners[when])
    assert onboarding["status"] == "Succeeded"
    assert onboarding["result"]["id"] == organization["id"]
    statuses = [call["status"] for call in await frail.graph.creates(partners[when])]
    assert statuses == [None, 201]


async def test_a_caller_who_sends_again_after_a_crash_meets_his_onboarding(
    frail: Connorg, partners: Mapping[str, Partner]
) -> None:
    for partner in partners.values():
        onboarding = await ended(frail, partner)
        answer = await frail.submit(partner.body(reference=partner.domain))
        assert (answer.status_code, answer.json()["id"]) == (200, onboarding["id"])
