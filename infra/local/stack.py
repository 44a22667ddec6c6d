"""The parts of the local stack: how each starts, what it must know of the others, where it is."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from infra.local import azurite
from infra.local.child import LOOPBACK, ROOT, Child, DidNotStartError
from infra.local.environment import interpreter
from infra.local.functions_host import STOPPED_BY_STORAGE_EXIT_CODE
from infra.local.tokens import HOME_TENANT_ID, LOCAL_IDENTITY_HEADER, TOKEN_PATH

FUNCTIONS, GRAPH, IDENTITY, STORAGE = PARTS = ("functions", "graph", "identity", "storage")
# As the platform does: what ends so is started again, on its port.
RESTARTED_EXIT_CODE = STOPPED_BY_STORAGE_EXIT_CODE
RESTART_SECONDS = 2
# Between the choice of a free port and Azurite's start somebody else may have taken it.
LARGEST_REQUEST_BODY = "4100000"  # bytes, as infra/modules/app.bicep has it
STORAGE_PORT_CHOICES = 5

CURL = """curl -i "{url}/api/connected-organizations" \\
  -H "x-functions-key: {key}" \\
  -H 'content-type: application/json' -d '{{
  "displayName": "Contoso", "description": "A partner", "state": "configured",
  "identitySources": [{{"@odata.type": "#microsoft.graph.domainIdentitySource",
                       "domainName": "contoso.com", "displayName": "Contoso"}}]}}'"""


@dataclass(frozen=True)
class Options:
    """What to start. A port that is 0 is any free one, or unknown if its part is not started."""

    parts: frozenset[str] = frozenset(PARTS)
    ports: Mapping[str, int] = field(default_factory=dict)
    data: Path | None = None
    ready: Path | None = None
    local_settings: Path | None = None
    log: Path | None = None
    """What the parts say goes there; None: to standard error."""
    settings: Mapping[str, str] = field(default_factory=dict)
    app: Path = ROOT


class Stack:
    """The running parts. Leaving the block `ending` ends them, the last one first."""

    def __init__(self, options: Options, ending: AsyncExitStack) -> None:
        self._options = options
        self._ending = ending
        self._log = sys.stderr if options.log is None else _opened(options.log, ending)
        self._children: dict[str, Child] = {}
        self.addresses: dict[str, str] = {
            part: _address(part, port) for part, port in options.ports.items() if port
        }

    async def start(self) -> None:
        """Start the chosen parts side by side; the functions, which need the others, at the end.

        Raise DidNotStartError.
        """
        parts = self._options.parts
        servers = parts & {GRAPH, IDENTITY}
        for part in servers:
            await self._spawn(part, _module(part, self._port(part)))
        if STORAGE in parts:
            await self._start_storage()
        for part in servers:
            await self._note_announcement(part)
        if FUNCTIONS in parts:
            await self._start_functions(self._options.app)

    def watch(self) -> None:
        """Say so when a part ends by itself. The others go on: a test may have killed it.

        Functions that storage has refused are started again.
        """
        for child in self._children.values():
            self._ending.callback(asyncio.create_task(self._watch(child)).cancel)

    def describe(self) -> dict[str, Any]:
        pids = {part: child.pid for part, child in self._children.items()}
        return {**_with_console(self.addresses), "pids": pids}

    async def _watch(self, child: Child) -> None:
        while await _tell_end(child) == RESTARTED_EXIT_CODE:
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._start_functions(self._options.app)
            except DidNotStartError as failure:
                say(str(failure))
                return
            child = self._children[FUNCTIONS]
            say(f"{child.part} has been started again.")
            self.tell_ready()

    def tell_ready(self) -> None:
        """Write the file for those who wait, if one is wanted."""
        if self._options.ready:
            _write_atomically(self._options.ready, json.dumps(self.describe()))

    def local_settings(self) -> dict[str, Any]:
        """Return what Core Tools tells the functions, in the form of its local.settings.json."""
        return {"IsEncrypted": False, "Values": self._functions_environment()}

    async def _start_functions(self, app: Path) -> None:
        python, environment = interpreter(app)
        known = self.addresses.get(FUNCTIONS)
        port = urlsplit(known).port if known else self._port(FUNCTIONS)
        module = _module("functions_host", port or 0, python)
        environment = {**environment, **self._functions_environment()}
        await self._spawn(FUNCTIONS, [*module, "--app", str(app)], environment)
        await self._note_announcement(FUNCTIONS)

    async def _start_storage(self) -> None:
        if port := self._port(STORAGE):
            return await self._serve_storage(port)
        for _ in range(STORAGE_PORT_CHOICES - 1):
            try:
                return await self._serve_storage(azurite.free_port())
            except DidNotStartError as failure:
                if not failure.is_port_taken:
                    raise
        return await self._serve_storage(azurite.free_port())

    async def _serve_storage(self, port: int) -> None:
        try:
            command = azurite.command(port, self._options.data)
        except FileNotFoundError as missing:
            raise DidNotStartError(STORAGE, str(missing)) from missing
        child = await self._spawn(STORAGE, command)
        await child.ready(lambda line: line.startswith(azurite.READY_LINE))
        self.addresses[STORAGE] = _address(STORAGE, port)

    async def _spawn(
        self, part: str, command: list[str], environment: Mapping[str, str] | None = None
    ) -> Child:
        child = await Child.spawn(part, command, environment or {}, self._log)
        self._ending.push_async_callback(child.end)
        self._children[part] = child
        return child

    async def _note_announcement(self, part: str) -> None:
        line = await self._children[part].ready(lambda line: line.startswith("{"))
        announcement = json.loads(line)
        self.addresses[part] = announcement["url"]
        if "key" in announcement:
            self.addresses["key"] = announcement["key"]

    def _functions_environment(self) -> dict[str, str]:
        return {
            "AzureWebJobsStorage": self.addresses[STORAGE],
            "CONNORG_GRAPH_ROOT": self.addresses[GRAPH],
            "CONNORG_HOME_TENANT": HOME_TENANT_ID,
            "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": LARGEST_REQUEST_BODY,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "IDENTITY_ENDPOINT": f"{self.addresses[IDENTITY]}{TOKEN_PATH}",
            "IDENTITY_HEADER": LOCAL_IDENTITY_HEADER,
            **self._options.settings,
        }

    def _port(self, part: str) -> int:
        return self._options.ports.get(part, 0)


