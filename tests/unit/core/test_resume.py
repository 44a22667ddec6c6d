"""What the queue brings back is carried on with by one at a time, and never left without a message.

Others act between two calls of a function where its comments say that they may.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.domain.outcomes import Setback
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.onboarding.resume import advance, bury
from connorg.core.onboarding.several import replay_several
from connorg.core.onboarding.submit import submit
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.ports import OnboardingFilter, SupersededError
from tests.unit.core.scene import BUSY, LOST, Scene
from tests.unit.partners import domain_source, request

KEY = "domain:contoso.com"
SECOND = timedelta(seconds=1)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def running(scene: Scene) -> Onboarding:
    """An onboarding whose attempt runs in some process."""
    held = await scene.submitted()
    begun = lifecycle.begin(held, scene.clock.now(), scene.services.timing)
    return await scene.services.ledger.save(begun)


async def failed(scene: Scene) -> Onboarding:
    scene.graph.refused.add(KEY)
    held = await scene.submitted(wait=20)
    scene.graph.refused.clear()
    assert (await scene.held(held)).status is Status.FAILED
    return held


# Others hold the lease


async def test_an_onboarding_is_not_buried_while_its_attempt_runs(scene: Scene) -> None:
    begun = await running(scene)
    assert begun.lease_until is not None
    scene.clock.moment = begun.lease_until - SECOND
    with pytest.raises(SupersededError):
        await bury(scene.services, message_of(begun))
    assert await scene.held(begun) == begun
    scene.clock.moment = begun.lease_until
    buried = await bury(scene.services, message_of(begun))
    assert (buried.status, buried.doubt_until is not None) == (Status.FAILED, True)
    assert await scene.held(begun) == buried


async def test_an_onboarding_is_not_given_up_while_its_attempt_runs(scene: Scene) -> None:
    """The attempt ends as it ends; and if it never does, what it did in Graph is looked up."""
    begun = await running(scene)
    assert begun.request is not None
    scene.graph.create(begun.request)
    outlived = begun.model_copy(update={"give_up_date_time": scene.clock.now() - SECOND})
    begun = await scene.services.ledger.save(outlived)
    message = message_of(begun)
    _, delay = await advance(scene.services, message, armed=True)
    assert delay is not None
    assert 0 < delay <= scene.services.timing.lease
    assert await scene.held(begun) == begun
    scene.clock.moment += timedelta(seconds=delay)
    concluded, delay = await advance(scene.services, message, armed=True)
    assert (concluded.status, concluded.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)
    assert (delay, scene.graph.commits[KEY]) == (None, 1)


async def test_a_message_that_finds_the_lease_taken_comes_again(scene: Scene) -> None:
    begun = await running(scene)
    scene.clock.moment += timedelta(seconds=1)
    await scene.deliver()
    assert await scene.held(begun) == begun
    assert not scene.graph.commits
    assert scene.unarmed == set()


@pytest.mark.parametrize("gives_up", [False, True])
async def test_a_message_that_is_late_for_the_lease_comes_again(
    scene: Scene, *, gives_up: bool
) -> None:
    held = await scene.submitted()
    if gives_up:
        scene.clock.moment = held.give_up_date_time

    async def other_begins() -> None:
        begun = lifecycle.begin(held, scene.clock.now(), scene.services.timing)
        await scene.services.ledger.save(begun)

    scene.meanwhile("update onboardi", other_begins)
    await scene.deliver()
    assert (await scene.held(held)).status is Status.RUNNING
    assert (await scene.held(held)).attempts == 1
    assert not scene.graph.commits
    assert scene.unarmed == set()


async def test_who_outlived_the_lease_leaves_what_the_next_one_wrote(scene: Scene) -> None:
    async def other_takes_over() -> None:
        scene.clock.moment += timedelta(seconds=scene.services.timing.lease)
        await scene.deliver()

    scene.meanwhile("update onboardi", other_takes_over)  # the conclusion of the first attempt
    answered = await scene.submitted(wait=20)
    held = await scene.held(answered)
    assert (held.status, held.attempts, scene.graph.commits[KEY]) == (Status.SUCCEEDED, 2, 1)
    assert answered == held


async def test_what_was_not_done_in_its_time_is_given_up_and_says_so(scene: Scene) -> None:
    scene.setback = BUSY
    held = await scene.submitted(wait=20)
    scene.setback = None
    scene.clock.moment = held.give_up_date_time
    await scene.deliver()
    given_up = await scene.held(held)
    assert (given_up.status, scene.graph.commits[KEY]) == (Status.FAILED, 0)
    assert given_up.last_error is not None
    assert given_up.last_error.code == "GaveUp"


# The message is there until the ledger is closed


@pytest.mark.parametrize("setback", [None, BUSY, LOST])
@pytest.mark.parametrize("wait", [0, 20])
async def test_no_onboarding_is_open_without_a_message(
    scene: Scene, wait: float, setback: Setback | None
) -> None:
    scene.setback = setback
    held = await scene.submitted(wait)
    for _ in range(3):
        scene.clock.moment += timedelta(minutes=2)
        await scene.deliver()
    scene.setback = None
    scene.clock.moment += timedelta(hours=1)
    await scene.deliver()
    assert (await scene.held(held)).status is Status.SUCCEEDED
    assert scene.graph.commits[KEY] == 1
    assert scene.unarmed == set()
    scene.clock.moment += timedelta(hours=1)
    await scene.deliver()
    assert not scene.queue.messages


async def test_in_an_outage_of_the_ledger_a_message_comes_again(scene: Scene) -> None:
    held = await scene.submitted()
    for scene.tables_are_away in (True, True, False):
        await scene.deliver()
        scene.clock.moment += timedelta(minutes=1)
    assert (await scene.held(held)).status is Status.SUCCEEDED


async def test_who_asks_to_be_called_back_is_on_the_queue_of_callbacks(scene: Scene) -> None:
    asked = request(callbackUrl="https://prod-1.logic.azure.com/run")
    services = replace(scene.services, policy=Policy(callback_hosts=LOGIC_APPS))
    answer = await submit(services, Submission(asked, "http"), 20)
    assert isinstance(answer, Submitted)
    [message] = scene.callbacks.messages.values()
    assert answer.onboarding.id in message.text


# A newcomer whose message is quicker than its submit


async def test_a_newcomer_whose_message_joined_another_one_is_not_opened(scene: Scene) -> None:
    """Its message is gone, so it would be open for ever; even where the other gives way."""
    scene.setback = BUSY
    holder = await scene.submitted(wait=20)

    async def message_joins_the_holder_which_then_ends() -> None:
        await scene.deliver()
        await cancel(scene.services, holder.id)

    scene.meanwhile("transaction", message_joins_the_holder_which_then_ends)
    answered = await scene.submitted()
    assert (answered.id, answered.status) == (holder.id, Status.CANCELED)
    assert scene.unarmed == set()


async def test_a_newcomer_that_is_opened_after_all_keeps_its_message(scene: Scene) -> None:
    """Its submit takes over right before its message's function would note that it has joined."""
    scene.setback = BUSY
    holder = await scene.submitted(wait=20)
    newcomer = new_onboarding(scene.services, request(), "http")
    await scene.services.queue.put(message_of(newcomer), 0)

    async def holder_ends_and_the_submit_opens() -> None:
        await cancel(scene.services, holder.id)
        await scene.services.ledger.open(newcomer)

    scene.meanwhile("create onboardi", holder_ends_and_the_submit_opens)
    await scene.deliver()
    assert not (await scene.held(newcomer)).status.terminal
    assert scene.unarmed == set()


