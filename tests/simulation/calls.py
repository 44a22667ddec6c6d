"""How the calls of an invocation travel, and what happens to them on the way."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from connorg.contract.organization import ConnectedOrganization
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback
from tests.simulation.graph import FAULTS, Fault

if TYPE_CHECKING:
    from datetime import datetime

    from connorg.core.throttle.gate import Gate
    from connorg.core.throttle.pacer import Turn
    from tests.simulation.world import Instance, World

_STORAGE_LATENCY = (0.001, 0.05)
_STORAGE_PATIENCE = 10.0  # seconds until the SDK takes a call for lost; storage.connection
_GRAPH_LATENCY = (0.05, 2.0)
_GRAPH_HANGS = (10.0, 45.0)
LATEST_EFFECT = 5.0  # seconds after its caller gave up that Graph may still carry out a call


class Actor:
    """One invocation of a function on an instance, and what the invariants know of it."""

    def __init__(self, instance: "Instance", name: str, *, takes_turns: bool) -> None:
        self.instance = instance
        self.takes_turns = takes_turns
        """Whether it may call Graph only at a turn."""
        self.name = f"{instance.name} {name}"
        self.gate: Gate | None = None
        """As it last read it before it took the lease."""
        self.begun: dict[str, Any] | None = None
        """The onboarding as it was written with the lease."""
        self.told_to_wait_until: float | None = None
        self.throttled = False
        """Graph told it to call less often."""
        self.step_began: datetime | None = None
        """When it called Graph first since it wrote the onboarding."""
        self.changed_gate_at: datetime | None = None
        """When it last set out to change the gate."""
        self.turn: Turn | None = None
        """The turn that it came at."""
        self.waits_for_turn = False
        self.graph_calls = 0
        self.steps_to_live: int | None = None

    def act(self) -> None:
        """Make this the actor of the current task and of those that it starts."""
        _ACTOR.set(self)

    async def step(self) -> None:
        """An await, at which the process may die; then it never returns."""
        world = self.instance.world
        if self.steps_to_live is not None:
            self.steps_to_live -= 1
        dies = self.steps_to_live == 0 or world.strikes(world.weather.crash)
        if self.instance.alive and dies:
            self.instance.crash()
        if not self.instance.alive:
            await world.loop.create_future()


_ACTOR: ContextVar[Actor] = ContextVar("actor")


def current_actor() -> Actor:
    return _ACTOR.get()


async def reach_storage[T](what: str, act: Callable[[], T], /) -> T:
    """One call by Azure's SDK, which repeats a call that had no answer once."""
    actor = current_actor()
    instance, world = actor.instance, actor.instance.world
    world.invariants.turned_to_storage(actor)
    await actor.step()
    random = world.random
    fate = ""
    if world.strikes(world.weather.storage):
        fate = random.choice(("lost", "answer lost", "repeated", "slow", "slow answer"))
    await asyncio.sleep(random.uniform(*_STORAGE_LATENCY))
    if not instance.alive:
        if random.random() < 0.5:  # the call had left already
            with suppress(HttpResponseError):
                _take_effect(actor, f"{what}, after the crash", act)
        await actor.step()
    if fate in {"lost", "slow"}:
        await asyncio.sleep(random.uniform(0, _STORAGE_PATIENCE))
    if fate == "lost":
        world.note(actor.name, f"{what}, lost")
        raise ServiceRequestError("simulated")
    done = _take_effect(actor, what, act)
    if fate in {"answer lost", "repeated", "slow answer"}:
        await asyncio.sleep(random.uniform(0, _STORAGE_PATIENCE))
    if fate == "repeated":
        done = _take_effect(actor, f"{what}, again", act)
    await actor.step()
    if fate == "answer lost":
        world.note(actor.name, f"{what}, answer lost")
        raise ServiceResponseError("simulated")
    return done


def _take_effect[T](actor: Actor, what: str, act: Callable[[], T]) -> T:
    try:
        done = act()
    except HttpResponseError as error:
        actor.instance.world.note(actor.name, f"{what} → {error.status_code}")
        raise
    actor.instance.world.note(actor.name, what)
    return done