async def run(options: Options, is_up: Callable[[Stack], Awaitable[None]]) -> None:
    """Start the parts, say that they are up, and keep them until cancelled.

    Raise DidNotStartError when one cannot start; none is left running then either.
    """
    if options.ready:
        options.ready.unlink(missing_ok=True)
    async with AsyncExitStack() as ending:
        stack = Stack(options, ending)
        await stack.start()
        stack.watch()
        stack.tell_ready()
        if options.local_settings:
            settings = json.dumps(stack.local_settings(), indent=2)
            _write_atomically(options.local_settings, f"{settings}\n")
        await is_up(stack)
        await asyncio.Event().wait()


def _module(name: str, port: int, python: Sequence[str] = (sys.executable,)) -> list[str]:
    return [*python, "-m", f"infra.local.{name}", "--port", str(port)]


def _address(part: str, port: int) -> str:
    return azurite.connection_string(port) if part == STORAGE else f"http://{LOOPBACK}:{port}"


async def _tell_end(child: Child) -> int:
    """Return its exit code once it has ended."""
    code = await child.ended()
    cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    say(f"{child.part} has ended by itself ({cause}); the other parts go on.")
    return code


def _write_atomically(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _with_console(addresses: Mapping[str, str]) -> dict[str, str]:
    served = addresses.get(FUNCTIONS)
    return {**addresses, **({"console": f"{served}/api/console"} if served else {})}


async def print_addresses(stack: Stack) -> None:
    """Print where each part is, and a call to paste, on standard output."""
    addresses = _with_console(stack.addresses)
    names = (FUNCTIONS, "console", "key", GRAPH, IDENTITY, STORAGE)
    lines = [f"{name:9}  {addresses[name]}" for name in names if name in addresses]
    if FUNCTIONS in addresses and "key" in addresses:
        lines += ["", CURL.format(url=addresses[FUNCTIONS], key=addresses["key"]), ""]
    say("\n".join([*lines, "Ctrl-C ends it."]), sys.stdout)


def _opened(log: Path, ending: AsyncExitStack) -> TextIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    return ending.enter_context(log.open("w", encoding="utf-8", errors="replace"))


def say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream or sys.stderr, flush=True)
