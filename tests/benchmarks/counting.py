"""A pass-through on loopback: counts calls and bytes between a host and its services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from infra.local import azurite
from infra.local.child import LOOPBACK
from tests.benchmarks.host import Backing
from tests.stack import blob_port, port_of

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_CHUNK = 2**16


@dataclass
class Call:
    """A request and its answer, as they were on the wire."""

    service: str
    method: str
    path: str
    bytes: int

    @property
    def is_poll(self) -> bool:
        """Whether it is the queue trigger's look for messages: the host's, not the app's."""
        return self.service == "queue" and self.method == "GET"

    @property
    def name(self) -> str:
        return f"{self.service} {self.method}"


@dataclass
class Counter:
    calls: list[Call] = field(default_factory=list)

    def take(self) -> list[Call]:
        """Return the calls so far, without the host's own, and begin anew."""
        taken, self.calls = self.calls, []
        return [call for call in taken if not call.is_poll]

    async def forward(
        self, service: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, to_there = await asyncio.open_connection(LOOPBACK, port)
        connection = _Connection(self, service)
        pumps = [
            asyncio.create_task(_pump(reader, to_there, connection.asked)),
            asyncio.create_task(_pump(there, writer, connection.answered)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in (to_there, writer):
            end.close()
        await asyncio.gather(*pumps, return_exceptions=True)


class _Connection:
    """HTTP/1.1 without pipelining: a request begins where the caller speaks after the service."""

    def __init__(self, counter: Counter, service: str) -> None:
        self._counter = counter
        self._service = service
        self._call: Call | None = None
        self._is_answered = True

    def asked(self, data: bytes) -> None:
        if self._is_answered or self._call is None:
            self._is_answered = False
            method, path, *_ = data.split(b"\r\n", 1)[0].decode(errors="replace").split(" ")
            self._call = Call(self._service, method, path, 0)
            self._counter.calls.append(self._call)
        self._call.bytes += len(data)

    def answered(self, data: bytes) -> None:
        self._is_answered = True
        if self._call is not None:
            self._call.bytes += len(data)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]
) -> None:
    while data := await reader.read(_CHUNK):
        note(data)
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def counted(backing: Backing) -> AsyncIterator[tuple[Backing, Counter]]:
    """Return the same services by other ports, through which all calls are counted."""
    counter = Counter()
    blob = blob_port(backing.storage)
    behind = {"graph": port_of(backing.graph), "queue": blob + 1, "table": blob + 2}
    async with AsyncExitStack() as ending:
        ports = {}
        for service, port in behind.items():
            server = await asyncio.start_server(_answering(counter, service, port), LOOPBACK, 0)
            ending.push_async_callback(_close, server)
            ports[service] = server.sockets[0].getsockname()[1]
        yield _through(ports, backing), counter


def _answering(counter: Counter, service: str, port: int) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await counter.forward(service, port, reader, writer)

    return answer


async def _close(server: asyncio.Server) -> None:
    server.close()
    server.close_clients()


def _through(ports: dict[str, int], backing: Backing) -> Backing:
    endpoints = (
        f"QueueEndpoint=http://{LOOPBACK}:{ports['queue']}/{azurite.ACCOUNT};"
        f"TableEndpoint=http://{LOOPBACK}:{ports['table']}/{azurite.ACCOUNT};"
    )
    storage = (
        f"DefaultEndpointsProtocol=http;AccountName={azurite.ACCOUNT};"
        f"AccountKey={azurite.KEY};{endpoints}"
    )
    graph = urlsplit(backing.graph)._replace(netloc=f"{LOOPBACK}:{ports['graph']}").geturl()
    return Backing(graph, backing.identity, storage)
