"""A core on simulated services that do at once what they are asked for."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from connorg.core.domain.timing import Timing
from connorg.core.policy.rules import Policy
from connorg.core.services import Callbacks, Services
from connorg.core.throttle.throttle import Throttle
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.storage import (
    Queue,
    Table,
    batches_on,
    gate_store_on,
    ledger_on,
    retry_queue_on,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


async def _at_once[T](_what: str, act: Callable[[], T], /) -> T:
    return act()


async def _ask[T](_what: str, _request: object, act: Callable[[], T], /) -> T:
    return act()


class _NoReceiver:
    async def post(self, *_: object) -> int | str:
        raise AssertionError("nobody asked to be called back")


def simulated_core(clock: Clock | None = None, graph: Graph | None = None) -> Services:
    clock = clock or Clock()
    random, timing = Random(1), Timing()
    table, queue = Table(), Queue(lambda: 0.0)
    table.create_table()
    queue.create_queue()
    return Services(
        gateway=SimulatedGateway(graph or Graph(clock.now, lambda: 0.0), _ask),
        ledger=ledger_on(table, _at_once),
        batches=batches_on(table, _at_once),
        queue=retry_queue_on(queue, _at_once),
        throttle=Throttle(gate_store_on(table, _at_once), clock, random, timing, calls=2),
        clock=clock,
        random=random,
        timing=timing,
        policy=Policy(),
        callbacks=Callbacks(queue=retry_queue_on(queue, _at_once), receiver=_NoReceiver(), keys=()),
    )
