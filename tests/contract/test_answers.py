"""Whatever Graph answers: an onboarding ends with the truth, once, and others go on.

A case is a whole onboarding, by the real core and the SDK over HTTP, against the emulator. It is
named by its seed: CONNORG_ANSWERS="20000 from 0" takes so many, "1 from 4711" takes one again.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.identity.aio import ManagedIdentityCredential

from connorg.contract.onboarding import Onboarding, Status
from connorg.graph.client import graph_client
from connorg.graph.gateway import GraphOrganizationGateway
from connorg.graph.sender import Sender
from tests.contract.answers import Case, case_of
from tests.contract.graph_emulator import domain
from tests.contract.graphs import LIMIT, Emulator, emulated
from tests.unit.core.scene import Scene
from tests.unit.partners import domain_source

_COUNT, _, _FIRST = os.environ.get("CONNORG_ANSWERS", "50 from 0").split()
_A_RUN = 50
_EXCUSED = frozenset({"GaveUp", "AlreadyConnected"})
"""Of the time that ran out, and of `ifExists: fail`."""


def on_emulator(emulator: Emulator, credential: ManagedIdentityCredential) -> Scene:
    """Return a core whose storage is simulated and whose Graph is the emulator."""
    scene = Scene()
    scene.clock.moment = datetime.now(UTC)
    root = emulator.graph.root
    client, adapter = graph_client(credential, root, "v1.0", LIMIT)
    gateway = GraphOrganizationGateway(client, Sender(adapter, scene.clock), f"{root}/v1.0")
    scene.services = replace(scene.services, gateway=gateway)
    return scene


async def onboarded(emulator: Emulator, case: Case, name: str) -> tuple[Scene, Onboarding]:
    """Onboard a partner in the weather of a case, until it ends."""
    async with ManagedIdentityCredential(retry_total=0) as credential:
        scene = on_emulator(emulator, credential)
        return scene, await _ended(emulator, scene, case, name)


async def _ended(emulator: Emulator, scene: Scene, case: Case, name: str) -> Onboarding:
    await emulator.graph.configure(**case.config)
    if case.stands:
        await emulator.graph.create(domain(name, description="As it was"))
    await emulator.graph.fail(case.rule)
    held = await scene.submitted(20, identitySources=[domain_source(name)], **case.request)
    for rounds in range(200):
        if held.status.terminal:
            return held
        if rounds == 5:
            await emulator.recover()
        scene.clock.moment = max(scene.clock.moment, held.due or scene.clock.moment)
        scene.clock.moment += timedelta(minutes=1)
        await scene.deliver()
        held = await scene.held(held)
    raise AssertionError(f"it does not end: {held}")


async def check(emulator: Emulator, seed: int) -> None:
    case = case_of(seed)
    name = f"partner{seed}.example"
    scene, held = await onboarded(emulator, case, name)
    await emulator.recover()
    standing = [
        organization
        for organization in await emulator.graph.control("GET", "organizations")
        if any(source.get("domainName") == name for source in organization["identitySources"])
    ]
    shown = f"seed {seed}: {case} came to {held.status} {held.last_error}, {standing}"
    assert len(standing) <= 1, shown
    if held.status is Status.FAILED:
        assert held.last_error is not None
        assert not standing or held.last_error.code in _EXCUSED, shown
    else:
        assert held.result is not None, shown
        assert [organization["id"] for organization in standing] == [held.result.id], shown
    if case.rule.get("path") == "internalSponsors" and case.rule["status"] in {400, 403, 404}:
        gate = await scene.services.throttle.gate()
        of_the_app = held.last_error is not None and held.last_error.code == "LicenseMissing"
        assert gate.blocked is None or of_the_app or gate.blocked.code == "LicenseMissing", shown


@pytest.mark.slow
@pytest.mark.parametrize("first", range(50, 3050, _A_RUN))
async def test_the_truth_is_told_whatever_else_graph_answers(first: int) -> None:
    async with emulated("v1.0") as emulator:
        for seed in range(first, first + _A_RUN):
            await check(emulator, seed)


@pytest.mark.parametrize("first", range(int(_FIRST), int(_FIRST) + int(_COUNT), _A_RUN))
async def test_the_truth_is_told_whatever_graph_answers(first: int) -> None:
    async with emulated("v1.0") as emulator:
        for seed in range(first, min(first + _A_RUN, int(_FIRST) + int(_COUNT))):
            await check(emulator, seed)
