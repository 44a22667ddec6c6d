"""One simulated world: its time, its weather, its services, and the instances that come and go."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from connorg.contract import channels
from connorg.core.domain.timing import Timing
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.policy.ways_in import WaysIn
from connorg.core.services import Callbacks, Services
from connorg.core.throttle.throttle import Throttle
from tests.simulation.calls import Actor, ask_graph, reach_storage
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.host_faults import HostFaults
from tests.simulation.invariants import Invariants
from tests.simulation.loop import SimulatedLoop
from tests.simulation.receiver import SimulatedReceiver
from tests.simulation.storage import (
    Queue,
    Table,
    batches_on,
    gate_store_on,
    ledger_on,
    retry_queue_on,
)
from tests.simulation.turns import CALLS_OF_A_TURN
from tests.simulation.watched import WatchedGateStore, WatchedThrottle

_START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
RETENTION = 8 * 24 * 60 * 60.0  # seconds; the shortest that may be set
_REBIRTH = (1.0, 60.0)  # seconds from a crash to a new instance
_STOPPING = (0.0, 60.0)  # seconds from the 403 to the end of the process

type Change = Callable[[Services], Services]
"""What a mutation makes of the core of an instance."""


@dataclass(frozen=True)
class Weather:
    """What goes wrong, how often, until when. The rates are chances at each opportunity."""

    ends: float = 0.0
    """In simulated seconds since the start."""
    crash: float = 0.0
    """An instance dies at an await."""
    kill: float = 0.0
    """An instance dies of a message, somewhere on its way."""
    host: float = 0.0
    """The Functions host does what HostFault names."""
    storage: float = 0.0
    """A call or its answer is lost, is slow, or is repeated by the SDK."""
    graph: float = 0.0
    """Graph answers with one of the faults."""
    hang: float = 0.0
    """Graph takes longer than an attempt may last."""
    faults: tuple[str, ...] = ()
    """Names of graph.FAULTS."""
    listing_delay: float = 0.0
    """The longest that Graph takes to list what it created, in seconds."""
    blocked_until: float = 0.0
    """Until then a permission is missing."""
    rush: int = 0
    """How many partners come at once, by the queue."""
    limit: int = 0
    """How many calls Graph takes in any second, before it tells to wait; 0: any number."""
    retry_after: float = 1.0
    """For how many seconds it then tells to wait."""


class World:
    def __init__(
        self, random: Random, weather: Weather, change: Change, host: Random, *, tracing: bool
    ) -> None:
        self.loop = SimulatedLoop()
        self.random = random
        self.weather = weather
        self.host = HostFaults(host, weather.host, lambda: self.loop.time() < weather.ends)
        self.timing = Timing(retention=RETENTION)
        self.trace: list[tuple[float, str, str]] = []
        self.invariants = Invariants(self)
        watch = self.invariants
        self.table = Table(watch.row_written, watch.row_deleted)
        self.table.create_table()
        self.batches_table = Table()
        self.batches_table.create_table()
        self.queue = Queue(self.loop.time)
        self.queue.create_queue()
        self.poison_queue = Queue(self.loop.time)
        self.poison_queue.create_queue()
        self.callback_queue = Queue(self.loop.time)
        self.callback_queue.create_queue()
        self.callback_poison_queue = Queue(self.loop.time)
        self.callback_poison_queue.create_queue()
        self.queues = (
            self.queue,
            self.poison_queue,
            self.callback_queue,
            self.callback_poison_queue,
        )
        self.graph = Graph(self.now, lambda: random.uniform(0, weather.listing_delay))
        self.graph_throttles_until = 0.0
        self.graph_calls: deque[float] = deque(maxlen=max(1, weather.limit + 1))
        """When Graph was last called."""
        self.posts_under_way: Counter[str] = Counter()
        """By natural key, how many Graph may still carry out."""
        self.instances: list[Instance] = []
        self.instance_started: list[Callable[[], None]] = []
        self.worker_restarted: list[Callable[[Instance], None]] = []
        self._change = change
        self._tracing = tracing
        self._tasks: list[asyncio.Task[Any]] = []

    def now(self) -> datetime:
        """See ports.Clock."""
        return self.moment(self.loop.time())

    @staticmethod
    def moment(seconds: float) -> datetime:
        """Return the moment so many seconds after the start."""
        return _START + timedelta(seconds=seconds)

    def note(self, who: str, what: str) -> None:
        if self._tracing:
            self.trace.append((self.loop.time(), who, what))

    def strikes(self, rate: float) -> bool:
        return self.loop.time() < self.weather.ends and self.random.random() < rate

    def spawn[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self.loop.create_task(work)
        self._tasks.append(task)  # else one that hangs for ever would be collected as garbage
        return task

    def start_instance(self) -> None:
        instance = Instance(self, f"instance{len(self.instances) + 1}")
        self.instances.append(instance)
        self.note(instance.name, "starts")
        for tell in self.instance_started:
            tell()

    def living(self) -> list["Instance"]:
        return [instance for instance in self.instances if instance.alive]

    def new_core(self) -> Services:
        services = self._change(
            Services(
                gateway=SimulatedGateway(self.graph, ask_graph),
                ledger=ledger_on(self.table, reach_storage),
                batches=batches_on(self.batches_table, reach_storage),
                queue=retry_queue_on(self.queue, reach_storage),
                throttle=Throttle(
                    WatchedGateStore(gate_store_on(self.table, reach_storage), self),
                    self,
                    self.random,
                    self.timing,
                    calls=CALLS_OF_A_TURN,
                ),
                clock=self,
                random=self.random,
                timing=self.timing,
                policy=Policy(
                    callback_hosts=LOGIC_APPS, ways_in=WaysIn(updates_from=(channels.QUEUE,))
                ),
                callbacks=Callbacks(
                    queue=retry_queue_on(self.callback_queue, reach_storage),
                    receiver=SimulatedReceiver(self),
                    keys=(b"simulated",),
                ),
            )
        )
        watched: Any = WatchedThrottle(services.throttle, self.invariants.turns)
        return replace(services, throttle=watched)


class Instance:
    """One process of the app. When it dies, none of its calls ever returns."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.services = world.new_core()
        self.alive = True
        self.takes_messages = True
        self.actors: set[Actor] = set()
        """Those that are at work."""
        self.death = world.loop.create_future()

    async def run[T](
        self,
        name: str,
        function: Callable[[Services], Coroutine[Any, Any, T]],
        *,
        takes_turns: bool = False,
    ) -> T:
        """Run one invocation; what it calls knows it as the actor."""
        actor = Actor(self, name, takes_turns=takes_turns)
        actor.act()
        self.actors.add(actor)
        try:
            return await function(self.services)
        finally:
            self.actors.discard(actor)

    def crash(self) -> None:
        world = self.world
        world.note(self.name, "CRASHES")
        self.alive = False
        self.death.set_result(None)
        if world.host.outlives_worker():
            world.note(self.name, "is started again by its host")
            for tell in world.worker_restarted:
                tell(self)
        world.loop.call_later(world.random.uniform(*_REBIRTH), world.start_instance)

    def stop(self) -> None:
        """Take no more, and end soon, with or without what is in hand."""
        self.takes_messages = False
        self.world.note(self.name, "is stopped by a 403")
        self.world.loop.call_later(self.world.host.random.uniform(*_STOPPING), self._end)

    def _end(self) -> None:
        if self.alive:
            self.crash()