async def ask_graph[T](what: str, key: str, act: Callable[[], T], /) -> T | Setback:
    actor = current_actor()
    world = actor.instance.world
    await actor.step()
    world.invariants.graph_called(actor, what, key)
    fault = _draw_fault(actor, what)
    called_at = world.now()
    try:
        done = await _exchange(actor, what, key, act, fault)
    finally:
        world.invariants.graph_left(actor, called_at)
    await actor.step()
    answer = fault.setback if fault is not None else done[0]
    world.note(actor.name, f"Graph answers the {what}: {shown(answer)}")
    world.invariants.graph_answered(actor, what, answer)
    return answer


async def _exchange[T](
    actor: Actor,
    what: str,
    key: str,
    act: Callable[[], T],
    fault: Fault | None,
) -> list[T]:
    """Let the call travel, take effect at some moment and be answered; or be cut."""
    world, random = actor.instance.world, actor.instance.world.random
    is_post = what == "create"
    done: list[T] = []

    def take_effect() -> None:
        done.append(act())
        world.note("Graph", f"does the {what} of {actor.name}: {shown(done[0])}")
        if is_post and isinstance(done[0], ConnectedOrganization) and actor.begun is not None:
            world.graph.stored[world.graph.key_of(key)].creator = actor.begun["id"]
        settle()

    def settle() -> None:
        world.posts_under_way[key] -= is_post

    seconds = random.uniform(
        *(_GRAPH_HANGS if world.strikes(world.weather.hang) else _GRAPH_LATENCY)
    )
    if fault is not None and not fault.commits:
        await asyncio.sleep(seconds)
        return done
    world.posts_under_way[key] += is_post
    effect = world.loop.call_later(random.uniform(0, seconds), take_effect)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        world.note(actor.name, f"gives up the {what}")
        if not done:
            effect.cancel()
            late = random.uniform(0, LATEST_EFFECT)
            world.loop.call_later(late, random.choice((take_effect, settle)))
        raise
    return done


def shown(answer: object) -> str:
    """For the trace."""
    match answer:
        case ConnectedOrganization():
            return answer.id
        case Later():
            marks = [mark for mark in ("ambiguous", "throttled") if getattr(answer, mark)]
            after = [] if answer.retry_after is None else [f"after {answer.retry_after:.3f} s"]
            return " ".join(["Later", answer.error.code, *marks, *after])
        case AlreadyConnected() | Refused() | Blocked():
            return f"{type(answer).__name__} {answer.error.code}"
        case _:
            return str(answer)


def _draw_fault(actor: Actor, what: str) -> Fault | None:
    world = actor.instance.world
    now, weather, random = world.loop.time(), world.weather, world.random
    # Whether tenants can be looked up is one thing for a whole schedule.
    may_be_denied = what != "lookup"
    if now < weather.blocked_until and may_be_denied:
        return FAULTS["no permission"]
    if _throttles(world):
        return _with_retry_after(FAULTS["throttled"], world.graph_throttles_until - now)
    if not weather.faults or not world.strikes(weather.graph):
        return None
    name = random.choice(weather.faults)
    if name in {"no permission", "unreadable"} and not may_be_denied:
        return None
    fault = FAULTS[name]
    match fault.setback:
        case Later(retry_after=float() | int(), throttled=throttled):
            seconds = random.choice((1.0, 1.0, 5.0, 30.0, 90.0))
            if throttled:
                world.graph_throttles_until = now + seconds
            return _with_retry_after(fault, seconds)
    return fault


def _throttles(world: "World") -> bool:
    """Whether Graph refuses a call: it told to wait, or is called too often."""
    now, weather = world.loop.time(), world.weather
    world.graph_calls.append(now)
    if weather.limit and sum(now - 1 < call for call in world.graph_calls) > weather.limit:
        world.graph_throttles_until = max(world.graph_throttles_until, now + weather.retry_after)
    return now < world.graph_throttles_until


def _with_retry_after(fault: Fault, seconds: float) -> Fault:
    if not isinstance(fault.setback, Later):
        return fault
    return replace(fault, setback=replace(fault.setback, retry_after=seconds))
