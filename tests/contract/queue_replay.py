"""Plays a recorded run of the real queue listener again with the local pump.

Between the pump and Azurite stands a proxy that notes each call and gives the recorded faults. The
recorded driver's calls, stops and faults come as soon as the pump has made the calls that the real
host had made by then, so nothing depends on speed. What is compared is in `traces`: for each
message its calls in order, for each text the copies to a poison queue, and how polling went on
after each answer.
"""

import asyncio
import base64
import contextlib
import json
import math
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from infra.local.functions_host.definition import Function
from infra.local.functions_host.host_json import QueueOptions, time_span
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.queues import Pumps
from infra.local.functions_host.worker import Call, Json, Result
from tests.contract.functions_host import encoded

RECORDED = Path(__file__).parents[1] / "recorded/host/queue_listener"
SDK_WAIT_SECONDS = 0.8
LONGEST_NAME = 63
# Beyond twice what the recording took; for machines under load.
PATIENCE_SECONDS = 30
GRACE_SECONDS = 0.5
# How long to wait between polls is tried elsewhere.
LONGEST_POLLING_SECONDS = 0.5
# Tries that were cut in the time that the recording names: it has none of them.
CUTS = {
    "refused for 20 s": 5,
    "refused for 60 s, handler that only writes a line": 1000,
    "refused at the start for 12 s": 4,
}
STOPS = ("stop-called", "sigterm", "killed")
# What a queue is called in a recording.
QUEUE = re.compile(r"/(q(?:-[a-z]+)?)(?:/|$|\?)")
type Key = tuple[str, str, int]


@dataclass
class Noted:
    """One call of a host to storage. `keys` are the messages of a get, each with its count."""

    op: str
    queue: str
    status: int
    error: str = ""
    is_injected: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    message: str = ""
    receipt: str = ""
    messages: list[tuple[str, str, int]] = field(default_factory=list)
    has_body: bool = False
    put_id: str = ""


@dataclass
class Run:
    """A recorded run. `calls` are [seconds, by, request, status, more]."""

    file: str
    setting: str
    options: Mapping[str, Any]
    notes: list[tuple[float, str]]
    calls: list[list[Any]]

    @property
    def name(self) -> str:
        return f"{self.file}: {self.setting}"

    @property
    def batch_size(self) -> int:
        return self._asked[0]

    @property
    def lease(self) -> int:
        """Seconds that a message is hidden by the host's first get."""
        return self._asked[1]

    @property
    def _asked(self) -> tuple[int, int]:
        asked = re.compile(r"numofmessages=(\d+)&visibilitytimeout=(\d+)")
        return next(
            (int(match[1]), int(match[2]))
            for _, by, request, *_ in self.calls
            if by.startswith("host") and (match := asked.search(request))
        )

    @property
    def triggers(self) -> list[str]:
        """The queues that the host listens to."""
        asked = [
            _queue_of(call[2])
            for call in self.calls
            if call[1].startswith("host") and call[2].startswith("GET")
        ]
        return sorted(set(asked))

    @property
    def steps(self) -> list[tuple[float, Any]]:
        """The driver's calls, the recorder's notes, the starts of hosts, and the end."""
        hosts = {call[1] for call in self.calls if call[1].startswith("host")}
        starts = 2 if hosts >= {"host1", "host2"} else 1
        steps: list[tuple[float, Any]] = [
            *((call[0], call) for call in self.calls if call[1] == "driver"),
            *self.notes,
            *([(0.0, "start")] * starts),
            (math.inf, "end"),
        ]
        return sorted(steps, key=lambda step: step[0])

    @property
    def seconds(self) -> float:
        return float(self.calls[-1][0] - self.calls[0][0])

    def until(self, time: float) -> "Run":
        """What was recorded before that time."""
        return replace(
            self,
            calls=[call for call in self.calls if call[0] < time],
            notes=[(at, note) for at, note in self.notes if at < time],
        )

    @property
    def ends_at_a_failure(self) -> bool:
        """Whether the recorded process had WebJobs' own handler, which ends it."""
        return " own " in self.setting

    def more(self, call: list[Any]) -> Mapping[str, Any]:
        return call[4] if len(call) > 4 else {}


