"""The measurements: rounds of fresh processes, one after the other, never two at once."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, BinaryIO
from uuid import uuid4

import aiohttp

from infra.local.child import ROOT, tethered
from tests.benchmarks import instead, package
from tests.benchmarks.counting import counted
from tests.benchmarks.host import (
    CONNORG,
    CONNORG_WITH_LOOKUP,
    EMPTY,
    MINIMUM,
    OBVIOUS,
    App,
    Backing,
    Host,
    Json,
    body,
    running,
)
from tests.benchmarks.load import load
from tests.stack import Stack

_PARTS = ("graph", "identity", "storage")
_CHILD_SECONDS = 300


@dataclass(frozen=True)
class Plan:
    rounds: int
    cold_rounds: int
    creates: int
    """At each concurrency."""
    levels: tuple[int, ...]
    warm_up: int
    counted: int
    rows: int
    """Of a file, for what users would pick instead."""
    with_package: bool


FULL = Plan(3, 7, 320, (1, 16, 64), 60, 20, 100, with_package=True)
QUICK = Plan(1, 1, 12, (1, 4), 2, 3, 5, with_package=False)


def measure(plan: Plan, say: Callable[[str], None]) -> Json:
    """Measure everything; give the figures of each round, by app."""
    samples: Json = {"plan": asdict(plan), "load": [], "cold": [], "stages": [], "warm": []}
    samples["floors"] = []
    log_path = ROOT / ".local/bench.log"
    log_path.parent.mkdir(exist_ok=True)
    with log_path.open("wb") as log:
        with Stack(only=_PARTS) as stack:
            session = _Session(_backing(stack), log)
            say("counting calls and bytes")
            samples["trips"] = {
                app.name: asyncio.run(session.trips(app, plan))
                for app in (CONNORG, CONNORG_WITH_LOOKUP, OBVIOUS, MINIMUM)
            }
            for number in range(plan.cold_rounds):
                say(f"cold starts, round {number + 1} of {plan.cold_rounds}")
                samples["cold"].append(asyncio.run(session.cold()))
                samples["stages"].append(
                    {app.name: session.stages(app) for app in (CONNORG, OBVIOUS)}
                )
        for number in range(plan.rounds):
            say(f"warm, round {number + 1} of {plan.rounds}")
            samples["load"].append(os.getloadavg()[0])
            with Stack(only=_PARTS) as stack:  # fresh: neither the log nor the ledger grows
                session = _Session(_backing(stack), log)
                apps = (CONNORG, MINIMUM, OBVIOUS)[:: -1 if number % 2 else 1]
                samples["warm"].append(
                    {app.name: asyncio.run(session.warm(app, plan)) for app in (*apps, EMPTY)}
                )
                samples["floors"].append(
                    {name: asyncio.run(session.floor(name, plan)) for name in ("httpx", "aiohttp")}
                )
    say("what users would pick instead")
    with log_path.open("ab") as log, Stack(only=_PARTS) as stack:
        samples["instead"] = asyncio.run(instead.measure(_backing(stack), log, plan.rows))
    if plan.with_package:
        say("installing what the obvious function needs, to weigh it")
    samples["package"] = _packages(plan)
    return samples


def _backing(stack: Stack) -> Backing:
    return Backing(stack.graph, stack.identity, stack.storage)


def _packages(plan: Plan) -> Json:
    built = package.connorg()
    return {
        "connorg": asdict(built) if built else None,
        "obvious": asdict(package.obvious()) if plan.with_package else None,
    }


class _Session:
    def __init__(self, backing: Backing, log: BinaryIO) -> None:
        self._backing = backing
        self._log = log

    async def cold(self) -> Json:
        """From the start of the process to the first 201, for each app."""
        return {app.name: await self._cold(app) for app in (EMPTY, OBVIOUS, MINIMUM, CONNORG)}

    async def _cold(self, app: App) -> Json:
        await self._forget()
        async with running(app, self._backing, self._log) as host:
            first = await host.create(body(0, _name()))
            total = time.perf_counter() - host.started
            return {
                "total_ms": 1000 * total,
                "ready_ms": 1000 * (host.ready - host.started),
                "first_create_ms": 1000 * first,
                "cpu_ms": 1000 * host.cpu_seconds(),
            }

    def stages(self, app: App) -> Json:
        environment = {**os.environ, **self._backing.settings(), **app.settings}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "tests.benchmarks.stages", str(app.folder)]
        done = subprocess.run(
            tethered(command), cwd=ROOT, env=environment, check=True, timeout=_CHILD_SECONDS,
            stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        return dict(json.loads(done.stdout.splitlines()[-1]))

    async def warm(self, app: App, plan: Plan) -> Json:
        """Creates at each concurrency by one process, and its memory after them."""
        await self._forget()
        async with running(app, self._backing, self._log) as host:
            create = _creating(host)
            await load(create, host.cpu_seconds, range(plan.warm_up), 8)
            found: Json = {}
            starts = count(plan.warm_up, plan.creates)
            for level in plan.levels:
                start = next(starts)
                numbers = range(start, start + plan.creates)
                found[str(level)] = asdict(await load(create, host.cpu_seconds, numbers, level))
            return {"levels": found, "memory_mb": host.memory()}

    async def floor(self, client: str, plan: Plan) -> Json:
        await self._forget()
        words = [client, self._backing.graph, self._backing.identity, _name()]
        numbers = [str(plan.creates), *map(str, plan.levels)]
        command = [sys.executable, "-m", "tests.benchmarks.floors", *words, *numbers]
        done = subprocess.run(  # noqa: ASYNC221  nothing else is to run meanwhile
            tethered(command), cwd=ROOT, check=True, timeout=_CHILD_SECONDS,
            stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        return dict(json.loads(done.stdout))

    async def trips(self, app: App, plan: Plan) -> Json:
        """Calls and bytes of a create, once tables, tokens and connections are there."""
        await self._forget()
        async with (
            counted(self._backing) as (through, counter),
            running(app, through, self._log) as host,
        ):
            create = _creating(host)
            await load(create, host.cpu_seconds, range(2), 1)
            counter.take()
            await load(create, host.cpu_seconds, range(2, 2 + plan.counted), 1)
            calls = counter.take()
        kinds = Tally(call.name for call in calls)
        sums = {
            side: (
                sum(1 for call in calls if (call.service == "graph") is (side == "graph")),
                sum(call.bytes for call in calls if (call.service == "graph") is (side == "graph")),
            )
            for side in ("graph", "storage")
        }
        return {
            "calls": {name: number / plan.counted for name, number in sorted(kinds.items())},
            **{f"{side}_calls": calls / plan.counted for side, (calls, _) in sums.items()},
            **{f"{side}_bytes": size / plan.counted for side, (_, size) in sums.items()},
        }

    async def _forget(self) -> None:
        """A tenant holds 2,500 organizations at most, and so does the emulator's."""
        async with (
            aiohttp.ClientSession() as http,
            http.delete(f"{self._backing.graph}/_emulator") as answer,
        ):
            answer.raise_for_status()


def _creating(host: Host) -> Any:
    run = _name()

    async def create(number: int) -> float:
        return await host.create(body(number, run))

    return create


def _name() -> str:
    return uuid4().hex[:10]
