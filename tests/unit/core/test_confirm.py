"""An organization that somebody deleted by hand: a new request is told the truth."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connorg.contract import channels
from connorg.contract.batches import BatchRow
from connorg.contract.messages import ProducerMessage
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.core.batches.accept import BatchSubmission, submit_batch
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.domain.outcomes import Blocked, Later, Setback
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.producers import bury_producers, receive
from connorg.core.onboarding.submit import submit
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.ports import OnboardingFilter
from tests.unit.core.scene import BUSY, Scene
from tests.unit.partners import body, request

type Arrive = Callable[[Scene], Awaitable[None]]

KEY = "domain:contoso.com"
DAY = timedelta(days=1)
THROTTLED = Later(OnboardingError(code="GraphThrottled", message="No."), throttled=True)
BLOCKED = Blocked(OnboardingError(code="PermissionMissing", message="No."))


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def onboarded(scene: Scene, **changes: Any) -> Onboarding:
    done = await scene.submitted(wait=20, **changes)
    assert done.conclusion is Conclusion.CREATED
    return done


async def deleted_by_hand(scene: Scene, age: timedelta = DAY, **changes: Any) -> Onboarding:
    done = await onboarded(scene, **changes)
    scene.graph.stored.clear()
    scene.clock.moment += age
    return done


@pytest.mark.parametrize("changes", [{}, {"displayName": "Another"}, {"ifExists": "fail"}])
async def test_a_new_request_has_it_onboarded_again(scene: Scene, changes: dict[str, Any]) -> None:
    old = await deleted_by_hand(scene)
    new = await scene.submitted(wait=20, **changes)
    assert new.id != old.id
    assert (new.status, new.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    assert len(scene.graph.stored) == 1
    assert (await scene.held(old)).deleted_date_time is not None
    assert (await scene.held(old)).status is Status.SUCCEEDED


async def test_what_is_looked_up_and_found_after_all_is_not_created_twice(scene: Scene) -> None:
    old = await onboarded(scene)
    scene.graph.stored.clear()
    scene.graph.create(request())  # another one, of which nobody here knows
    made = scene.graph.commits[KEY]
    scene.clock.moment += DAY
    new = await scene.submitted(wait=20)
    assert new.id != old.id
    assert (new.conclusion, scene.graph.commits[KEY]) == (Conclusion.EXISTING, made)


async def test_what_still_stands_is_asked_for_once_and_told_as_before(scene: Scene) -> None:
    old = await onboarded(scene)
    scene.clock.moment += DAY
    scene.calls.clear()
    assert (await scene.submitted(wait=20)).id == old.id
    assert [call for call in scene.calls if call.startswith("Graph")] == ["Graph's read"]


async def test_what_was_concluded_minutes_ago_is_believed(scene: Scene) -> None:
    old = await deleted_by_hand(scene, timedelta(minutes=4))
    scene.calls.clear()
    assert (await scene.submitted(wait=20)).id == old.id
    assert not [call for call in scene.calls if call.startswith("Graph")]


@pytest.mark.parametrize("setback", [BUSY, THROTTLED, BLOCKED], ids=["busy", "throttled", "403"])
async def test_where_nobody_can_tell_it_is_told_as_before(scene: Scene, setback: Any) -> None:
    old = await deleted_by_hand(scene)
    scene.setback = setback
    assert (await scene.submitted(wait=20)).id == old.id
    assert (await scene.held(old)).deleted_date_time is None


@pytest.mark.parametrize(
    "known", [{"idempotency_key": "delivery-1"}, {"signed": b"the bytes of an event"}]
)
async def test_what_is_known_by_its_key_recreates_nothing(
    scene: Scene, known: dict[str, Any]
) -> None:
    submission = Submission(request(), channels.webhook("jira"), "jira", **known)
    first = await submit(scene.services, submission, wait=20)
    assert isinstance(first, Submitted)
    scene.graph.stored.clear()
    scene.clock.moment += DAY
    again = await submit(scene.services, submission, wait=20)
    assert isinstance(again, Submitted)
    assert (again.onboarding.id, scene.graph.stored) == (first.onboarding.id, {})
    new = await scene.submitted(wait=20)
    assert new.id != first.onboarding.id
    third = await submit(scene.services, submission, wait=20)
    assert isinstance(third, Submitted)
    assert third.onboarding.id == first.onboarding.id
    assert third.onboarding.deleted_date_time is not None


async def test_the_message_waits_while_its_submit_asks_graph(scene: Scene) -> None:
    """One that is not waited for is on the queue at once, and the trigger may be quicker."""
    old = await deleted_by_hand(scene)
    scene.meanwhile("Graph's read", scene.deliver)
    new = await scene.submitted(wait=0)
    assert new.id != old.id
    assert scene.calls.count("Graph's read") == 1
    scene.clock.moment += timedelta(seconds=20)
    await scene.deliver()
    assert (await scene.held(new)).status is Status.SUCCEEDED
    assert len(scene.graph.stored) == 1
    assert not scene.unarmed


async def test_a_message_whose_submit_died_asks_graph_itself(scene: Scene) -> None:
    old = await deleted_by_hand(scene)

    async def die() -> None:
        raise RuntimeError

    scene.meanwhile("Graph's read", die)
    with pytest.raises(RuntimeError):
        await scene.submitted(wait=0)
    await worked_off(scene)
    assert (await scene.held(old)).deleted_date_time is not None
    assert len(scene.graph.stored) == 1


async def test_two_who_find_it_out_at_once_make_one(scene: Scene) -> None:
    await deleted_by_hand(scene)

    async def rival() -> None:
        assert (await scene.submitted(wait=20)).conclusion is Conclusion.CREATED

    scene.meanwhile("Graph's read", rival)
    answer = await submit(scene.services, Submission(request(), "http"), wait=20)
    assert not isinstance(answer, Conflict)
    assert len(scene.graph.stored) == 1
    assert scene.graph.commits[KEY] == 2, "the one that was deleted, and one more"


# What nobody waits for: messages of producers, rows of files


async def from_producer(scene: Scene, asked: datetime | None = None, **changes: Any) -> None:
    """Receive a producer's message, and all that comes of it."""
    message = ProducerMessage.model_validate({**body(), **changes})
    while await receive(scene.services, message, asked or scene.clock.now()) is not None:
        scene.clock.moment += timedelta(minutes=2)
    await worked_off(scene)


