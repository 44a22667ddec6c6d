"""The functions process is killed in the middle of a create: nothing is lost, nothing is doubled.

Two kills, two partners each, before the first one is looked at: leases run out side by side.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from typing import NamedTuple

import httpx
import pytest

from tests.end_to_end.client import Connorg, Json, Partner

COMMIT_SECONDS = 2


class Journey(NamedTuple):
    partner: Partner
    onboarding: Json
    """As it ended."""


async def lose_connection(connorg: Connorg, body: Json) -> None:
    with pytest.raises(httpx.TransportError):
        await connorg.submit(body)


async def kill_when_committed(connorg: Connorg, partner: Partner) -> None:
    """SIGKILL the functions after Graph has committed, and before they can read its answer."""
    os.kill(connorg.stack.pids["functions"], signal.SIGSTOP)
    await connorg.graph.created(partner)
    connorg.crash("functions")
    await connorg.graph.heal()


async def crash_during_requests(connorg: Connorg, committed: Partner, unanswered: Partner) -> None:
    await connorg.graph.fail(
        {"method": "POST", "fault": "delay", "seconds": COMMIT_SECONDS, "times": 1},
        {"method": "POST", "fault": "hang"},
    )
    async with asyncio.TaskGroup() as callers:
        for partner in (committed, unanswered):
            body = partner.body(reference=partner.domain)
            callers.create_task(lose_connection(connorg, body))
            await connorg.graph.create_seen(partner)
        await kill_when_committed(connorg, committed)


async def crash_during_messages(connorg: Connorg, committed: Partner, unanswered: Partner) -> None:
    await connorg.graph.fail(
        {"method": "POST", "fault": "delay", "seconds": COMMIT_SECONDS, "times": 1},
        {"method": "POST", "fault": "hang"},
    )
    body = committed.body(reference=committed.domain)
    await connorg.accepted(body, prefer="respond-async")
    await connorg.graph.create_seen(committed)
    await connorg.put(unanswered.body(reference=unanswered.domain))
    await connorg.graph.create_seen(unanswered)
    await kill_when_committed(connorg, committed)


async def ended(connorg: Connorg, partner: Partner) -> Journey:
    onboarding = await connorg.only_one_listed(reference=partner.domain)
    return Journey(partner, await connorg.ended(onboarding["id"]))


@pytest.fixture(scope="module")
async def crashed(frail: Connorg) -> Mapping[str, Journey]:
    caught = ("committed in a request", "unanswered in a request")
    queued = ("committed from the queue", "unanswered from the queue")
    partners = {name: Partner() for name in caught + queued}
    await crash_during_requests(frail, *(partners[name] for name in caught))
    await crash_during_messages(frail, *(partners[name] for name in queued))
    return {name: await ended(frail, partner) for name, partner in partners.items()}


@pytest.mark.parametrize("name", ["committed in a request", "committed from the queue"])
async def test_a_crash_after_the_post_creates_one_organization(
    frail: Connorg, crashed: Mapping[str, Journey], name: str
) -> None:
    partner, onboarding = crashed[name]
    [organization] = await frail.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["conclusion"] == "created"
    assert onboarding["result"]["id"] == organization["id"]
    assert len(await frail.graph.creates(partner)) == 1, "it is looked up, not created again"


@pytest.mark.parametrize("name", ["unanswered in a request", "unanswered from the queue"])
async def test_a_crash_while_graph_keeps_silent_creates_one_organization(
    frail: Connorg, crashed: Mapping[str, Journey], name: str
) -> None:
    partner, onboarding = crashed[name]
    [organization] = await frail.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["result"]["id"] == organization["id"]
    statuses = [call["status"] for call in await frail.graph.creates(partner)]
    assert statuses == [None, 201]


async def test_a_caller_who_sends_again_after_the_crash_meets_his_onboarding(
    frail: Connorg, crashed: Mapping[str, Journey]
) -> None:
    for partner, onboarding in crashed.values():
        answer = await frail.submit(partner.body(reference=partner.domain))
        assert (answer.status_code, answer.json()["id"]) == (200, onboarding["id"])
