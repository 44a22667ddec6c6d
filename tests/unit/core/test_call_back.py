"""Callbacks: for how long they are tried, and what keeps them from being made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from connorg.contract.callbacks import CallbackRecord
from connorg.contract.messages import CallbackMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.parsing import parse
from connorg.core.callbacks import bury_callback, call_back, subscribe
from connorg.core.domain import lifecycle
from connorg.core.onboarding.records import new_onboarding
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.services import Callbacks
from tests.simulation.storage import Queue, by_turns, retry_queue_on
from tests.unit.core.services_under_test import NOW, Clock, simulated_core
from tests.unit.partners import domain_source, request

ADDRESS = "https://prod-1.logic.azure.com/run?sig=secret"
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
MOST_DELIVERIES = 2000  # of messages; in a day of pauses of a minute at least there are fewer


@dataclass
class Receiver:
    clock: Clock
    answers: list[int | str] = field(default_factory=list)
    """One after the other, then the last for ever."""
    calls: list[datetime] = field(default_factory=list)

    async def post(self, _address: str, _headers: Mapping[str, str], _body: bytes) -> int | str:
        self.calls.append(self.clock.now())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.receiver = Receiver(self.clock, [204])
        self.queue = Queue(self._seconds)
        self.queue.create_queue()
        self.services = replace(
            simulated_core(self.clock),
            policy=Policy(callback_hosts=LOGIC_APPS),
            callbacks=Callbacks(
                queue=retry_queue_on(self.queue, by_turns), receiver=self.receiver, keys=(b"key",)
            ),
        )

    def _seconds(self) -> float:
        return (self.clock.now() - NOW).total_seconds()

    async def asked(self, *, ended: datetime | None) -> Onboarding:
        """Open an onboarding, which may have ended long ago, and ask for a callback now."""
        asked = request(domain_source(), callbackUrl=ADDRESS)
        opened = new_onboarding(self.services, asked, "http")
        if ended is not None:
            opened = lifecycle.move(opened, Status.CANCELED, ended)
        onboarding = await self.services.ledger.record(opened)
        await subscribe(self.services, asked, onboarding)
        return onboarding

    async def deliver(self, until: datetime | None = None) -> None:
        """Deliver messages as they become visible, all or those before a time."""
        for _ in range(MOST_DELIVERIES):
            if not self.queue.messages:
                return
            visible_at = min(message.visible_at for message in self.queue.messages.values())
            moment = NOW + timedelta(seconds=visible_at)
            if until is not None and moment > until:
                return
            self.clock.moment = max(self.clock.moment, moment)
            message = self.queue.take(600)
            assert message is not None
            await call_back(self.services, parse(CallbackMessage, message.text))
            self.queue.delete(message.id, message.pop_receipt)
        raise AssertionError("the callback is tried for ever")

    async def note(self, onboarding: Onboarding) -> CallbackRecord:
        return await self.services.ledger.callback(onboarding.id, message_for(onboarding).name)


def message_for(onboarding: Onboarding) -> CallbackMessage:
    return CallbackMessage(onboarding_id=onboarding.id, callback_url=ADDRESS, asked_date_time=NOW)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("answer", [500, 302, "ClientError"])
@pytest.mark.parametrize("ended", [NOW, NOW - 3 * DAY], ids=["now", "long ago"])
async def test_who_never_takes_it_is_called_for_a_day_and_then_left_alone(
    world: World, answer: int | str, ended: datetime
) -> None:
    world.receiver.answers = [answer]
    onboarding = await world.asked(ended=ended)
    await world.deliver()
    first, *_, last = world.receiver.calls
    assert first == NOW
    assert DAY - HOUR / 4 <= last - NOW <= DAY
    assert (await world.note(onboarding)).ended == "given up"
    await world.services.callbacks.queue.put(message_for(onboarding), 0)
    await world.deliver()
    assert world.receiver.calls[-1] == last, "a message that comes once more calls nobody"


async def test_pauses_between_calls_grow(world: World) -> None:
    world.receiver.answers = [500]
    await world.asked(ended=NOW)
    await world.deliver()
    calls = world.receiver.calls
    assert calls[3] - NOW < timedelta(minutes=2)
    assert 150 < len(calls) < 240, "a day of pauses of half a quarter of an hour on average"


async def test_a_callback_that_was_made_is_made_once(world: World) -> None:
    world.receiver.answers = [500, 500, 204]
    onboarding = await world.asked(ended=NOW)
    await world.deliver()
    await world.services.callbacks.queue.put(message_for(onboarding), 0)
    await world.deliver()
    assert len(world.receiver.calls) == 3
    assert (await world.note(onboarding)).ended == "delivered"


async def test_nobody_is_called_whom_the_policy_refuses_by_now(world: World) -> None:
    onboarding = await world.asked(ended=NOW)
    allowing = world.services
    world.services = replace(allowing, policy=Policy(callback_hosts=("hooks.example",)))
    await world.deliver(until=NOW + HOUR)
    assert not world.receiver.calls
    assert (await world.note(onboarding)).ended is None, "the list may be a mistake"
    world.services = allowing
    await world.deliver()
    assert len(world.receiver.calls) == 1


async def test_an_address_that_stays_refused_is_given_up(world: World) -> None:
    onboarding = await world.asked(ended=NOW)
    world.services = replace(world.services, policy=Policy())
    await world.deliver()
    assert not world.receiver.calls
    assert (await world.note(onboarding)).ended == "given up"


async def test_a_callback_that_the_host_gave_up_has_ended(world: World) -> None:
    onboarding = await world.asked(ended=NOW)
    await bury_callback(world.services.ledger, message_for(onboarding))
    assert (await world.note(onboarding)).ended == "poisoned"
    await world.deliver()
    assert not world.receiver.calls


async def test_a_callback_that_was_made_stays_so_when_its_message_is_poisoned(
    world: World,
) -> None:
    onboarding = await world.asked(ended=NOW)
    await world.deliver()
    await bury_callback(world.services.ledger, message_for(onboarding))
    assert (await world.note(onboarding)).ended == "delivered"


async def test_who_is_gone_is_never_called_again(world: World) -> None:
    world.receiver.answers = [410]
    onboarding = await world.asked(ended=NOW)
    await world.deliver()
    assert len(world.receiver.calls) == 1
    assert (await world.note(onboarding)).ended == "stopped"


async def test_a_second_message_waits_while_somebody_is_calling(world: World) -> None:
    onboarding = await world.asked(ended=NOW)
    note = await world.note(onboarding)
    due = NOW + 20 * SECOND
    await world.services.ledger.record_callback(note.model_copy(update={"due": due}))
    await world.deliver()
    [called_at] = world.receiver.calls
    assert due <= called_at <= due + SECOND


async def test_a_callback_is_noted_as_under_way_for_longer_than_a_call_may_take(
    world: World,
) -> None:
    onboarding = await world.asked(ended=NOW)
    held: list[CallbackRecord] = []

    class Watching:
        async def post(self, *_: object) -> int:
            held.append(await world.note(onboarding))
            return 204

    callbacks = replace(world.services.callbacks, receiver=Watching())
    world.services = replace(world.services, callbacks=callbacks)
    await world.deliver()
    [note] = held
    assert note.due is not None
    assert note.due - NOW > 15 * SECOND


async def test_an_onboarding_that_lasts_is_looked_at_less_and_less_but_each_minute(
    world: World,
) -> None:
    onboarding = await world.asked(ended=None)
    looks = []
    while world.clock.moment < NOW + HOUR:
        [message] = world.queue.messages.values()
        looks.append(NOW + timedelta(seconds=message.visible_at))
        await world.deliver(until=looks[-1])
    pauses = [after - before for before, after in zip([NOW, *looks], looks, strict=False)]
    assert pauses[0] == 2 * SECOND
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60 * SECOND
    held = await world.services.ledger.read(onboarding.id)
    assert held is not None
    await world.services.ledger.save(lifecycle.cancel(held, world.clock.now()))
    await world.deliver()
    assert len(world.receiver.calls) == 1


async def test_a_callback_for_what_was_purged_goes(world: World) -> None:
    gone = new_onboarding(world.services, request(domain_source(), callbackUrl=ADDRESS), "http")
    await world.services.callbacks.queue.put(message_for(gone), 0)
    await world.deliver()
    assert not world.receiver.calls
    assert not world.queue.messages
