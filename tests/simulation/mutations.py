"""The core with one of its safeguards broken, to see that the simulation would notice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connorg.contract.messages import BatchMessage, CallbackMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.core.domain.outcomes import Blocked, Later, Refused, Setback
from connorg.core.ports import Receipt
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate, GateStore
from connorg.core.throttle.pacer import Turn
from connorg.core.throttle.throttle import Throttle
from connorg.graph.search import Page, Search
from tests.simulation.turns import CALLS_OF_A_TURN
from tests.simulation.world import Change

type _GateChange = Callable[[Gate], Gate]


class _Wrapped:
    """A port of which a subclass changes some methods."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def lease_ignored() -> Change:
    return lambda services: replace(services, ledger=_LeaselessLedger(services.ledger))


class _LeaselessLedger(_Wrapped):
    async def read(self, onboarding_id: str) -> Onboarding | None:
        held: Onboarding | None = await self._port.read(onboarding_id)
        return held and held.model_copy(update={"lease_until": None})


def lookup_skipped() -> Change:
    return lambda services: replace(services, gateway=_BlindGateway(services.gateway))


class _BlindGateway(_Wrapped):
    async def find(self, *_: object, **__: object) -> None:
        return None


def search_stops_at_the_first_page() -> Change:
    return lambda services: replace(services, gateway=_ShortSighted(services.gateway))


class _ShortSighted(_Wrapped):
    def __init__(self, port: Any) -> None:
        super().__init__(port)
        port.search = Search(self, port.search._clock)  # noqa: SLF001

    async def page(self, odata_filter: str | None, next_link: str | None) -> Page | Setback:
        page: Page | Setback = await self._port.page(odata_filter, next_link)
        return replace(page, next_link=None) if isinstance(page, Page) else page


def search_believes_an_ignored_filter() -> Change:
    def change(services: Services) -> Services:
        gateway: Any = services.gateway
        gateway.search = _CredulousSearch(gateway, gateway.search._clock)  # noqa: SLF001
        return services

    return change


class _CredulousSearch(Search):
    async def _filtered(
        self, odata_filter: str, *_: object
    ) -> ConnectedOrganization | Later | Blocked | None:
        page = await self._lister.page(odata_filter, None)
        if isinstance(page, Page):
            return next(iter(page.value), None)
        return None if isinstance(page, Refused) else page


def message_deleted_before_the_ledger_is_closed() -> Change:
    def change(services: Services) -> Services:
        queue = _RememberingQueue(services.queue)
        return replace(services, queue=queue, ledger=_DisarmingLedger(services.ledger, queue))

    return change


class _RememberingQueue(_Wrapped):
    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.receipts: dict[str, Receipt] = {}

    async def put(self, message: OnboardingMessage | BatchMessage, delay: float) -> Receipt:
        receipt: Receipt = await self._port.put(message, delay)
        if isinstance(message, OnboardingMessage):
            self.receipts[message.onboarding_id] = receipt
        return receipt


class _DisarmingLedger(_Wrapped):
    def __init__(self, port: Any, queue: _RememberingQueue) -> None:
        super().__init__(port)
        self._queue = queue

    async def save(self, onboarding: Onboarding) -> Onboarding:
        if onboarding.status.terminal and onboarding.id in self._queue.receipts:
            await self._queue.delete(self._queue.receipts[onboarding.id])
        saved: Onboarding = await self._port.save(onboarding)
        return saved


def tenant_not_claimed() -> Change:
    return lambda services: replace(services, ledger=_UnclaimingLedger(services.ledger))


class _UnclaimingLedger(_Wrapped):
    async def claim_tenant(self, *_: object) -> None:
        return None


def sponsors_forgotten() -> Change:
    return lambda services: replace(services, ledger=_ForgettingLedger(services.ledger))


class _ForgettingLedger(_Wrapped):
    """Keeps no step of an attempt but the last."""

    async def save(self, onboarding: Onboarding) -> Onboarding:
        if onboarding.status is Status.WAITING:
            onboarding = onboarding.model_copy(update={"sponsors_to_add": ()})
        saved: Onboarding = await self._port.save(onboarding)
        return saved


def arm_after_act() -> Change:
    armed: set[str] = set()  # by all instances
    return lambda services: replace(services, queue=_LateQueue(services.queue, armed))


