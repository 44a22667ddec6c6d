"""Replays the recordings of the real Functions host against the local one.

`python -m tests.contract.functions_host_replay [--large] FILE…` makes the functions of each
recorded start under Microsoft's worker library, sends the recorded requests, and prints what came
of it as JSON: for each file and case the difference, empty where there is none. All starts share
one process and one import of the worker; each has routes, keys, host.json and settings of its own.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp.web

from infra.local.functions_host import worker
from infra.local.functions_host.definition import CannotStartError, Declaration, HostInErrorError
from infra.local.functions_host.host import Host, front_in_error
from infra.local.functions_host.host_json import parse_host_json
from infra.local.functions_host.http_front import HttpFront
from infra.local.functions_host.keys import Keys

RECORDED = Path(__file__).parents[1] / "recorded/host/http"
APP = Path(__file__).parent / "replay_app"
STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=QUFBQQ==;"
    "QueueEndpoint=http://127.0.0.1:9/a;"
)
DEFAULT_KEYS: Mapping[str, Any] = {"master": "MASTERKEY", "host": [], "system": [], "functions": {}}
# Bodies beyond this are for the slow run.
LARGE = 20_000_000
NO_ANSWER_SECONDS = 3
CUT = re.compile(r"(.*)… \((\d+) characters\)", re.DOTALL)
NOT_COMPARED = frozenset({"server", "date", "connection"})
FRAMING = frozenset({"content-length", "transfer-encoding"})
GAP_SECONDS = 0.03


@dataclass
class Answer:
    status: int | None
    headers: dict[str, list[str]]
    body: str


class Ids:
    """The worker's function for each name in the recordings."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.ids: dict[str, str] = {}

    async def index(self) -> None:
        os.environ["REPLAYED_FUNCTIONS"] = json.dumps(self.names)
        for declaration in await worker.index(APP):
            self.ids[self.names[int(declaration.name.removeprefix("f"))]] = declaration.id

    def declarations(self, functions: Mapping[str, Any]) -> list[Declaration]:
        return [
            Declaration(name, self.ids[name], tuple(bindings))
            for name, bindings in functions.items()
        ]


async def replay(files: list[str], *, large: bool) -> dict[str, dict[str, str]]:
    recorded = {file: json.loads((RECORDED / file).read_text()) for file in files}
    starts = [start for several in recorded.values() for start in several]
    ids = Ids(sorted({name for start in starts for name in start["functions"]}))
    await ids.index()
    return {
        file: {
            key: difference
            for start in several
            for key, difference in (await _replay_start(start, ids, large=large)).items()
        }
        for file, several in recorded.items()
    }


async def _replay_start(start: Mapping[str, Any], ids: Ids, *, large: bool) -> dict[str, str]:
    cases = [case for case in start["cases"] if large or not _is_large(case["request"])]
    keys = [f"{start['start']} | {case['name']}" for case in cases]
    try:
        front = _front(start, ids)
    except CannotStartError as refusal:
        return dict.fromkeys(keys, f"refused: {refusal}")
    app: Any = sys.modules["function_app"]
    app.released.clear()
    async with _serving(front) as port:
        if any("seconds" in case for case in cases):
            answers = await _at_once(cases, port, app)
            found = [_difference(case, one) for case, one in zip(cases, answers, strict=True)]
        else:
            found = [await _replay_case(case, port, app) for case in cases]
    return dict(zip(keys, found, strict=True))


def _front(start: Mapping[str, Any], ids: Ids) -> HttpFront:
    environment = {"AzureWebJobsStorage": STORAGE, **start.get("environment", {})}
    environment = {name: value for name, value in environment.items() if value is not None}
    given = start.get("keys", DEFAULT_KEYS)
    keys = Keys(
        given["master"],
        tuple(given["host"]),
        tuple(given["system"]),
        {name: tuple(several) for name, several in given["functions"].items()},
    )
    text = start.get("hostJsonText", json.dumps({"version": "2.0", **start.get("hostJson", {})}))
    try:
        options = parse_host_json(text, environment)
        _compare_queues(start, options.queues)
        host = Host(ids.declarations(start["functions"]), options, keys, environment, logging.error)
    except HostInErrorError as fault:
        return front_in_error(fault, keys, environment)
    return host.front


