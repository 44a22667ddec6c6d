"""Replays what a real OData service answered, against the Graph emulator."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.contract.graph_emulator import ORGANIZATIONS, EmulatedGraph, emulated_graph

type Json = dict[str, Any]

_RECORDED = Path(__file__).parents[1] / "recorded" / "graph"
_ROOT = "http://graph.test"
_ID = "c0000000-0000-4000-a000-0000000000"
_NAMES = {"e": "user", "d": "group"}
_SUFFIX = (
    "Make sure to only use property names that are defined by the type or mark the type as open "
    "type."
)
_REFUSED = "The query specified in the URI is not valid. "
_EXCEPTION = re.compile(r"^\w+Exception: ")
_MEDIA_TYPE = re.compile(r"Microsoft\.OData\.ODataMediaType, … \[36 times the same word\]")
_ALL_PROPERTIES = "createdDateTime,description,displayName,identitySources,modifiedDateTime,state"
# What the recordings cut short.
_LONG = {
    259: "%20or%20".join(f"displayName%20eq%20'n{number}'" for number in range(24)),
    260: f"displayName%20eq%20'{'x' * 6000}'",
    261: f"displayName%20eq%20'{'x' * 9000}'",
}
_LONG_BODIES = {
    89: json.dumps({"displayName": "x" * 5000}, separators=(",", ":")),
    215: '{"nosuch":' + '{"a":' * 200 + "1" + "}" * 201,
}


@cache
def rows(name: str) -> list[Json]:
    return list(json.loads((_RECORDED / f"{name}.json").read_text()))


def organizations() -> list[Json]:
    """As they were recorded, but for the order of sponsors: the service gave users first."""
    found = rows("organizations")
    for organization in found:
        for kind in ("internalSponsors", "externalSponsors"):
            organization[kind].sort(key=lambda item: "group" in item["@odata.type"])
    return found


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class Connection:
    """Sends requests as they are: the recorded ones include what no HTTP client would send."""

    def __init__(self, graph: EmulatedGraph) -> None:
        self._host, port = graph.root.removeprefix("http://").split(":")
        self._port = int(port)
        self._authorization = graph.authorization
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(
        self, method: str, target: str, headers: Mapping[str, str | None], body: bytes | None
    ) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        sent = {"Host": f"{self._host}:{self._port}", **self._authorization, **headers}
        if body is not None and "Transfer-Encoding" not in sent:
            sent["Content-Length"] = str(len(body))
        lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
        head = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""])
        writer.write(head.encode() + (body or b""))
        try:
            answer = await self._read(reader, method)
        except asyncio.IncompleteReadError:  # the web server hangs up on what is no request
            answer = Answer(400, {"connection": "close"}, "")
        if answer.status >= 400 or answer.headers.get("connection") == "close":
            self.close()  # what was refused may not have been read to its end
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _read(self, reader: asyncio.StreamReader, method: str) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        text = (await reader.readexactly(length)).decode()
        return Answer(int(first.split()[1]), headers, text)


class Outcome(NamedTuple):
    """``difference`` is empty where the emulator answered as the service did."""

    number: int
    group: str
    status: int
    difference: str


async def replay_queries() -> list[Outcome]:
    """With ``$top`` as a limit, as the service took it."""
    async with emulated_graph() as graph:
        await _prepare(graph, top="limit")
        connection = Connection(graph)
        found = []
        for page_size in (100, 5):
            await graph.configure(pageSize=page_size)
            for row in rows("queries"):
                if row["url"].startswith("P5") is (page_size == 5):
                    answer = await _sent(connection, row, graph.root, is_write=False)
                    found.append(_outcome(row, answer, _query_difference(row, answer, graph.root)))
        connection.close()
        return sorted(found)


async def replay_bodies() -> list[Outcome]:
    """Without what Graph asks of an organization: the service took whatever could be read."""
    async with emulated_graph() as graph:
        await _prepare(graph, judges=False)
        connection = Connection(graph)
        found = []
        for row in rows("bodies"):
            await graph.control("PUT", "organizations", organizations())
            answer = await _sent(connection, row, graph.root, is_write=True)
            difference = _body_difference(row, answer, graph.root)
            if not difference and row.get("bound") and row["group"] not in {"ref", "unref"}:
                difference = _stored_difference(row, await graph.control("GET", "organizations"))
            found.append(_outcome(row, answer, difference))
        connection.close()
        return found


async def _prepare(graph: EmulatedGraph, **config: Any) -> None:
    domains = ["contoso.com", "a'b", "a/b"]
    tenant_id = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    tenant = {"tenantId": tenant_id, "displayName": "T", "defaultDomainName": "t.example"}
    await graph.control("PUT", "tenants", [{**tenant, "domains": domains}])
    await graph.control("PUT", "organizations", organizations())
    await graph.configure(**config)


async def _sent(connection: Connection, row: Json, root: str, *, is_write: bool) -> Answer:
    headers: dict[str, str | None] = dict(row.get("headers", {}))
    body = None
    if is_write:
        headers["Content-Type"] = row.get("sentType", "application/json")
    if "bodyHex" in row:
        body = bytes.fromhex(row["bodyHex"])
    elif is_write and "body" in row:
        text = str(_LONG_BODIES.get(row["n"], row["body"]))
        body = text.replace(_ROOT, root).encode()
    method = row.get("method", "POST" if is_write else "GET")
    return await connection.send(method, target(row), headers, body)


def target(row: Json) -> str:
    url: str = row.get("url", "CO")
    if url.startswith("F="):
        url = f"CO?$select=id&$filter={_LONG.get(row['n'], url[2:])}"
    url = re.sub(r"^(CO|P5|TP)", ORGANIZATIONS, url)
    return re.sub(r"/K(\d+)", lambda found: f"/{_ID}{int(found[1]):02x}", url)


def _outcome(row: Json, answer: Answer, difference: str) -> Outcome:
    return Outcome(row["n"], row["group"], answer.status, difference)


def _differences(pairs: Mapping[str, tuple[Any, Any]]) -> str:
    """Of pairs of what was recorded and what was answered."""
    return "; ".join(
        f"{name}: {_shown(answered)}, recorded {_shown(recorded)}"
        for name, (recorded, answered) in pairs.items()
        if recorded != answered
    )


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) < 300 else f"{text[:300]}…"


def _message(answer: Answer) -> str:
    body = answer.json
    return str(body["error"]["message"]) if isinstance(body, dict) and "error" in body else ""


# Reads


def _query_difference(row: Json, answer: Answer, root: str) -> str:
    pairs: dict[str, tuple[Any, Any]] = {"status": (row["status"], answer.status)}
    if "refused" in row:
        pairs["message"] = (_REFUSED + row["refused"], _message(answer))
    elif "message" in row and row.get("by") != "own code":
        pairs["message"] = (row["message"], _message(answer))
    if "allow" in row:
        pairs["allow"] = (row["allow"], answer.headers.get("allow"))
    if row["status"] == 200 and answer.status == 200:
        pairs.update(_shown_pairs(row, answer, root))
    return _differences(pairs)


def _shown_pairs(row: Json, answer: Answer, root: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    body = answer.json
    if not isinstance(body, dict):
        yield "value", (row.get("value"), body)
        return
    collection = f"{root}{ORGANIZATIONS}"
    if "context" in row:
        recorded = re.sub(
            r"^CTX[5T]?", f"{root}/v1.0/$metadata#{ORGANIZATIONS[6:]}", row["context"]
        )
        recorded = recorded.replace("META", f"{root}/v1.0/$metadata").replace(_ROOT, root)
        yield "context", (recorded, body.get("@odata.context"))
    link = row.get("nextLink")
    recorded_link = link and re.sub(r"^BASE5?", collection, link)
    yield "nextLink", (recorded_link, body.get("@odata.nextLink"))
    yield "count", (row.get("count"), body.get("@odata.count"))
    items = body["value"] if isinstance(body.get("value"), list) else [body]
    if "ids" in row:
        every = list(range(1, 26))
        recorded_ids = every if row["ids"] == "all" else row["ids"]
        yield "ids", (recorded_ids, [_number(item["id"]) for item in items])
    if "id" in row:
        yield "id", (row["id"], _number(body["id"]))
    if "value" in row:
        recorded_value = json.loads(json.dumps(row["value"]).replace(_ROOT, root))
        yield "value", (recorded_value, body.get("value"))
    if "properties" in row and items:
        recorded_names = row["properties"].replace("all", _ALL_PROPERTIES)
        names = sorted(name for name in items[0] if "@" not in name and name != "id")
        yield "properties", (recorded_names, ",".join(names))


def _number(identifier: str) -> int | str:
    number = int(identifier[-2:], 16)
    return f"{_NAMES[identifier[0]]}{number}" if identifier[0] in _NAMES else number


# Writes


def _body_difference(row: Json, answer: Answer, root: str) -> str:
    pairs: dict[str, tuple[Any, Any]] = {"status": (row["status"], answer.status)}
    if row["status"] == 400 and row.get("by") != "own code":
        expected = [_words(row[name]) for name in ("reader", "odl", "message") if name in row]
        message = _message(answer).replace(root, _ROOT)
        if message not in expected:
            pairs["message"] = (expected[0], message)
    if "allow" in row:
        pairs["allow"] = (row["allow"], answer.headers.get("allow"))
    return _differences(pairs)


def _words(raised: str) -> str:
    """What was raised, without the name of the exception and what was behind it."""
    text = _EXCEPTION.sub("", raised.partition(" <- ")[0]).replace("[SUFFIX]", _SUFFIX)
    return _MEDIA_TYPE.sub(", ".join(["Microsoft.OData.ODataMediaType"] * 36), text)


def _stored_difference(row: Json, stored: list[Json]) -> str:
    """Between what the service read of the body and what the emulator keeps."""
    is_new = row.get("method", "POST") == "POST"
    held = next(item for item in stored if item["id"].startswith(_ID[:8]) is not is_new)
    if not is_new:
        number = f"{_ID}01"
        held = next(item for item in stored if item["id"] == number)
    bound = row["bound"]
    pairs = {
        name: (bound[name], held[name])
        for name in _STORED
        if name in bound and "…" not in str(bound[name])
    }
    for name in ("sources", "identitySources"):
        if name in bound:
            pairs["sources"] = (bound[name], [_source(item) for item in held["identitySources"]])
    return _differences(pairs)


_STORED = ("displayName", "description", "state")


def _source(item: Json | None) -> Json | None:
    if item is None:
        return None
    named = {"is": item["@odata.type"].removeprefix("#microsoft.graph.")}
    rest = {name: value for name, value in item.items() if name != "@odata.type"}
    return {**named, **{name: value for name, value in rest.items() if value is not None}}
