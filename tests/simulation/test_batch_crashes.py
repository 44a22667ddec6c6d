"""The process dies at each call to storage or Graph in turn, with many rows in hand.

Whatever it died at: when all is at rest, each row is told as its onboarding ended, each partner has
one organization, and no message is left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from random import Random
from typing import Any

import pytest
from pydantic_core import from_json

from connorg.contract.batch_views import BatchStatus, BatchView
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import row_onboarding_id
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.batches.accept import (
    BatchSubmission,
    cancel_batch,
    message_of_row,
    replay_batch,
    submit_batch,
)
from connorg.core.batches.progress import progress, results
from connorg.core.batches.rows import bury_rows, resume_rows
from connorg.core.domain.outcomes import Later, Setback
from connorg.core.domain.timing import Timing
from connorg.core.policy.rules import Policy
from connorg.core.services import Callbacks, Services
from connorg.core.throttle.throttle import Throttle
from tests.cases import each
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.loop import SimulatedLoop
from tests.simulation.storage import (
    Message,
    Queue,
    Table,
    batches_on,
    gate_store_on,
    ledger_on,
    retry_queue_on,
)
from tests.unit.partners import domain_source, request

ROWS = 7  # a message of five, and one of two
START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LATENCY = 0.01
HIDDEN = 600.0  # seconds
MOST_DELIVERIES = 5
LONGEST = 4 * 60 * 60.0  # seconds
CALLS = 50  # more than there are before all is done


class World:
    """One process at a time, which dies at a call and is there again at once."""

    def __init__(self, dies_at: int = 0, *, dies_before: bool = False) -> None:
        self.loop = SimulatedLoop()
        self.graph = Graph(self.now, lambda: 0.0)
        self.queue, self.poison = Queue(self.loop.time), Queue(self.loop.time)
        self.ledger, self.batches = Table(), Table()
        for part in (self.ledger, self.batches):
            part.create_table()
        for queue in (self.queue, self.poison):
            queue.create_queue()
        self.calls = 0
        self.deaths = 0
        self.setbacks: dict[str, Setback] = {}
        """What Graph answers of whom."""
        self.killer: Callable[[str], bool] = lambda _: False
        """Tells of a call whether the process dies at it, each time."""
        self.dies_at, self._dies_before = dies_at, dies_before
        self._tasks: set[asyncio.Future[Any]] = set()
        self.services = self._new_core()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    def _new_core(self) -> Services:
        life = self.deaths

        async def travel[T](what: str, act: Callable[[], T], /) -> T:
            return await self._travel(life, what, act)

        async def ask[T](what: str, key: str, act: Callable[[], T], /) -> T | Setback:
            setback = self.setbacks.get(key)
            if setback is not None:
                return await self._travel(life, f"{what} {key}", lambda: setback)
            return await self._travel(life, f"{what} {key}", act)

        queue = retry_queue_on(self.queue, travel)
        random, timing = Random(1), Timing()
        return Services(
            gateway=SimulatedGateway(self.graph, ask),
            ledger=ledger_on(self.ledger, travel),
            batches=batches_on(self.batches, travel),
            queue=queue,
            throttle=Throttle(gate_store_on(self.ledger, travel), self, random, timing, calls=1),
            clock=self,
            random=random,
            timing=timing,
            policy=Policy(),
            callbacks=Callbacks(queue=queue, receiver=_NoReceiver(), keys=()),
            tenant_lookup=False,
        )

    async def _travel[T](self, life: int, what: str, act: Callable[[], T]) -> T:
        await asyncio.sleep(LATENCY)
        if life != self.deaths:
            await self.loop.create_future()
        self.calls += 1
        if self.calls == self.dies_at or self.killer(what):
            if not self._dies_before:
                act()
            self.deaths += 1
            self.services = self._new_core()
            await self.loop.create_future()
        return act()

    def run[T](self, work: Callable[[Services], Awaitable[T]]) -> T | None:
        """Have a caller ask, let the queue be worked off, and give the answer; None: none came."""
        task = self._start(work(self.services))
        self._start(self._pump())
        self.loop.run_to_rest(self.loop.time() + 2 * LONGEST)
        return task.result() if task.done() else None

    def _start(self, work: Awaitable[Any]) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(work, loop=self.loop)
        self._tasks.add(task)
        return task

    async def _pump(self) -> None:
        ends = self.loop.time() + LONGEST
        await asyncio.sleep(1)
        while (self.queue.messages or self.poison.messages) and self.loop.time() < ends:
            for queue in (self.queue, self.poison):
                while (message := queue.take(HIDDEN)) is not None:
                    self._start(self._handle(queue, message))
            await asyncio.sleep(1)

    async def _handle(self, queue: Queue, message: Message) -> None:
        if queue is self.queue and message.dequeue_count > MOST_DELIVERIES:
            self.poison.send(message.text, 0)
        elif queue is self.poison:
            await bury_rows(self.services, _read(message.text))
        else:
            await resume_rows(self.services, _read(message.text), message.dequeue_count)
        queue.delete(message.id, message.pop_receipt)


class _NoReceiver:
    async def post(self, *_: object) -> int | str:
        raise AssertionError("nobody asked to be called back")


def _read(text: str) -> OnboardingMessage | BatchMessage:
    is_rows = "onboardingId" in from_json(text)
    return (OnboardingMessage if is_rows else BatchMessage).model_validate_json(text)


def submission(key: str | None = "a key", count: int = ROWS) -> BatchSubmission:
    rows = tuple(
        BatchRow(
            batch_id="",
            number=number,
            name=f"partner-{number}.example",
            request=request(domain_source(f"partner-{number}.example")),
        )
        for number in range(2, 2 + count)
    )
    return BatchSubmission(rows, (), None, "", key, "the body", None)


@pytest.fixture
def worlds() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*arguments: Any, **named: Any) -> World:
        made.append(World(*arguments, **named))
        return made[-1]

    yield make
    for world in made:
        world.loop.drop_everything()


def submitted(world: World) -> Batch:
    """As a caller has it who sends the same again where no answer came."""
    answer = world.run(lambda services: submit_batch(services, submission()))
    world.dies_at = 0  # whoever reads now may do so
    answer = answer or world.run(lambda services: submit_batch(services, submission()))
    assert isinstance(answer, Batch)
    return answer


def told(world: World, batch: Batch) -> BatchView:
    view = world.run(lambda services: progress(services, batch))
    assert view is not None
    return view


def check(world: World, batch: Batch) -> None:
    """What is told of each row is how its onboarding ended; and nothing is left to do."""
    assert not world.queue.messages
    assert not world.poison.messages
    rows = world.run(lambda services: results(services.batches, batch)) or ()
    assert len(rows) == ROWS
    for row in rows:
        key = f"domain:{row.name}"
        own = row_onboarding_id(batch.id, row.row, key)
        onboarding = world.run(partial(_onboarding, onboarding_id=own))
        assert row.status.terminal
        if onboarding is None:
            assert row.status in {RowStatus.CANCELED, RowStatus.FAILED}
        else:
            assert onboarding.status is Status(row.status.value), row
        assert world.graph.commits[key] <= 1
        assert (world.graph.commits[key] == 1) == (row.status is RowStatus.SUCCEEDED)


async def _onboarding(services: Services, onboarding_id: str) -> Onboarding | None:
    return await services.ledger.read(onboarding_id)


def test_a_crash_loses_no_row_and_creates_none_twice(worlds: Callable[..., World]) -> None:
    for case in each(product(range(1, CALLS), (True, False))):
        with case as (dies_at, dies_before):
            world = worlds(dies_at, dies_before=dies_before)
            batch = submitted(world)
            assert told(world, batch).status is BatchStatus.SUCCEEDED
            assert told(world, batch).conclusions == {"created": ROWS}
            check(world, batch)


def test_every_call_was_one_to_die_at(worlds: Callable[..., World]) -> None:
    world = worlds()
    submitted(world)
    assert 40 < world.calls < CALLS


def refusing(worlds: Callable[..., World], dies_at: int) -> tuple[World, Batch]:
    """A batch of which two rows were refused, and a process that dies some calls later."""
    world = worlds()
    world.graph.refused |= {"domain:partner-3.example", "domain:partner-8.example"}
    batch = submitted(world)
    assert told(world, batch).counts[RowStatus.FAILED] == 2
    world.dies_at = world.calls + dies_at
    return world, batch


def test_a_crash_in_a_replay_loses_no_row(worlds: Callable[..., World]) -> None:
    for case in each(range(1, 40)):
        with case as dies_at:
            world, batch = refusing(worlds, dies_at)
            world.graph.refused.clear()
            answered = world.run(partial(_replayed, batch=batch))
            world.dies_at = 0
            if answered is None:
                world.run(partial(_replayed, batch=batch))
            assert told(world, batch).status is BatchStatus.SUCCEEDED
            check(world, batch)


async def _replayed(services: Services, batch: Batch) -> bool:
    await replay_batch(services, batch)
    return True


def test_a_row_that_fails_again_can_be_replayed_again(worlds: Callable[..., World]) -> None:
    for case in each(range(1, 40)):
        with case as dies_at:
            world, batch = refusing(worlds, dies_at)
            world.run(partial(_replayed, batch=batch))
            world.dies_at = 0
            check(world, batch)
            world.graph.refused.clear()
            world.run(partial(_replayed, batch=batch))
            assert told(world, batch).status is BatchStatus.SUCCEEDED
            check(world, batch)


def test_what_is_cancelled_is_told_as_it_ended(worlds: Callable[..., World]) -> None:
    """The rows are taken from the queue after two seconds, and done half a second later."""
    for case in each([0.0, *(1.9 + 0.02 * step for step in range(40)), 4.0]):
        with case as after:
            world = worlds()
            batch = world.run(partial(submit_and_then, after=after, then=cancel_batch))
            assert batch is not None
            check(world, batch)


def test_a_cancel_before_the_rows_are_on_the_queue_leaves_nothing_to_do(
    worlds: Callable[..., World],
) -> None:
    world = worlds()
    batch = world.run(lambda services: submit_and_then(services, 0, cancel_batch))
    assert batch is not None
    assert told(world, batch).counts[RowStatus.CANCELED] == ROWS
    assert told(world, batch).status is BatchStatus.CANCELED
    assert not world.graph.commits


def test_a_row_that_kills_its_process_each_time_fails_alone(
    worlds: Callable[..., World],
) -> None:
    world = worlds()
    world.killer = lambda what: "domain:partner-4.example" in what
    batch = submitted(world)
    counts = told(world, batch).counts
    assert (counts[RowStatus.FAILED], counts[RowStatus.SUCCEEDED]) == (1, ROWS - 1)
    [failed] = [error.error for error in told(world, batch).first_errors]
    assert failed.code == "MessagePoisoned"

    world.killer = lambda _: False
    world.run(lambda services: replay_batch(services, batch))
    assert told(world, batch).status is BatchStatus.SUCCEEDED
    check(world, batch)


def test_a_batch_whose_rows_cannot_be_put_on_the_queue_fails_and_is_replayed(
    worlds: Callable[..., World],
) -> None:
    world = worlds(dies_before=True)
    world.killer = lambda what: what.startswith("put in 0 s") and '"first"' in what
    batch = submitted(world)
    assert told(world, batch).counts[RowStatus.FAILED] == ROWS
    check(world, batch)
    world.killer = lambda _: False
    world.run(lambda services: replay_batch(services, batch))
    assert told(world, batch).status is BatchStatus.SUCCEEDED
    check(world, batch)


BUSY = Later(OnboardingError(code="GraphBusy", message="simulated"))
WAITS = "domain:partner-4.example"


async def submit_and_then(
    services: Services, after: float, then: Callable[[Services, Batch], Awaitable[None]]
) -> Batch:
    batch = await submit_batch(services, submission())
    assert isinstance(batch, Batch)
    await asyncio.sleep(after)
    await then(services, batch)
    return batch


def test_a_row_that_waits_is_tried_again(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.setbacks[WAITS] = BUSY

    async def heal(services: Services, batch: Batch) -> None:
        counts = (await progress(services, batch)).counts
        assert (counts[RowStatus.WAITING], counts[RowStatus.SUCCEEDED]) == (1, ROWS - 1)
        world.setbacks.clear()

    batch = world.run(lambda services: submit_and_then(services, 4, heal))
    assert batch is not None
    assert told(world, batch).status is BatchStatus.SUCCEEDED
    check(world, batch)


def test_a_row_that_waits_is_canceled_with_what_it_began(worlds: Callable[..., World]) -> None:
    world = worlds()
    world.setbacks[WAITS] = BUSY
    batch = world.run(lambda services: submit_and_then(services, 4, cancel_batch))
    assert batch is not None
    assert told(world, batch).counts[RowStatus.CANCELED] == 1
    check(world, batch)


def test_an_old_message_does_not_end_a_replay(worlds: Callable[..., World]) -> None:
    world, batch = refusing(worlds, 0)
    world.graph.refused.clear()
    old = BatchMessage(batch_id=batch.id, first=3, last=3)
    [task] = world.run(lambda services: tasks_of(services, old)) or []

    async def replay_and_meet(services: Services) -> None:
        await replay_batch(services, batch)
        await resume_rows(services, task, 1)

    world.run(replay_and_meet)
    assert told(world, batch).status is BatchStatus.SUCCEEDED
    check(world, batch)


async def tasks_of(services: Services, message: BatchMessage) -> list[OnboardingMessage]:
    rows = await services.batches.rows(
        message.batch_id, message.first or 0, message.last, requests=True
    )
    return [message_of_row(row, message) for row in rows]


def test_rows_that_are_tried_again_let_others_go_first(worlds: Callable[..., World]) -> None:
    world = worlds()
    many = submission(count=300)
    world.graph.refused |= {f"domain:{row.name}" for row in many.rows}
    batch = world.run(lambda services: submit_batch(services, many))
    assert isinstance(batch, Batch)

    async def longest_wait(services: Services) -> float:
        await replay_batch(services, batch)
        waits = []
        for _ in range(8):
            await asyncio.sleep(0.57)
            asked = services.clock.now()
            taken = await services.throttle.turn(None, patient=False)
            assert not isinstance(taken, float)
            waits.append((taken[0].at - asked).total_seconds())
        return max(waits)

    longest = world.run(longest_wait)
    assert longest is not None
    assert longest < 1
    assert told(world, batch).counts[RowStatus.FAILED] == len(many.rows)
