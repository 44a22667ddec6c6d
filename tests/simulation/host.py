"""The Functions host's queue triggers, on every instance of the app.

Rules: at most 16 messages in hand on an instance; a message in hand is hidden for ten minutes;
success deletes; failure shows the message again after `visibilityTimeout` (host.json: 30 s); the
fifth delivery is the last, then the text is copied to the poison queue and the message deleted, in
two steps. A poison message whose function fails stays hidden until its ten minutes are over. The
messages that a worker had in hand have failed where it crashes and its host does not.
"""

import math
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from azure.core.exceptions import AzureError, HttpResponseError
from pydantic_core import from_json

from connorg.contract.messages import CallbackMessage, OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse
from connorg.core import callbacks
from connorg.core.onboarding import producers, resume
from connorg.core.ports import StorageUnavailableError, SupersededError
from connorg.core.services import Services
from tests.simulation.calls import current_actor, reach_storage
from tests.simulation.host_faults import HostFault
from tests.simulation.storage import Message, Queue
from tests.simulation.world import Instance, World

_BATCH = 16
_HIDDEN = 600.0  # seconds
_RENEWAL = (0.0, 60.0)  # seconds after which a message that was not renewed is visible
_VISIBILITY_TIMEOUT = 30  # seconds
_MOST_DELIVERIES = 5
_POLLING = 1.0  # seconds; the longest that an idle host looks away
_NOW = 0
_LONG_LIFE = 20  # awaits; as many as a delivery has when nothing fails

UNREADABLE = OnboardingError(code="MessageUnreadable", message="It could not be understood.")


class Trigger:
    """One queue and the function that it triggers."""

    def __init__(
        self,
        world: World,
        queue: Queue,
        poison: Queue | None,
        function: Callable[[Services, str, datetime], Awaitable[float | None]],
    ) -> None:
        self._world = world
        self._queue = queue
        self._poison = poison
        self._function = function
        self._in_hand: defaultdict[Instance, list[Message]] = defaultdict(list)
        queue.changed = self._changed
        world.instance_started.append(self._look_soon)
        world.worker_restarted.append(self._worker_restarted)

    def _changed(self, message: Message) -> None:
        self._world.loop.call_at(message.visible_at, self._look_soon)

    def _look_soon(self) -> None:
        if self._queue.messages:
            self._world.loop.call_later(self._world.random.uniform(0, _POLLING), self._look)

    def _look(self) -> None:
        free = [
            instance
            for instance in self._world.living()
            if instance.takes_messages and len(self._in_hand[instance]) < _BATCH
        ]
        if not free:
            return  # who starts, or gets a hand free, looks
        message = self._take()
        if message is None:
            return
        if self._world.host.strikes(HostFault.GET_LOST):
            self._world.note("host", f"loses {message.id}/{message.dequeue_count}")
        else:
            self._begin(self._world.random.choice(free), message)
        self._look_soon()  # more may have become visible while nobody was there to take them

    def _begin(self, instance: Instance, message: Message) -> None:
        if self._world.host.strikes(HostFault.STOPPED):
            instance.stop()
        self._in_hand[instance].append(message)
        self._world.spawn(self._handle(instance, message))

    def _take(self) -> Message | None:
        host = self._world.host
        hidden = host.random.uniform(*_RENEWAL) if host.strikes(HostFault.SHOWN_AGAIN) else _HIDDEN
        times = _MOST_DELIVERIES + 1 if host.strikes(HostFault.COUNTED_OUT) else 1
        return self._queue.take(hidden, times)

    async def _handle(self, instance: Instance, message: Message) -> None:
        name = f"{message.id}/{message.dequeue_count}"
        self._world.note(f"{instance.name} {name}", f"{self._function.__name__} {message.text}")
        try:
            await instance.run(
                name, lambda services: self._run(services, name, message), takes_turns=True
            )
        except AzureError:
            self._world.note(name, "the host lost storage; the message will come again")
        self._in_hand[instance].remove(message)
        self._look_soon()

    def _worker_restarted(self, instance: Instance) -> None:
        for message in self._in_hand.pop(instance, []):
            if self._poison is None:
                continue
            with suppress(HttpResponseError):
                if message.dequeue_count < _MOST_DELIVERIES:
                    self._release(message)
                else:
                    self._world.invariants.poisoned += 1
                    self._poison.send(message.text, _NOW)
                    self._delete(message)

    async def _run(self, services: Services, name: str, message: Message) -> None:
        if self._poison is not None and message.dequeue_count > _MOST_DELIVERIES:
            await self._give_up(message, self._poison)  # it killed its workers
            return
        if self._poison is not None and self._world.strikes(self._world.weather.kill):
            current_actor().steps_to_live = self._world.random.randint(1, _LONG_LIFE)
        if self._world.host.strikes(HostFault.WORKER_KILLED):
            current_actor().steps_to_live = self._world.host.random.randint(1, _LONG_LIFE)
        if self._poison is None and self._world.host.strikes(HostFault.POISON_FAILS):
            return
        try:
            inserted = self._world.moment(message.inserted_at)
            delay = await self._function(services, message.text, inserted)
            if delay is not None:
                await reach_storage("put", lambda: self._queue.send(message.text, math.ceil(delay)))
        except (StorageUnavailableError, SupersededError) as error:
            self._world.note(name, f"fails: {error!r}")
            await self._fail(message)
        except Exception as error:  # noqa: BLE001  nobody expects another
            self._world.invariants.failed(name, error)
        else:
            await reach_storage("delete", lambda: self._delete(message))

    async def _fail(self, message: Message) -> None:
        if self._poison is None:
            return
        if message.dequeue_count >= _MOST_DELIVERIES:
            await self._give_up(message, self._poison)
            return
        await reach_storage("release", lambda: self._release(message))

    async def _give_up(self, message: Message, poison: Queue) -> None:
        self._world.invariants.poisoned += 1
        await reach_storage("copy to poison", lambda: poison.send(message.text, _NOW))
        if self._world.host.strikes(HostFault.POISONED_TWICE):
            await reach_storage("copy to poison", lambda: poison.send(message.text, _NOW))
        await reach_storage("delete", lambda: self._delete(message))

    def _release(self, message: Message) -> None:
        self._queue.update(message.id, message.pop_receipt, None, _VISIBILITY_TIMEOUT)

    def _delete(self, message: Message) -> None:
        self._queue.delete(message.id, message.pop_receipt)