class _LateQueue(_Wrapped):
    """Keeps a submit's message back until the submit moves it to the time of the next attempt."""

    _LATE = Receipt("late", "late")

    def __init__(self, port: Any, armed: set[str]) -> None:
        super().__init__(port)
        self._armed = armed

    async def put(self, message: OnboardingMessage | BatchMessage, delay: float) -> Receipt:
        is_submits = message.replay is None and getattr(message, "channel", "") == "http"
        if not isinstance(message, OnboardingMessage) or not is_submits:
            return await self._put(message, delay)
        if delay > 0 and message.onboarding_id not in self._armed:
            self._armed.add(message.onboarding_id)
            return self._LATE
        return await self._put(message, delay)

    async def _put(self, message: OnboardingMessage | BatchMessage, delay: float) -> Receipt:
        receipt: Receipt = await self._port.put(message, delay)
        return receipt

    async def move(self, receipt: Receipt, message: OnboardingMessage, delay: float) -> None:
        if receipt is self._LATE:
            await self._port.put(message, delay)
        else:
            await self._port.move(receipt, message, delay)

    async def delete(self, receipt: Receipt) -> None:
        if receipt is not self._LATE:
            await self._port.delete(receipt)


def callback_forgotten() -> Change:
    def change(services: Services) -> Services:
        callbacks = replace(services.callbacks, queue=_ForgettingQueue(services.callbacks.queue))
        return replace(services, callbacks=callbacks)

    return change


class _ForgettingQueue(_Wrapped):
    """Tries each callback once."""

    async def put(self, message: CallbackMessage, delay: float) -> Receipt:
        if message.failures:
            return Receipt("forgotten", "forgotten")
        receipt: Receipt = await self._port.put(message, delay)
        return receipt


def attempt_as_long_as_its_lease() -> Change:
    return lambda services: replace(services, timing=replace(services.timing, lease_margin=0))


def pace_kept() -> Change:
    """A complaint closes the gate alone."""

    def kept(gate: Gate, change: _GateChange) -> Gate:
        changed = change(gate)
        if changed.slowed_at == gate.slowed_at:
            return changed
        return gate.model_copy(update={"closed_until": changed.closed_until})

    return lambda services: _on_gate_store(services, _FalsifiedGate(_gate_store(services), kept))


def turns_taken_twice() -> Change:
    """A process takes more turns than attempts wait in it."""

    def twice(gate: Gate, change: _GateChange) -> Gate:
        changed = change(gate)
        takes = changed.next_turn != gate.next_turn and changed.slowed_at == gate.slowed_at
        return change(changed) if takes else changed

    return lambda services: _on_gate_store(services, _FalsifiedGate(_gate_store(services), twice))


def turns_forgotten() -> Change:
    """Each process takes its turns from now on, whoever else has them."""

    def forgotten(gate: Gate, change: _GateChange) -> Gate:
        return change(gate.model_copy(update={"next_turn": gate.paced_at}))

    return lambda services: _on_gate_store(
        services, _FalsifiedGate(_gate_store(services), forgotten)
    )


def turns_ignored() -> Change:
    def change(services: Services) -> Services:
        throttle: Any = _HastyThrottle(services.throttle)
        return replace(services, throttle=throttle)

    return change


class _HastyThrottle(_Wrapped):
    async def until(self, _: Turn) -> None:
        return


def gate_read_long_ago() -> Change:
    def change(services: Services) -> Services:
        throttle: Any = _TrustingThrottle(services)
        return replace(services, throttle=throttle)

    return change


class _TrustingThrottle(_Wrapped):
    """Gives for a minute what it has read of the gate."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.throttle)
        self._clock = services.clock
        self._held: tuple[Gate, datetime] | None = None

    async def gate(self) -> Gate:
        now = self._clock.now()
        if self._held is None or now - self._held[1] > timedelta(minutes=1):
            self._held = await self._port.gate(), now
        return self._held[0]


def jitter_dropped() -> Change:
    def change(services: Services) -> Services:
        hard = replace(services, timing=replace(services.timing, jitter=0))
        return replace(_on_gate_store(hard, _gate_store(services)), timing=services.timing)

    return change


class _FalsifiedGate(_Wrapped):
    """Writes something else than it was told to."""

    def __init__(self, store: GateStore, falsified: Callable[[Gate, _GateChange], Gate]) -> None:
        super().__init__(store)
        self._falsified = falsified

    async def change(self, change: _GateChange) -> Gate:
        written: Gate = await self._port.change(lambda gate: self._falsified(gate, change))
        return written


def _gate_store(services: Services) -> GateStore:
    return services.throttle._store.store  # noqa: SLF001  nobody else needs it


def _on_gate_store(services: Services, store: Any) -> Services:
    throttle = Throttle(
        store, services.clock, services.random, services.timing, calls=CALLS_OF_A_TURN
    )
    return replace(services, throttle=throttle)


MUTATIONS: Mapping[str, Callable[[], Change]] = {
    mutation.__name__: mutation
    for mutation in (
        lease_ignored,
        lookup_skipped,
        search_stops_at_the_first_page,
        search_believes_an_ignored_filter,
        message_deleted_before_the_ledger_is_closed,
        arm_after_act,
        tenant_not_claimed,
        sponsors_forgotten,
        callback_forgotten,
        attempt_as_long_as_its_lease,
        pace_kept,
        turns_taken_twice,
        turns_forgotten,
        turns_ignored,
        gate_read_long_ago,
        jitter_dropped,
    )
}
