"""Whoever is called back: it fails now and then, and may have understood a call all the same."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.simulation.calls import current_actor

if TYPE_CHECKING:
    from tests.simulation.world import World

_LATENCY = (0.01, 15.0)


class SimulatedReceiver:
    """See ports.Receiver."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> int | str:
        actor, world = current_actor(), self._world
        await actor.step()
        await asyncio.sleep(world.random.uniform(*_LATENCY))
        # Longer than the weather lasts: most calls are made when that is over.
        fails = world.random.random() < world.weather.graph / 2
        understood = not fails or world.random.random() < 0.5
        if understood:
            world.note(actor.name, f"calls back {address}: {headers['webhook-id']}")
            world.invariants.called_back(address, json.loads(body))
        await actor.step()
        return world.random.choice((500, 302, "ClientError")) if fails else 204
