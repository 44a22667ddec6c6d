"""What somebody else puts on the queue comes to an end that can be read, whatever it holds."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from connorg.contract.messages import ProducerMessage
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.onboarding.producers import bury_producers, receive, record_unreadable
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.ports import OnboardingFilter
from connorg.core.services import Services
from tests.unit.core.scene import BUSY, Scene
from tests.unit.partners import body

type Act = Callable[[Services, ProducerMessage], Awaitable[None]]

ADDRESS = "https://prod-1.westeurope.logic.azure.com/run"


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.services = replace(scene.services, policy=Policy(callback_hosts=LOGIC_APPS))
    return scene


def message(**changes: object) -> ProducerMessage:
    return ProducerMessage.model_validate({**body(), **changes})


async def kept(scene: Scene) -> list[tuple[Status, str | None]]:
    """What the ledger lists, the oldest first: how each is, and why."""
    page = await scene.services.ledger.list(OnboardingFilter(), 100, None)
    return [(held.status, _code(held)) for held in reversed(page.onboardings)]


def _code(held: Onboarding) -> str | None:
    return held.last_error.code if held.last_error else None


async def test_a_message_that_comes_twice_makes_one_organization(scene: Scene) -> None:
    for _ in range(2):
        await receive(scene.services, message())
    assert await kept(scene) == [(Status.SUCCEEDED, None)]
    assert scene.graph.commits == {"domain:contoso.com": 1}


async def test_a_message_that_waits_is_on_the_queue(scene: Scene) -> None:
    scene.setback = BUSY
    await receive(scene.services, message())
    assert await kept(scene) == [(Status.WAITING, "GraphBusy")]
    assert len(scene.queue.messages) == 1


async def test_a_key_that_is_used_for_another_body_fails_that_one(scene: Scene) -> None:
    await receive(scene.services, message(idempotencyKey="key"))
    await receive(scene.services, message(idempotencyKey="key", displayName="Another"))
    assert await kept(scene) == [
        (Status.SUCCEEDED, None),
        (Status.FAILED, "IdempotencyKeyReused"),
    ]


async def test_who_asks_to_be_called_back_is_on_the_queue_of_callbacks(scene: Scene) -> None:
    for one in (message(callbackUrl=ADDRESS), message(callbackUrl=f"{ADDRESS}2")):
        await receive(scene.services, one)
    assert await kept(scene) == [(Status.SUCCEEDED, None)]
    assert len(scene.callbacks.messages) == 2


@pytest.mark.parametrize(
    ("act", "code"), [(receive, "RefusedByPolicy"), (bury_producers, "MessagePoisoned")]
)
async def test_an_address_that_may_not_be_called_is_not(scene: Scene, act: Act, code: str) -> None:
    await act(scene.services, message(callbackUrl="https://elsewhere.example/run"))
    assert await kept(scene) == [(Status.FAILED, code)]
    assert not scene.callbacks.messages


@pytest.mark.parametrize(
    ("act", "code"), [(receive, "RefusedByPolicy"), (bury_producers, "MessagePoisoned")]
)
async def test_an_update_that_the_queue_may_not_ask_for_leaves_the_holder_alone(
    scene: Scene, act: Act, code: str
) -> None:
    await receive(scene.services, message())
    holder = await scene.services.ledger.holder_of("domain:contoso.com")
    await act(scene.services, message(displayName="Another", ifExists="update"))
    assert await kept(scene) == [(Status.SUCCEEDED, None), (Status.FAILED, code)]
    assert await scene.services.ledger.holder_of("domain:contoso.com") == holder


async def test_what_the_host_gave_up_fails_and_is_told(scene: Scene) -> None:
    await bury_producers(scene.services, message(callbackUrl=ADDRESS))
    assert await kept(scene) == [(Status.FAILED, "MessagePoisoned")]
    assert len(scene.callbacks.messages) == 1


async def test_what_cannot_be_read_is_kept_with_its_text(scene: Scene) -> None:
    await record_unreadable(scene.services, "text", OnboardingError(code="X", message="x"))
    [held] = (await scene.services.ledger.list(OnboardingFilter(), 9, None)).onboardings
    assert (held.status, held.message_text, _code(held)) == (Status.FAILED, "text", "X")