def _compare_queues(start: Mapping[str, Any], options: Any) -> None:
    """What the real host logged as bound, where it did; the recordings are of two processors."""
    wanted = start.get("queues")
    if not wanted:
        return
    processors = os.process_cpu_count() or 1
    threshold = options.new_batch_threshold
    if threshold == options.batch_size // 2 * processors and "newBatchThreshold" not in json.dumps(
        start.get("hostJson", {})
    ):
        is_dynamic = start.get("environment", {}).get("WEBSITE_SKU") == "Dynamic"
        threshold = options.batch_size // 2 * (1 if is_dynamic else 2)
    ours = (
        *(options.batch_size, threshold, options.max_dequeue_count),
        *(_span(options.max_polling_interval), _span(options.visibility_timeout)),
        "Base64" if options.is_base64 else "None",
    )
    names = ("BatchSize", "NewBatchThreshold", "MaxDequeueCount", "MaxPollingInterval")
    theirs = tuple(wanted[name] for name in (*names, "VisibilityTimeout", "MessageEncoding"))
    assert ours == theirs, f"{start['start']}: {ours} instead of {theirs}"


def _span(seconds: float) -> str:
    sign, rest = ("-" if seconds < 0 else ""), abs(round(seconds))
    days, rest = divmod(rest, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{sign}{days}.{clock}" if days else f"{sign}{clock}"


@contextlib.asynccontextmanager
async def _serving(front: HttpFront) -> AsyncIterator[int]:
    """The port. Connections that linger end with the process."""
    runner = aiohttp.web.AppRunner(front.application(), access_log=None)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await site.stop()


async def _replay_case(case: Mapping[str, Any], port: int, app: Any) -> str:
    app.seen.clear()
    answer = await _send(port, case)
    difference = _difference(case, answer)
    if not difference and "params" in case:
        wanted = {name: _whole(value) for name, value in case["params"].items()}
        difference = _unequal("params", dict(app.seen[0].route_params), wanted)
    if not difference and "worker" in case:
        difference = _worker_difference(case["worker"], app.seen)
    return difference


async def _at_once(cases: list[Mapping[str, Any]], port: int, app: Any) -> list[Answer]:
    """The answers to requests that follow each other while the first ones still run."""
    sent: list[asyncio.Task[Answer]] = []
    for case in cases:
        sent.append(asyncio.create_task(_send(port, case)))
        await asyncio.sleep(GAP_SECONDS)
    early = [one for one, case in zip(sent, cases, strict=True) if case["seconds"] < 1]
    if early:
        await asyncio.wait(early)
    app.released.set()
    return list(await asyncio.gather(*sent))


def _difference(case: Mapping[str, Any], answer: Answer) -> str:
    recorded = case["response"]
    if answer.status != recorded["status"]:
        return f"status {answer.status} instead of {recorded['status']}"
    if _shortened(answer.body) != _shortened(recorded["body"] or ""):
        return f"body {answer.body[:80]!r} instead of {recorded['body'][:80]!r}"
    wanted: dict[str, list[str]] = {}
    for name, value in recorded.get("headers", []):
        wanted.setdefault(name.lower(), []).append(value)
    ignored = NOT_COMPARED
    if case["request"]["method"] == "HEAD" or not FRAMING & wanted.keys():
        ignored = NOT_COMPARED | FRAMING
    if "headers" not in recorded or (recorded["body"] or "").startswith("fn="):
        # The standard answer of the recordings' handler: what the host added to it is listed.
        ours = {name: answer.headers.get(name) for name in wanted}
        return _unequal("headers", ours, wanted)
    ours = {name: values for name, values in answer.headers.items() if name not in ignored}
    wanted = {name: values for name, values in wanted.items() if name not in ignored}
    return _unequal("headers", ours, wanted)


def _worker_difference(wanted: Mapping[str, Any], seen: list[Any]) -> str:
    if len(seen) != 1:
        return f"the function was called {len(seen)} times"
    request = seen[0]
    body = request.get_body()
    there = {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "params": dict(request.route_params),
        "query": dict(request.params),
    }
    for name, value in there.items():
        if difference := _unequal(name, value, wanted[name]):
            return difference
    return _unequal("body length", len(body), wanted["body"].get("length", 0))


def _unequal(what: str, ours: object, recorded: object) -> str:
    return "" if ours == recorded else f"{what} {ours} instead of {recorded}"


def _shortened(text: str) -> str:
    """Long bodies are cut in the recordings, with their length."""
    match = CUT.fullmatch(text)
    if match:
        return match[1][:100] + match[2]
    return text if len(text) <= 400 else text[:100] + str(len(text))


# On the wire


async def _send(port: int, case: Mapping[str, Any]) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = case["request"]
    try:
        with contextlib.suppress(ConnectionError):
            for piece in _wire(case):
                writer.write(piece)
                await writer.drain()
        if "continue" in request:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(request["continue"].encode())
        has_large = _is_large(request)
        async with asyncio.timeout(None if has_large else NO_ANSWER_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await _body_of_answer(reader, head, request["method"])
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        return Answer(None, {}, "")
    finally:
        writer.close()
    return _parsed(head, body)


async def _body_of_answer(reader: asyncio.StreamReader, head: bytes, method: str) -> bytes:
    headers = head.decode().lower()
    length = re.search(r"content-length: (\d+)", headers)
    if method == "HEAD" or headers.split(" ")[1] in {"204", "304"}:
        return b""
    if "transfer-encoding: chunked" in headers:
        whole = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            whole += (await reader.readexactly(size + 2))[:-2]
        return whole
    return await reader.readexactly(int(length[1])) if length else b""


def _wire(case: Mapping[str, Any]) -> Iterator[bytes]:
    request = case["request"]
    if "raw" in request:
        yield request["raw"].encode()
        return
    worker_saw = case.get("worker", {})
    url = worker_saw.get("url", "http://localhost:7171/")
    hosts = request.get("hosts", [url.split("/")[2]])
    lines = [f"{request['method']} {_whole(request['target'])} HTTP/1.1"]
    lines += [f"Host: {host}" for host in hosts]
    headers = [(name, _whole(value)) for name, value in request.get("headers", [])]
    if "connection" not in {name.lower() for name, _ in headers}:
        lines.append("Connection: close")
    chunks = _chunks(request)
    body = _body(case)
    if chunks is not None:
        lines.append("Transfer-Encoding: chunked")
        if worker_saw:
            headers.append(("Content-Type", worker_saw["headers"]["content-type"]))
    elif "continue" in request:
        lines += ["Expect: 100-continue", f"Content-Length: {len(request['continue'])}"]
    elif "declared" in request:
        lines.append(f"Content-Length: {request['declared']}")
    elif "body" in request:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    yield "\r\n".join([*lines, "", ""]).encode()
    if chunks is None:
        yield body
        return
    for chunk in chunks:
        yield f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    yield b"0\r\n\r\n"


def _chunks(request: Mapping[str, Any]) -> list[bytes] | None:
    if "chunks" in request:
        return [chunk.encode() for chunk in request["chunks"]]
    if "chunked" in request:
        whole, rest = divmod(request["chunked"], 2**20)
        return [b"a" * 2**20] * whole + ([b"a" * rest] if rest else [])
    return None


def _body(case: Mapping[str, Any]) -> bytes:
    body = case["request"].get("body", "")
    if isinstance(body, dict):
        return b"a" * int(body["length"])
    coded = case.get("worker", {}).get("body", {}).get("base64")
    return base64.b64decode(coded) if coded else _whole(body).encode()


def _whole(text: str) -> str:
    """A text that the recorder cut ends in more of its last character."""
    match = CUT.fullmatch(text)
    return match[1] + match[1][-1] * (int(match[2]) - len(match[1])) if match else text


def _parsed(head: bytes, body: bytes) -> Answer:
    status, *lines = head.decode().split("\r\n")[:-2]
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    return Answer(int(status.split(" ")[1]), headers, body.decode(errors="replace"))


def _is_large(request: Mapping[str, Any]) -> bool:
    body = request.get("body")
    length = body["length"] if isinstance(body, dict) else request.get("chunked", 0)
    return int(length) > LARGE or "act=big" in request.get("target", "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.contract.functions_host_replay")
    parser.add_argument("--large", action="store_true", help="the requests of 20 MB and more, too")
    parser.add_argument("files", nargs="*", default=sorted(one.name for one in RECORDED.iterdir()))
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = asyncio.run(replay(arguments.files, large=arguments.large))
    print(json.dumps(found))  # noqa: T201
    sys.stdout.flush()
    os._exit(0)  # the worker's threads are not awaited


if __name__ == "__main__":
    main()
