"""The core with one of its safeguards broken, to see that the simulation would notice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connorg.contract.messages import BatchMessage, CallbackMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.organization import Tenant
from connorg.contract.requests import OnboardingRequest
from connorg.core.ports import Receipt
from connorg.core.services import Services
from tests.simulation.world import Change


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
    async def find(self, _: OnboardingRequest, _tenant: Tenant | None = None) -> None:
        return None


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


MUTATIONS: Mapping[str, Callable[[], Change]] = {
    mutation.__name__: mutation
    for mutation in (
        lease_ignored,
        lookup_skipped,
        message_deleted_before_the_ledger_is_closed,
        arm_after_act,
        tenant_not_claimed,
        sponsors_forgotten,
        callback_forgotten,
    )
}
