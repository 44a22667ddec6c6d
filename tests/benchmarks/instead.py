"""What users would pick instead: a script for the same rows, against the same Graph."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from uuid import uuid4

import aiohttp

from infra.local.child import ROOT, tethered
from tests.benchmarks.host import CONNORG, Backing, Host, Json, body, running

_SCRIPTS = Path(__file__).parent / "scripts"
_CONNORG = "connorg"
_SCRIPT_SECONDS = 300
_BATCH_SECONDS = 300
_LOOK_EVERY = 0.1  # seconds
_THROTTLED = {"throttle": {"requests": 10, "seconds": 1}}
_DONE = {"Succeeded", "Failed", "Canceled"}


@dataclass(frozen=True)
class Tried:
    seconds: float
    created: int
    """Organizations that Graph has."""
    calls: int
    refused: int
    """Calls that Graph answered with 429."""


async def measure(backing: Backing, log: BinaryIO, rows: int) -> Json:
    """Return what each tool came to in each situation."""
    situations = {
        "one create, the process started for it": (1, {}),
        f"{rows} rows": (rows, {}),
        f"{rows} rows, Graph takes 10 calls a second": (rows, _THROTTLED),
    }
    found: Json = {}
    for title, (count, config) in situations.items():
        found[title] = {}
        for tool in ("requests_script", "sdk_script", _CONNORG):
            async with _graph(backing, config) as http:
                lines = [body(number, uuid4().hex[:10]) for number in range(count)]
                seconds = await _carried_out(tool, backing, lines, log)
                found[title][tool] = asdict(await _outcome(http, backing, seconds))
    return found


@asynccontextmanager
async def _graph(backing: Backing, config: Json) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a Graph that holds nothing and throttles as it is told."""
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        await http.delete(f"{backing.graph}/_emulator")
        await http.put(f"{backing.graph}/_emulator/config", json=config)
        yield http
        await http.delete(f"{backing.graph}/_emulator")


async def _outcome(http: aiohttp.ClientSession, backing: Backing, seconds: float) -> Tried:
    organizations, requests = [
        await (await http.get(f"{backing.graph}/_emulator/{name}")).json()
        for name in ("organizations", "requests")
    ]
    refused = sum(request["status"] == 429 for request in requests)
    return Tried(seconds, len(organizations), len(requests), refused)


async def _carried_out(tool: str, backing: Backing, rows: list[Json], log: BinaryIO) -> float:
    """Return the seconds it takes; for connorg's batch without the start of the app."""
    if tool != _CONNORG:
        return await _by_script(_SCRIPTS / f"{tool}.py", backing, rows, log)
    async with running(CONNORG, backing, log) as host:
        if len(rows) == 1:
            await host.create(rows[0])
            return time.perf_counter() - host.started
        start = time.perf_counter()
        await _by_batch(host, rows)
        return time.perf_counter() - start


async def _by_script(path: Path, backing: Backing, rows: list[Json], log: BinaryIO) -> float:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        start = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, str(path), str(file)]),
            cwd=ROOT,
            env={**os.environ, **backing.settings()},
            stdout=log,
            stderr=log,
        )
        await asyncio.wait_for(process.wait(), _SCRIPT_SECONDS)
        if process.returncode != 0:
            raise RuntimeError(f"{path.name} ended with {process.returncode}: .local/bench.log")
        return time.perf_counter() - start


async def _by_batch(host: Host, rows: list[Json]) -> None:
    status, text = await host.post("batches", json=rows)
    if status != 202:
        raise RuntimeError(f"a batch was answered by {status}: {text[:300]}")
    async with asyncio.timeout(_BATCH_SECONDS):
        while (await host.get(f"batches/{json.loads(text)['id']}"))["status"] not in _DONE:  # noqa: ASYNC110  another process ends it
            await asyncio.sleep(_LOOK_EVERY)
