"""An organization that somebody deleted by hand: a new request is told the truth."""

from datetime import timedelta
from typing import Any

import pytest

from connorg.contract import channels
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.domain.outcomes import Blocked, Later
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.submit import submit
from tests.unit.core.scene import BUSY, Scene
from tests.unit.partners import request

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
    scene.clock.moment += timedelta(seconds=20)
    await scene.deliver()
    assert (await scene.held(new)).status is Status.SUCCEEDED
    assert len(scene.graph.stored) == 1
    assert not scene.unarmed


async def test_a_message_whose_submit_died_joins_what_there_is(scene: Scene) -> None:
    old = await onboarded(scene)
    scene.clock.moment += DAY

    async def die() -> None:
        raise RuntimeError

    scene.meanwhile("Graph's read", die)
    with pytest.raises(RuntimeError):
        await scene.submitted(wait=0)
    for _ in range(8):
        await scene.deliver()
        scene.clock.moment += timedelta(seconds=20)
    assert not scene.queue.messages
    assert (await scene.held(old)).deleted_date_time is None


async def test_two_who_find_it_out_at_once_make_one(scene: Scene) -> None:
    await deleted_by_hand(scene)

    async def rival() -> None:
        assert (await scene.submitted(wait=20)).conclusion is Conclusion.CREATED

    scene.meanwhile("Graph's read", rival)
    answer = await submit(scene.services, Submission(request(), "http"), wait=20)
    assert not isinstance(answer, Conflict)
    assert len(scene.graph.stored) == 1
    assert scene.graph.commits[KEY] == 2, "the one that was deleted, and one more"