def read_runs(file: str, options: Mapping[str, Mapping[str, Any]]) -> list[Run]:
    """The runs of a file. Options that a setting names and the recorder left out are given."""
    recorded = json.loads((RECORDED / file).read_text())
    return [
        Run(
            file,
            run["setting"] + (f" (run {run['run']})" if run["run"] not in {"", "1"} else ""),
            {**run["options"], **_options_in(run["setting"]), **options.get(run["setting"], {})},
            [(time, note) for time, note in run["notes"]],
            run["calls"],
        )
        for run in recorded
    ]


def _options_in(setting: str) -> dict[str, Any]:
    names = {"batchSize": int, "newBatchThreshold": int, "maxDequeueCount": int}
    found = {name: re.search(rf"{name} (\d+)", setting) for name in names}
    return {name: int(match[1]) for name, match in found.items() if match}


class Scripted(Invoker):
    """Does what the text of a message says, with seconds of another length."""

    def __init__(self, speed: float, queues: Mapping[str, QueueClient]) -> None:
        super().__init__(None)
        self._speed = speed
        self._queues = queues
        self.begun = 0
        self.peak = 0
        self._now = 0

    async def run(self, function: Function, call: Call, traceparent: str = "") -> Result:  # noqa: ARG002
        self.begun += 1
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            return await self._act(function, call)
        finally:
            self._now -= 1

    async def _act(self, function: Function, call: Call) -> Result:
        text = str(call.input)
        count = call.metadata["DequeueCount"]
        tries = int(count.text) if isinstance(count, Json) else int(count)
        queue = self._queues[function.name]
        ids = (str(call.metadata["Id"]), str(call.metadata["PopReceipt"]))
        for word in text.split(";"):
            name, *arguments = word.split(":")
            match name:
                case "fail":
                    return Result(ok=False)
                case "failbelow" if tries < int(arguments[0]):
                    return Result(ok=False)
                case "sleep" | "block" | "sleepct":
                    await asyncio.sleep(float(arguments[0]) * self._speed)
                case "sleepfirst" if tries == 1:
                    await asyncio.sleep(float(arguments[0]) * self._speed)
                case "selfdelete":
                    await queue.delete_message(*ids)
                case "selfupdate":
                    await queue.update_message(*ids, visibility_timeout=int(arguments[1]))
        return Result(ok=True)


class Faults:
    """The faults of a run, by the calls that had them; `begun` says which notes have come."""

    def __init__(self, run: Run) -> None:
        self.begun: set[str] = set()
        self.cuts = 0
        self._by_place: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        self._get: tuple[int, str] | None = None
        self._lost_get = False
        self._most_cuts = CUTS.get(run.setting, 0)
        self._are_cuts_at_start = "at the start" in run.setting
        self._held = 3.0 if "held back" in run.setting else 0.0
        self._retry_after = "1" if "Retry-After: 4" in run.setting else ""
        for call in run.calls:
            more = run.more(call)
            if not call[1].startswith("host"):
                continue
            op, queue = _op_of(call[2]), _queue_of(call[2])
            if op != "get":
                self._by_place[op, queue].append({**more, "status": call[3]})
            elif more.get("injected") == "carried out":
                self._lost_get = True
            elif more.get("injected"):
                self._get = (call[3], more["error"])

    def refuses(self) -> bool:
        have_begun = self._are_cuts_at_start or "connection refused begins" in self.begun
        if not have_begun or self.cuts == self._most_cuts:
            return False
        self.cuts += 1
        return True

    @property
    def are_cuts_over(self) -> bool:
        """Not asked for where they last until the host gives up."""
        return self.cuts == self._most_cuts or self._most_cuts == max(CUTS.values())

    def of(self, op: str, queue: str) -> tuple[int, str, bool] | None:
        """The status and code to answer with, and whether the call is carried out before."""
        if op == "get":
            is_on = "faults begin" in self.begun and "faults end" not in self.begun
            return (*self._get, False) if self._get and is_on else None
        recorded = self._by_place[op, queue]
        if not recorded:
            return None
        one = recorded.pop(0)
        how = one.get("injected")
        if not how:
            return None
        return (one["status"], one.get("error", "InternalError"), how == "carried out")

    def lose(self, messages: bool) -> bool:  # noqa: FBT001
        if self._lost_get and messages:
            self._lost_get = False
            return True
        return False

    async def hold(self, messages: bool) -> None:  # noqa: FBT001
        if self._held and messages:
            await asyncio.sleep(self._held)

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": self._retry_after} if self._retry_after else {}