async def from_file(scene: Scene) -> None:
    row = BatchRow(batch_id="", number=2, name="contoso.com", request=request())
    await submit_batch(
        scene.services, BatchSubmission((row,), (), None, "caller", None, "body", None)
    )
    await worked_off(scene)


async def worked_off(scene: Scene) -> None:
    for _ in range(10):
        await scene.deliver()
        scene.clock.moment += timedelta(seconds=20)
    assert not scene.queue.messages


def answers_at_the_second_read(scene: Scene, setback: Setback) -> None:
    scene.setback = setback

    async def first() -> None: ...

    async def second() -> None:
        scene.setback = None

    for act in (first, second):
        scene.meanwhile("Graph's read", act)


async def kept(scene: Scene) -> list[Onboarding]:
    """What the ledger lists, the oldest first."""
    page = await scene.services.ledger.list(OnboardingFilter(), 100, None)
    return list(reversed(page.onboardings))


UNATTENDED = pytest.mark.parametrize("arrive", [from_producer, from_file])


@UNATTENDED
async def test_a_message_or_a_row_has_it_onboarded_again(scene: Scene, arrive: Arrive) -> None:
    await deleted_by_hand(scene)
    await arrive(scene)
    old, new = await kept(scene)
    assert old.deleted_date_time is not None
    assert (new.status, new.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    assert len(scene.graph.stored) == 1


@UNATTENDED
async def test_a_message_or_a_row_joins_what_still_exists(scene: Scene, arrive: Arrive) -> None:
    await onboarded(scene)
    scene.clock.moment += DAY
    scene.calls.clear()
    await arrive(scene)
    (old,) = await kept(scene)
    assert old.deleted_date_time is None
    assert [call for call in scene.calls if call.startswith("Graph")] == ["Graph's read"]


@UNATTENDED
@pytest.mark.parametrize("setback", [BUSY, THROTTLED, BLOCKED], ids=["busy", "throttled", "403"])
async def test_a_message_or_a_row_waits_until_graph_can_tell(
    scene: Scene, arrive: Arrive, setback: Setback
) -> None:
    await deleted_by_hand(scene)
    answers_at_the_second_read(scene, setback)
    await arrive(scene)
    (_, new) = await kept(scene)
    assert new.conclusion is Conclusion.CREATED


async def test_what_graph_can_never_tell_is_joined_when_its_time_is_over(scene: Scene) -> None:
    await deleted_by_hand(scene)
    scene.setback = BLOCKED
    message = ProducerMessage.model_validate(body())
    await receive(scene.services, message, scene.clock.now())
    scene.clock.moment += 2 * DAY
    await worked_off(scene)
    assert {held.deleted_date_time for held in await kept(scene)} == {None}


async def test_a_message_that_is_delivered_again_recreates_nothing(scene: Scene) -> None:
    """It was put on the queue before its first delivery connected the partner."""
    put = scene.clock.now()
    await from_producer(scene, put)
    scene.graph.stored.clear()
    scene.clock.moment += timedelta(hours=2)
    await from_producer(scene, put)
    (held,) = await kept(scene)
    assert (held.status, scene.graph.stored) == (Status.SUCCEEDED, {})


async def test_a_message_keeps_its_callback_until_graph_can_tell(scene: Scene) -> None:
    address = "https://prod-1.westeurope.logic.azure.com/run"
    scene.services = replace(scene.services, policy=Policy(callback_hosts=LOGIC_APPS))
    await deleted_by_hand(scene)
    answers_at_the_second_read(scene, BUSY)
    await from_producer(scene, callbackUrl=address)
    (_, new) = await kept(scene)
    (callback,) = scene.callbacks.messages.values()
    assert f'"{new.id}"' in callback.text


async def test_a_poisoned_message_buries_no_success_that_is_gone(scene: Scene) -> None:
    await deleted_by_hand(scene)
    await bury_producers(scene.services, ProducerMessage.model_validate(body()), scene.clock.now())
    _, new = await kept(scene)
    assert new.last_error is not None
    assert new.last_error.code == "MessagePoisoned"