async def test_a_message_of_its_own_keeps_the_holder_alive(scene: Scene) -> None:
    """A message that joins may be the only one that the holder has."""
    scene.setback = BUSY
    holder = await scene.submitted(wait=20)
    scene.queue.messages.clear()
    newcomer = new_onboarding(scene.services, request(), "http")
    await scene.services.queue.put(message_of(newcomer), 0)
    scene.setback = None
    scene.clock.moment += timedelta(minutes=2)
    await scene.deliver()
    assert (await scene.held(holder)).status is Status.SUCCEEDED
    assert (await scene.held(newcomer)).joined == holder.id


async def test_a_second_delivery_of_what_joined_carries_on_with_the_holder(scene: Scene) -> None:
    """The first one died after it had noted that it joined."""
    scene.setback = BUSY
    holder = await scene.submitted(wait=20)
    scene.queue.messages.clear()
    newcomer = new_onboarding(scene.services, request(), "http")
    joined = lifecycle.join(newcomer, holder, scene.clock.now())
    await scene.services.ledger.record(joined)
    await scene.services.queue.put(message_of(newcomer), 0)
    scene.setback = None
    scene.clock.moment += timedelta(minutes=2)
    await scene.deliver()
    assert (await scene.held(holder)).status is Status.SUCCEEDED


# Replay


async def test_a_replay_is_on_the_queue_before_it_is_in_the_ledger(scene: Scene) -> None:
    held = await failed(scene)
    assert isinstance(await replay(scene.services, held.id), Submitted)
    assert scene.unarmed == set()
    await scene.deliver()
    assert (await scene.held(held)).status is Status.SUCCEEDED


async def test_a_replay_that_dies_right_after_its_message_is_carried_out(scene: Scene) -> None:
    held = await failed(scene)

    async def dies() -> None:
        raise _DiedError

    scene.meanwhile("transaction", dies)
    with pytest.raises(_DiedError):
        await replay(scene.services, held.id)
    await scene.deliver()
    assert (await scene.held(held)).status is Status.SUCCEEDED