class Proxy:
    """Stands before Azurite's queue service for one run."""

    def __init__(self, upstream: str, name: str, run: Run) -> None:
        self.noted: list[Noted] = []
        self.faults = Faults(run)
        self._upstream = upstream
        self._name = name

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with aiohttp.ClientSession(auto_decompress=False) as self._client:
            server = web.Server(self._handle)
            runner = web.ServerRunner(server)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
            await site.start()
            try:
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.faults.refuses():
            assert request.transport
            request.transport.abort()
            return web.Response()
        path = request.path.replace(self._name, "q")
        line = f"{request.method} {path.removeprefix('/devstoreaccount1')}"
        if "comp=metadata" in request.query_string:
            line += "?comp=metadata"
        op, queue = _op_of(line), _queue_of(line)
        body = await request.read()
        fault = self.faults.of(op, queue)
        noted = Noted(
            op,
            queue,
            0,
            params={name: value for name, value in request.query.items() if name != "popreceipt"},
            text=_text_of(body) if op == "put" else "",
            message=path.split("/")[4] if path.count("/") > 3 else "",
            receipt=request.query.get("popreceipt", ""),
            has_body=bool(body),
        )
        if fault and not fault[2]:
            self.noted.append(noted)
            noted.status, noted.error, noted.is_injected = fault[0], fault[1], True
            return _fault(fault[0], fault[1], self.faults.headers)
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        async with self._client.request(
            request.method,
            f"{self._upstream}{request.raw_path}",
            data=body or None,
            headers=headers,
            skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding"),
        ) as answer:
            content = await answer.read()
            # In the order in which storage answered.
            self.noted.append(noted)
            noted.status = answer.status
            noted.error = answer.headers.get("x-ms-error-code", "")
            found = _messages_of(content) if answer.status < 300 else []
            if op == "get":
                noted.messages = found
            elif found:
                noted.put_id = found[0][0]
            lost = op == "get" and self.faults.lose(bool(found))
            if fault or lost:
                noted.status, noted.error = (fault or (500, "", True))[:2]
                noted.is_injected = True
                return _fault(500, "InternalError", {})
            if op == "get":
                await self.faults.hold(bool(found))
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in {"transfer-encoding", "content-length", "connection"}
            }
            return web.Response(status=answer.status, body=content, headers=kept)


def _fault(status: int, code: str, headers: Mapping[str, str]) -> web.Response:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
    return web.Response(
        status=status,
        body=text.encode(),
        content_type="application/xml",
        headers={"x-ms-error-code": code, **headers},
    )


@dataclass
class Played:
    """What came of a run: the calls of the hosts, the driver's messages, what `fail` was told."""

    noted: list[Noted]
    put: dict[str, Key]
    failures: list[str]
    peak: int = 0


async def play(run: Run, storage: str, speed: float) -> Played:
    """Play the run, with seconds of another length (1: as recorded)."""
    name = f"r{uuid.uuid4().hex[:12]}"
    if "60 characters" in run.setting:
        name = name.ljust(60, "x")
    upstream, account = _queue_endpoint(storage)
    proxy = Proxy(upstream, name, run)
    async with (
        proxy.serving() as url,
        QueueServiceClient.from_connection_string(storage) as service,
    ):
        queues = {one: service.get_queue_client(name + one[1:]) for one in ("q", "q-poison")}
        environment = {
            "AzureWebJobsStorage": account.replace("QUEUE", f"{url}/devstoreaccount1"),
            "LOCAL_HOST_QUEUE_LEASE_SECONDS": str(run.lease),
            "LOCAL_HOST_STORAGE_WAIT_SECONDS": str(SDK_WAIT_SECONDS * speed),
        }
        invoker = Scripted(speed, queues)
        hosts = Hosts(run, name, environment, invoker)
        driver = Driver(run, queues)
        for time, step in run.steps:
            patience = PATIENCE_SECONDS + 2 * run.seconds * speed
            if not await _has_caught_up(run, time, proxy, hosts.failures, patience):
                break
            if isinstance(step, list):
                await driver.do(step, proxy.noted)
            else:
                if step in STOPS and "held back" not in run.setting:
                    await hosts.have_begun(recorded_calls(run.until(time)))
                hosts.take(step)
                proxy.faults.begun.add(step)
        await asyncio.sleep(GRACE_SECONDS)
        await hosts.end()
        return Played(proxy.noted, driver.put, hosts.failures, invoker.peak)


