"""One fresh functions host: from the start of its process to its end, and what it used."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from infra.local.child import ROOT, tethered
from infra.local.tokens import HOME_TENANT_ID, LOCAL_IDENTITY_HEADER

# For a busy machine: nothing takes that long unless something is broken.
START_SECONDS = 120
CALL_SECONDS = 60
END_SECONDS = 20
_TICKS = os.sysconf("SC_CLK_TCK")

type Json = dict[str, Any]


@dataclass(frozen=True)
class Backing:
    """Where a host finds its Graph, identity endpoint and storage."""

    graph: str
    identity: str
    storage: str

    def settings(self) -> dict[str, str]:
        return {
            "AzureWebJobsStorage": self.storage,
            "CONNORG_GRAPH_ROOT": self.graph,
            "CONNORG_HOME_TENANT": HOME_TENANT_ID,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "IDENTITY_ENDPOINT": f"{self.identity}/msi/token",
            "IDENTITY_HEADER": LOCAL_IDENTITY_HEADER,
        }


@dataclass(frozen=True)
class App:
    name: str
    folder: Path
    settings: Mapping[str, str]


_HERE = Path(__file__).parent
CONNORG = App("connorg", ROOT, {"CONNORG_TENANT_LOOKUP": "false"})
CONNORG_WITH_LOOKUP = App("connorg, tenant lookup", ROOT, {"CONNORG_TENANT_LOOKUP": "true"})
OBVIOUS = App("obvious", _HERE / "obvious", {})
MINIMUM = App("minimum", _HERE / "minimum", {"PYTHONPATH": str(ROOT)})  # for the other one
EMPTY = App("empty", _HERE / "empty", {})


def body(number: int, run: str) -> Json:
    """A create body of an organization that no other create of this run names."""
    domain = f"partner-{run}-{number}.example"
    return {
        "displayName": f"Partner {domain}",
        "description": "A partner of the benchmark",
        "identitySources": [
            {
                "@odata.type": "#microsoft.graph.domainIdentitySource",
                "domainName": domain,
                "displayName": domain,
            }
        ],
        "state": "configured",
    }


def memory_of(pid: int) -> dict[str, float]:
    """RSS; PSS, which shares what is shared; USS, its own alone. MB."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        found[name] = int(rest.split()[0])
    own = found["Private_Clean"] + found["Private_Dirty"]
    return {"rss": found["Rss"] / 1024, "pss": found["Pss"] / 1024, "uss": own / 1024}


class Host:
    """A running functions host. Its process is the worker's too."""

    def __init__(self, pid: int, url: str, key: str, started: float) -> None:
        self.pid = pid
        self.started = started  # seconds, of time.perf_counter
        self.ready = time.perf_counter()
        self._url = url
        self._key = key
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"x-functions-key": key},
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
        )

    async def create(self, organization: Json) -> float:
        """Create one, and give the seconds it took. Raise RuntimeError unless it is a 201."""
        start = time.perf_counter()
        status, text = await self.post("connected-organizations", json=organization)
        if status != 201:
            raise RuntimeError(f"a create was answered by {status}: {text[:300]}")
        return time.perf_counter() - start

    async def post(self, route: str, **sent: Any) -> tuple[int, str]:
        async with self._http.post(f"{self._url}/api/{route}", **sent) as answer:
            return answer.status, await answer.text()

    async def get(self, route: str) -> Json:
        async with self._http.get(f"{self._url}/api/{route}") as answer:
            answer.raise_for_status()
            return dict(await answer.json())

    def cpu_seconds(self) -> float:
        """What the process has used so far, in user and system mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> dict[str, float]:
        return memory_of(self.pid)

    async def close(self) -> None:
        await self._http.close()


@asynccontextmanager
async def running(app: App, backing: Backing, log: BinaryIO) -> AsyncIterator[Host]:
    """Start a fresh host with the app, and end it. It ends with this process at the latest."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *tethered(_command(app)),
        cwd=ROOT,
        env=_environment(app, backing),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
    )
    try:
        said = await _announcement(process)
        host = Host(process.pid, said["url"], said["key"], started)
        try:
            yield host
        finally:
            await host.close()
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.wait_for(process.wait(), END_SECONDS)


def _command(app: App) -> list[str]:
    # httpx imports these for its command line where it finds them: here, for the tests' sake.
    # A deployed app has none of them.
    hide = "import runpy, sys; sys.modules.update(dict.fromkeys(('click', 'rich', 'pygments')))"
    host = f"{hide}; runpy.run_module('infra.local.functions_host', run_name='__main__')"
    return [sys.executable, "-c", host, "--port", "0", "--app", str(app.folder)]


def _environment(app: App, backing: Backing) -> dict[str, str]:
    environment = {**os.environ, **backing.settings(), **app.settings}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is deployed is compiled
    return environment


async def _announcement(process: asyncio.subprocess.Process) -> Json:
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        async for line in process.stdout:
            if line.startswith(b"{"):
                return dict(json.loads(line))
    raise RuntimeError("the functions host ended before it was ready: see .local/bench.log")
