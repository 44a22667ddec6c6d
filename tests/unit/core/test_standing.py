"""Whoever changes what stood before, by whichever channel, leaves a line of the audit."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from connorg.contract import channels
from connorg.contract.messages import ProducerMessage
from connorg.contract.onboarding import OnboardingError
from connorg.core.domain.outcomes import Refused
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.producers import receive
from connorg.core.onboarding.submit import submit
from connorg.core.policy.rules import Policy
from connorg.core.policy.ways_in import WaysIn
from tests.unit.core.scene import Scene
from tests.unit.partners import body, domain_source, request

UPDATING: dict[str, Any] = {"ifExists": "update", "internalSponsors": ["ada@h.test", "bob@h.test"]}
ADA = "aaaaaaaa-0000-4000-8000-000000000001"


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "connorg.audit")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "connorg.audit"]


async def update(scene: Scene, channel: str, by: str | None, **changes: Any) -> None:
    asked = request(**{**UPDATING, **changes})
    await submit(scene.services, Submission(asked, channel, by=by), wait=20)


@pytest.mark.parametrize(
    ("channel", "by", "role"),
    [
        (channels.HTTP, ADA, "Onboarding.Manage"),
        (channels.BATCH, "key", "Onboarding.Manage"),
        (channels.webhook("jira"), None, "nobody"),
    ],
)
async def test_an_update_leaves_a_line_for_each_of_its_effects(
    scene: Scene, caplog: pytest.LogCaptureFixture, channel: str, by: str | None, role: str
) -> None:
    policy = Policy(ways_in=WaysIn(updates_from=("webhook:*",)))
    scene.services = replace(scene.services, policy=policy)
    scene.graph.create(request(description="As it was"))
    await update(scene, channel, by)
    [stored] = scene.graph.stored.values()
    start = f"of {stored.organization.id} by {by or channel} over {channel} as {role}: 200"
    assert told(caplog) == [
        f"audit: {effect} {start}" for effect in ("change", "sponsor", "sponsor")
    ]


async def test_what_changes_nothing_that_stood_leaves_none(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await update(scene, channels.HTTP, ADA)
    assert told(caplog) == [], "it was created"
    source = domain_source("fabrikam.com")
    scene.graph.create(request(source, description="As it was"))
    scene.setback_of_update = Refused(OnboardingError(code="RefusedByGraph", message="No."))
    await update(scene, channels.HTTP, ADA, identitySources=[source])
    assert "change" not in " ".join(told(caplog)), "it was refused"


@pytest.mark.parametrize(("state", "effect"), [("proposed", "propose"), ("configured", "connect")])
async def test_a_producers_message_leaves_the_line_of_a_request(
    scene: Scene, caplog: pytest.LogCaptureFixture, state: str, effect: str
) -> None:
    await receive(scene.services, ProducerMessage.model_validate(body(state=state)))
    refused = body(state=state, ifExists="update")
    await receive(scene.services, ProducerMessage.model_validate(refused))
    done, not_done = told(caplog)
    assert done.startswith(f"audit: {effect} of ")
    assert done.endswith(" by queue over queue as nobody: 202")
    assert not_done.endswith(" by queue over queue as nobody: 422 RefusedByPolicy")