class Hosts:
    """The pumps of a run, and what `fail` was told."""

    def __init__(
        self, run: Run, name: str, environment: Mapping[str, str], invoker: Scripted
    ) -> None:
        self.failures: list[str] = []
        self._run = run
        self._name = name
        self._environment = environment
        self._invoker = invoker
        self._pumps: list[Any] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def have_begun(self, recorded: Played) -> None:
        """Wait until as many functions have begun as messages were got."""
        wanted = sum(len(call.messages) for call in recorded.noted)
        while self._invoker.begun < wanted:  # noqa: ASYNC110 - the pump begins them
            await asyncio.sleep(0.01)

    def take(self, note: str) -> None:
        """Do what the recording notes, as far as it is the hosts' to do."""
        match note:
            case "start":
                self._start()
            case note if note in STOPS[:2]:
                self._tasks |= {asyncio.create_task(pump.stop()) for pump in self._pumps}
            case "killed":
                self._kill()
                # The recorded one that takes over hides for the real ten minutes.
                self._environment = {**self._environment, "LOCAL_HOST_QUEUE_LEASE_SECONDS": "600"}
                self._start()

    async def end(self) -> None:
        self._kill()
        for pump in self._pumps:
            for client in filter(None, (pump.queue, pump.poison)):
                await client.close()

    def _start(self) -> None:
        options = _queue_options(self._run)
        pumps = Pumps(options, self._invoker, self._environment, self._fail)
        for trigger in self._run.triggers:
            queue = self._name + trigger[1:]
            pumps.add(Function(trigger, trigger, {"queueName": queue, "type": "queueTrigger"}))
        self._pumps += pumps
        self._tasks |= {asyncio.create_task(pump.run()) for pump in pumps}

    def _fail(self, reason: str) -> None:
        self.failures.append(reason)
        if self._run.ends_at_a_failure:
            self._kill()

    def _kill(self) -> None:
        for task in self._tasks.union(*(pump.tasks for pump in self._pumps)):
            task.cancel()


async def _has_caught_up(
    run: Run, time: float, proxy: Proxy, failures: list[str], patience: float
) -> bool:
    """Wait until the pump has made what calls the real host had made by that time."""
    recorded = recorded_calls(run.until(time))
    deadline = asyncio.get_running_loop().time() + patience
    while asyncio.get_running_loop().time() < deadline:
        is_refused_long_enough = proxy.faults.are_cuts_over or not (
            time > 0
            and ("at the start" in run.setting or "connection refused begins" in proxy.faults.begun)
        )
        if (
            is_refused_long_enough
            and len(failures) >= len(recorded.failures)
            and _progress(proxy.noted) >= _progress(recorded.noted)
            and all(
                set(_transitions(queue, proxy.noted)) >= set(_transitions(queue, recorded.noted))
                for queue in {call.queue for call in recorded.noted}
            )
        ):
            return True
        await asyncio.sleep(0.02)
    return False


def _progress(noted: list[Noted]) -> Counter[tuple[object, ...]]:
    """How often each call with an effect was made, and each that had a fault."""
    made: Counter[tuple[object, ...]] = Counter()
    for call in noted:
        if call.op not in {"get", "get-queue-metadata"} or call.is_injected:
            made[call.op, call.queue, call.status] += 1
        made["messages", call.queue] += len(call.messages)
    return made


class Driver:
    """Makes the calls of the recorded driver."""

    def __init__(self, run: Run, queues: Mapping[str, QueueClient]) -> None:
        self._run = run
        self._queues = queues
        self._ids: dict[str, tuple[str, str]] = {}
        self.put: dict[str, Key] = {}
        self._counts: dict[tuple[str, str], int] = defaultdict(int)

    async def do(self, call: list[Any], noted: list[Noted]) -> None:
        more = self._run.more(call)
        op, queue = _op_of(call[2]), _queue_of(call[2])
        client = self._queues[queue]
        params = parse_qs(call[2].partition("?")[2])
        match op:
            case "create-queue":
                with contextlib.suppress(ResourceExistsError):
                    await client.create_queue()
            case "delete-queue":
                await client.delete_queue()
            case "put":
                text = _wire(more["text"])
                ttl = params.get("messagettl")
                sent = await client.send_message(text, time_to_live=int(ttl[0]) if ttl else None)
                self._counts[queue, text] += 1
                self.put[sent.id] = (queue, text, self._counts[queue, text])
                self._ids[more["id"]] = (sent.id, sent.pop_receipt or "")
            case "get":
                left = len(more.get("messages", []))
                while left > 0:
                    pages = client.receive_messages(
                        messages_per_page=int(params["numofmessages"][0]),
                        visibility_timeout=int(params["visibilitytimeout"][0]),
                    ).by_page()
                    async for page in pages:
                        left -= len([message async for message in page])
                        break
                    await asyncio.sleep(0.05)
            case "update" | "delete":
                message = call[2].split("/")[3].partition("?")[0]
                identity = self._ids[message][0]
                receipt = _latest_receipt(identity, noted)
                if op == "delete":
                    await client.delete_message(identity, receipt)
                else:
                    seconds = int(params["visibilitytimeout"][0])
                    await client.update_message(identity, receipt, visibility_timeout=seconds)


