"""Everything that the emulator remembers, replaced as a whole by ``DELETE /_emulator``."""

import asyncio
import time
from dataclasses import dataclass, field, fields
from typing import Any

from aiohttp import web

from infra.local.graph.config import Config
from infra.local.graph.directory import Directory
from infra.local.graph.faults import Faults
from infra.local.graph.organizations import Organizations
from infra.local.graph.rights import Rights
from infra.local.graph.throttling import Window


@dataclass(slots=True)
class LoggedRequest:
    """``path`` has its query and is decoded; ``status`` is None while there is no answer, and
    for ever when the connection was cut instead."""

    method: str
    path: str
    version: str | None
    time: float = field(default_factory=time.time)
    status: int | None = None
    body: Any = None

    def entry(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name) for part in fields(self)}


@dataclass(slots=True)
class State:
    """``over`` is set when this state is no longer the emulator's: hanging calls then end."""

    config: Config = field(default_factory=Config)
    directory: Directory = field(default_factory=Directory)
    organizations: Organizations = field(default_factory=Organizations)
    rights: Rights = field(default_factory=Rights)
    faults: Faults = field(default_factory=Faults)
    window: Window = field(default_factory=Window)
    requests: list[LoggedRequest] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Emulator:
    """What the web application holds on to, so that its state can be replaced."""

    def __init__(self, config: Config) -> None:
        """`config`: what the emulator starts with, and what a reset restores."""
        self._config = config
        self.state = State(config)

    def reset(self) -> None:
        self.state.over.set()
        self.state = State(self._config)


EMULATOR = web.AppKey("emulator", Emulator)