def start_triggers(world: World) -> None:
    Trigger(world, world.queue, world.poison_queue, on_message)
    Trigger(world, world.poison_queue, None, on_poison)
    Trigger(world, world.callback_queue, world.callback_poison_queue, on_callback)
    Trigger(world, world.callback_poison_queue, None, on_callback_poison)


async def on_message(services: Services, text: str, inserted: datetime) -> float | None:
    """As connorg.functions.queues.onboarding has it.

    Return the seconds after which the same message must be put again, if it must.
    """
    match _read(text):
        case OnboardingMessage() as message:
            await resume.resume(services, message)
        case ProducerMessage() as message:
            return await producers.receive(services, message, inserted)
        case OnboardingError() as error:
            await producers.record_unreadable(services, text, error)
    return None


async def on_poison(services: Services, text: str, inserted: datetime) -> None:
    match _read(text):
        case OnboardingMessage() as message:
            await resume.bury(services, message)
        case ProducerMessage() as message:
            await producers.bury_producers(services, message, inserted)
        case OnboardingError() as error:
            await producers.record_unreadable(services, text, error)


async def on_callback(services: Services, text: str, _: datetime) -> None:
    """As connorg.functions.queues.callback has it."""
    await callbacks.call_back(services, parse(CallbackMessage, text))


async def on_callback_poison(services: Services, text: str, _: datetime) -> None:
    await callbacks.bury_callback(services.ledger, parse(CallbackMessage, text))


def _read(text: str) -> OnboardingMessage | ProducerMessage | OnboardingError:
    try:
        if "onboardingId" in from_json(text):
            return parse(OnboardingMessage, text)
        return parse(ProducerMessage, text)
    except (ValueError, MalformedBodyError, InvalidValuesError):
        return UNREADABLE