def _latest_receipt(identity: str, noted: list[Noted]) -> str:
    return next(
        receipt for call in reversed(noted) for one, receipt, _ in call.messages if one == identity
    )


# What is compared


def recorded_calls(run: Run) -> Played:
    """The hosts' calls of the recording, in the form of what is played."""
    put: dict[str, Key] = {}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    noted: list[Noted] = []
    for call in run.calls:
        more = run.more(call)
        op, queue = _op_of(call[2]), _queue_of(call[2])
        params = {name: values[0] for name, values in parse_qs(call[2].partition("?")[2]).items()}
        if op == "put" and call[1] == "driver":
            text = _wire(more["text"])
            counts[queue, text] += 1
            put[more["id"]] = (queue, text, counts[queue, text])
        if not call[1].startswith("host"):
            continue
        receipt = params.pop("popreceipt", "")
        one = Noted(
            op,
            queue,
            call[3],
            more.get("error", ""),
            bool(more.get("injected")),
            params,
            _wire(more["text"]) if op == "put" else "",
            call[2].split("/")[3].partition("?")[0] if call[2].count("/") > 2 else "",
            receipt,
            [tuple(one) for one in more.get("messages", [])],
            has_body=op == "put",
            put_id=more.get("id", ""),
        )
        noted += [one] * min(more.get("repeated", 1), 2)
    handled = {"unhandled-exception-handler", "process-crash"}
    return Played(noted, put, [note for _, note in run.notes if note in handled])


def traces(played: Played) -> dict[str, Any]:
    """Each message's calls, each text's copies, the polling, and how often the host was to end."""
    keys = dict(played.put)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for call in played.noted:
        if call.op == "put" and call.put_id:
            counts[call.queue, call.text] += 1
            keys.setdefault(
                call.put_id, (f"{call.queue}*", call.text, counts[call.queue, call.text])
            )
    return {
        "messages": {
            str(_short(key)): list(_of_message(identity, played.noted))
            for identity, key in sorted(keys.items(), key=lambda item: item[1])
        },
        "copies": {
            text[:40]: [
                (call.op, call.status, call.is_injected)
                for call in played.noted
                if call.op == "put" and call.text == text
            ]
            for text in sorted({call.text for call in played.noted if call.op == "put"})
        },
        "polling": {
            queue: sorted(set(_transitions(queue, played.noted)))
            for queue in sorted({call.queue for call in played.noted if call.op == "get"})
        },
        "gets": sorted(
            {str(sorted(call.params.items())) for call in played.noted if call.op == "get"}
        ),
        "bodies": sorted(
            {(call.op, call.has_body) for call in played.noted if call.op in {"update", "put"}}
        ),
        "ends": len(played.failures),
    }


def _short(key: Key) -> Key:
    return (key[0], key[1][:40], key[2])


def _of_message(identity: str, noted: list[Noted]) -> Iterator[tuple[Any, ...]]:
    letters: dict[str, str] = {}
    for call in noted:
        for one, receipt, count in call.messages:
            if one == identity:
                letter = letters.setdefault(receipt, chr(ord("A") + len(letters)))
                yield ("get", count, letter)
        if call.message == identity and call.op in {"update", "delete"}:
            letter = letters.setdefault(call.receipt, chr(ord("A") + len(letters)))
            seconds = call.params.get("visibilitytimeout", "")
            yield (call.op, seconds, call.status, call.error if call.status != 500 else "", letter)


