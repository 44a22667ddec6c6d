"""A core on simulated services that a test looks behind, and lets others act between two calls."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import ServiceRequestError

from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, OnboardingError
from connorg.core.batches.rows import resume_rows
from connorg.core.domain.claims import Submitted
from connorg.core.domain.outcomes import Later, Setback
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.resume import resume
from connorg.core.onboarding.submit import submit
from connorg.core.services import Callbacks
from connorg.core.throttle.throttle import Throttle
from connorg.storage.entities import ONBOARDING, onboarding_of
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.storage import (
    Queue,
    Table,
    batches_on,
    gate_store_on,
    ledger_on,
    retry_queue_on,
)
from tests.unit.core.services_under_test import NOW, Clock, simulated_core
from tests.unit.partners import request

BUSY = Later(OnboardingError(code="GraphBusy", message="simulated"), retry_after=60)
LOST = Later(OnboardingError(code="GraphConnectionLost", message="simulated"), ambiguous=True)

type Act = Callable[[], Awaitable[object]]


class _Ticking(Clock):
    """Goes on a little with each look, so that who waits for a turn gets it."""

    _TICK = timedelta(seconds=0.1)  # longer than a turn is away

    def now(self) -> datetime:
        self.moment += self._TICK
        return self.moment


class Scene:
    """One process, and all that stands behind it."""

    def __init__(self) -> None:
        self.clock = _Ticking()
        self.graph = Graph(self.clock.now, lambda: 0.0)
        self.ledger, self.batches = Table(), Table()
        self.queue, self.callbacks = Queue(self._seconds), Queue(self._seconds)
        for table in (self.ledger, self.batches):
            table.create_table()
        for queue in (self.queue, self.callbacks):
            queue.create_queue()
        self.tables_are_away = False
        self.setback: Setback | None = None
        """What Graph answers, instead of doing what it is asked for."""
        self.setback_of_create: Setback | None = None
        self.setback_of_update: Setback | None = None
        self.setback_of_lookup: Setback | None = None
        self.calls: list[str] = []
        self.unarmed: set[str] = set()
        """Onboardings that were open after a call while no message was there to carry on."""
        self._meanwhile: list[tuple[str, Act]] = []
        usual = simulated_core(self.clock, self.graph)
        self.services = replace(
            usual,
            gateway=SimulatedGateway(self.graph, self._ask),
            ledger=ledger_on(self.ledger, self._to_table),
            batches=batches_on(self.batches, self._to_table),
            queue=retry_queue_on(self.queue, self._travel),
            throttle=Throttle(
                gate_store_on(self.ledger, self._to_table),
                self.clock,
                usual.random,
                usual.timing,
                calls=2,
            ),
            callbacks=Callbacks(
                queue=retry_queue_on(self.callbacks, self._travel),
                receiver=usual.callbacks.receiver,
                keys=(),
            ),
        )

    def _seconds(self) -> float:
        return (self.clock.moment - NOW).total_seconds()

    def meanwhile(self, call: str, act: Act) -> None:
        """Let others act right before the next call that is named so."""
        self._meanwhile.append((call, act))

    async def _travel[T](self, what: str, act: Callable[[], T], /) -> T:
        for number, (call, others) in enumerate(self._meanwhile):
            if what.startswith(call):
                del self._meanwhile[number]
                await others()
                break
        self.calls.append(what)
        done = act()
        self.unarmed |= self._open_without_a_message()
        return done

    async def _to_table[T](self, what: str, act: Callable[[], T], /) -> T:
        if self.tables_are_away:
            raise ServiceRequestError("simulated")
        return await self._travel(what, act)

    async def _ask[T](self, what: str, _: str, act: Callable[[], T], /) -> T | Setback:
        def answer() -> T | Setback:
            of_call = {
                "create": self.setback_of_create,
                "update": self.setback_of_update,
                "lookup": self.setback_of_lookup,
            }
            return of_call.get(what) or self.setback or act()

        return await self._travel(f"Graph's {what}", answer)

    async def submitted(self, wait: float = 0, **changes: Any) -> Onboarding:
        answer = await submit(self.services, Submission(request(**changes), "http"), wait)
        assert isinstance(answer, Submitted)
        return answer.onboarding

    async def held(self, onboarding: Onboarding) -> Onboarding:
        held = await self.services.ledger.read(onboarding.id)
        assert held is not None
        return held

    async def deliver(self) -> None:
        """Deliver each message that is visible, once, as the Functions host does."""
        taken = []
        while (message := self.queue.take(600)) is not None:
            taken.append(message)
        for message in taken:
            parsed = _read(message.text)
            if isinstance(parsed, OnboardingMessage) and parsed.batch_row is None:
                await resume(self.services, parsed)
            else:
                await resume_rows(self.services, parsed, message.dequeue_count)
            self.queue.delete(message.id, message.pop_receipt)
            self.unarmed |= self._open_without_a_message()

    def _open_without_a_message(self) -> set[str]:
        texts = [message.text for message in self.queue.messages.values()]
        held = [
            onboarding_of(row)
            for (_, name), row in self.ledger.rows.items()
            if name.startswith(ONBOARDING)
        ]
        return {
            onboarding.id
            for onboarding in held
            if not onboarding.status.terminal
            and not any(f'"onboardingId":"{onboarding.id}"' in text for text in texts)
        }


def _read(text: str) -> OnboardingMessage | BatchMessage:
    kind = OnboardingMessage if '"onboardingId"' in text else BatchMessage
    return kind.model_validate_json(text)
