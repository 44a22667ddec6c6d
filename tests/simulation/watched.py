"""The gate and the throttle of an instance, with somebody who watches how they are used."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connorg.core.ports import Clock
from connorg.core.throttle.gate import Gate, GateStore
from connorg.core.throttle.pacer import Turn
from tests.simulation.calls import current_actor

if TYPE_CHECKING:
    from tests.simulation.turns import TurnInvariants

_BEFORE_TURN = timedelta(seconds=0.1)  # as throttle.py has it


class WatchedGateStore:
    """See gate.GateStore."""

    def __init__(self, store: GateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def read(self) -> Gate:
        return await self._store.read()

    async def change(self, change: Callable[[Gate], Gate]) -> Gate:
        current_actor().changed_gate_at = self._clock.now()
        return await self._store.change(change)


class WatchedThrottle:
    """See throttle.Throttle."""

    def __init__(self, throttle: Any, watch: "TurnInvariants") -> None:
        self._throttle = throttle
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._throttle, name)

    async def gate(self) -> Gate:
        asked = self._watch.now
        gate: Gate = await self._throttle.gate()
        self._watch.gate_read(current_actor(), gate, asked)
        return gate

    def reopening(self, gate: Gate) -> datetime | None:
        moment: datetime | None = self._throttle.reopening(gate)
        if moment is not None:
            self._watch.met_closed_gate(moment)
        return moment

    async def turn(
        self, due: datetime | None, gate: Gate | None = None, *, patient: bool
    ) -> tuple[Turn, Gate] | float:
        asked, actor = self._watch.now, current_actor()
        actor.waits_for_turn = True
        taken: tuple[Turn, Gate] | float = await self._throttle.turn(due, gate, patient=patient)
        actor.waits_for_turn = False
        if isinstance(taken, float):
            self._watch.put_back(due, taken)
        else:
            turn, read = taken
            # It looks again when its turn comes.
            self._watch.gate_read(actor, read, max(asked, turn.at - _BEFORE_TURN))
        return taken

    async def until(self, turn: Turn) -> None:
        await self._throttle.until(turn)
        self._watch.turn_came(current_actor(), turn)