def _transitions(queue: str, noted: list[Noted]) -> Iterator[tuple[str, str]]:
    polls = [
        f"{call.op} {call.status}"
        for call in noted
        if call.queue == queue and call.op in {"get", "get-queue-metadata"}
    ]
    if polls:
        yield ("start", polls[0])
    # Not how often the same came again, which is a matter of time.
    yield from (two for two in pairwise(polls) if two[0] != two[1])


# Reading


def _queue_of(request: str) -> str:
    match = QUEUE.search(request.split(" ")[1])
    assert match, request
    return match[1]


def _op_of(request: str) -> str:
    method, target = request.split(" ")
    path = target.partition("?")[0]
    if "comp=metadata" in target:
        return "get-queue-metadata"
    if path.count("/") == 1:
        return {"PUT": "create-queue", "DELETE": "delete-queue"}.get(method, "other")
    if path.endswith("/messages"):
        return {"GET": "get", "POST": "put"}[method]
    return {"PUT": "update", "DELETE": "delete"}[method]


def _wire(text: str | Mapping[str, Any]) -> str:
    if isinstance(text, str):
        return text
    plain = text["of"].ljust(text["length"], text["of"][-1])
    return base64.b64encode(plain.encode()).decode()


def _text_of(body: bytes) -> str:
    found = ET.fromstring(body).findtext("MessageText")
    return found or ""


def _messages_of(body: bytes) -> list[tuple[str, str, int]]:
    if not body:
        return []
    return [
        (
            one.findtext("MessageId") or "",
            one.findtext("PopReceipt") or "",
            int(one.findtext("DequeueCount") or 0),
        )
        for one in ET.fromstring(body).iter("QueueMessage")
    ]


def _queue_options(run: Run) -> QueueOptions:
    options = run.options
    visibility = time_span(options.get("visibilityTimeout", "00:00:00")) or 0
    return QueueOptions(
        batch_size=run.batch_size,
        new_batch_threshold=options.get("newBatchThreshold", 16),
        max_dequeue_count=options.get("maxDequeueCount", 5),
        visibility_timeout=visibility,
        max_polling_interval=LONGEST_POLLING_SECONDS,
        is_base64=options.get("messageEncoding", "Base64") == "Base64",
    )


def _queue_endpoint(storage: str) -> tuple[str, str]:
    """Where Azurite's queues are, and the connection string with QUEUE in the place of that."""
    match = re.search(r"QueueEndpoint=(http://[^/;]+)/devstoreaccount1", storage)
    assert match
    account = re.search(r"(AccountName=.*?;AccountKey=.*?;)", storage)
    assert account
    return match[1], f"DefaultEndpointsProtocol=http;{account[1]}QueueEndpoint=QUEUE;"


# How many at once


async def play_batches(recorded: Mapping[str, Any], storage: str) -> Played:
    """Play a run of which the messages' seconds and the gets are known."""
    asked = recorded["gets"][0]["asked"]
    numbers = [
        float(one) for one in re.findall(r"\d+(?:\.\d+)?", recorded["setting"].split(",")[0])
    ]
    get = f"GET /q/messages?numofmessages={asked}&visibilitytimeout=600"
    seconds = _seconds_of(recorded["setting"], numbers)
    puts = [
        [
            -1,
            "driver",
            "POST /q/messages",
            201,
            {"text": encoded(f"sleep:{one}"), "id": f"m{index}"},
        ]
        for index, one in enumerate(seconds)
    ]
    calls = [
        [-2, "driver", "PUT /q", 201],
        *puts,
        [0, "host", "GET /q?comp=metadata", 200],
        [
            1,
            "host",
            get,
            200,
            {"messages": [[f"m{index}", "A", 1] for index in range(len(seconds))]},
        ],
        *(
            [2, "host", f"DELETE /q/messages/m{index}?popreceipt=A", 204]
            for index in range(len(seconds))
        ),
    ]
    options = {
        "newBatchThreshold": recorded["options"]["newBatchThreshold"],
    }
    return await play(Run("b_batches.json", recorded["setting"], options, [], calls), storage, 0.5)


def _seconds_of(setting: str, numbers: list[float]) -> list[float]:
    count = int(numbers[0])
    if "in turn" in setting:
        return [(0.5, 1, 1.5, 2)[index % 4] for index in range(count)]
    if " to " in setting:
        return [0.6 + 0.05 * index for index in range(count)]
    return [1.0] * count