class _DiedError(Exception):
    """The process is gone, and what it had in hand is there again."""


async def test_an_old_message_does_not_repeat_a_replay(scene: Scene) -> None:
    held = await failed(scene)
    await replay(scene.services, held.id)
    [message] = scene.queue.messages.values()
    scene.graph.refused.add(KEY)
    await scene.deliver()
    again = await scene.held(held)
    assert (again.status, again.attempts) == (Status.FAILED, 1)
    scene.graph.refused.clear()
    scene.queue.send(message.text, 0)
    await scene.deliver()
    assert await scene.held(held) == again
    assert not scene.graph.commits


async def test_a_replay_whose_message_is_buried_first_is_not_begun_later(scene: Scene) -> None:
    """The host may give a message up before the call that put it has reopened its onboarding."""
    held = await failed(scene)

    async def give_up() -> None:
        message = scene.queue.take(600)
        assert message is not None
        await bury(scene.services, OnboardingMessage.model_validate_json(message.text))
        scene.queue.delete(message.id, message.pop_receipt)

    scene.meanwhile("transaction", give_up)
    answer = await replay(scene.services, held.id)
    assert isinstance(answer, Submitted)
    after = await scene.held(held)
    assert after.last_error is not None
    assert (after.status, after.last_error.code) == (Status.FAILED, "MessagePoisoned")
    assert not scene.unarmed
    scene.clock.moment += SECOND
    assert isinstance(await replay(scene.services, held.id), Submitted)
    await scene.deliver()
    assert (await scene.held(held)).status is Status.SUCCEEDED


async def test_a_replay_that_its_message_found_needless_is_not_begun_later(scene: Scene) -> None:
    """The message is gone by then, so it would be open for ever."""
    held = await failed(scene)
    scene.setback = BUSY
    other = await scene.submitted(wait=20)

    async def message_meets_the_other_which_then_ends() -> None:
        await scene.deliver()
        await cancel(scene.services, other.id)

    scene.meanwhile("transaction", message_meets_the_other_which_then_ends)
    replayed = await replay(scene.services, held.id)
    assert isinstance(replayed, Conflict)
    assert (await scene.held(held)).status is Status.FAILED
    assert scene.unarmed == set()


async def test_of_all_that_are_asked_for_only_those_that_failed_are_replayed(scene: Scene) -> None:
    """Those that did not fail take no room among the most that one call replays."""
    refused = {f"partner{number}.example" for number in range(3)}
    scene.graph.refused |= {f"domain:{name}" for name in refused}
    others = [f"other{number}.example" for number in range(3)]
    for name in (*sorted(refused), *others):
        await scene.submitted(20, identitySources=[domain_source(name)])
        scene.clock.moment += SECOND
    scene.graph.refused.clear()

    everything = OnboardingFilter()

    async def replay_two(*, dry_run: bool = False) -> dict[str, object]:
        done = await replay_several(scene.services, everything, 2, dry_run=dry_run)
        return {one.id: one.result for one in done.each}

    tried = await replay_two(dry_run=True)
    assert len(tried) == 2
    assert not scene.queue.messages, "a dry run changes nothing"

    first = await replay_two()
    assert first.keys() == tried.keys(), "the newest first"
    rest = await replay_two()
    assert [type(result) for result in (*first.values(), *rest.values())] == [Submitted] * 3
    assert len(first.keys() | rest.keys()) == 3
    await scene.deliver()
    assert set(scene.graph.commits.values()) == {1}
    assert len(scene.graph.commits) == 6
    assert await replay_two() == {}


# Cancel


async def test_what_runs_is_not_canceled(scene: Scene) -> None:
    begun = await running(scene)
    answer = await cancel(scene.services, begun.id)
    assert isinstance(answer, Conflict)
    assert answer.reason is Reason.NOT_CANCELABLE
    assert await scene.held(begun) == begun


async def test_a_cancel_that_an_attempt_forestalls_says_so(scene: Scene) -> None:
    held = await scene.submitted()
    scene.meanwhile("update onboardi", scene.deliver)
    answer = await cancel(scene.services, held.id)
    assert isinstance(answer, Conflict)
    assert answer.onboarding is not None
    assert answer.onboarding.status is Status.SUCCEEDED
    assert await scene.held(held) == answer.onboarding


async def test_what_is_canceled_is_never_sent_to_graph(scene: Scene) -> None:
    held = await scene.submitted()
    assert isinstance(await cancel(scene.services, held.id), Submitted)
    await scene.deliver()
    assert (await scene.held(held)).status is Status.CANCELED
    assert not scene.graph.commits
    assert not scene.queue.messages
