"""Our transactions are the SDK's: the bytes that are sent, the results and the errors."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableErrorCode, UpdateMode
from azure.data.tables.aio import TableClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connorg.core.ports import StorageUnavailableError
from connorg.storage import connection as connection_to
from connorg.storage.connection import storage_errors
from tests.contract.conftest import AZURITE

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STALE = "W/\"datetime'2026-11-02T09%3A30%3A00.0000000Z'\""
KIB = 1024

type Operations = list[tuple[Any, ...]]
type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def row(name: str = "row", partition: str = "p", **columns: Any) -> dict[str, Any]:
    return {"PartitionKey": partition, "RowKey": name, **columns}


def unchanged(etag: str, mode: UpdateMode | None = None) -> dict[str, Any]:
    mode_of_update = {} if mode is None else {"mode": mode}
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified, **mode_of_update}


def transactions(etag: str, first: dict[str, Any], second: dict[str, Any]) -> Operations:
    """Each operation that connorg makes."""
    return [
        ("create", first),
        ("update", second, unchanged(etag, UpdateMode.REPLACE)),
        ("update", second, unchanged(etag, UpdateMode.MERGE)),
        ("delete", second, unchanged(etag)),
    ]


class Service:
    """A table service that answers as a test says, and writes down what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.connection = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = (request.method, request.raw_path, [*request.headers.items()], await request.read())
        self.requests.append(asked)
        return await self._answer(request)


@asynccontextmanager
async def service(answer: Answer) -> AsyncIterator[Service]:
    asked = Service(answer)
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", asked.handle)
    async with TestServer(app) as server:
        asked.connection = (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};"
            f"TableEndpoint=http://127.0.0.1:{server.port}/devstoreaccount1;"
        )
        yield asked


@asynccontextmanager
async def both(connection: str, name: str = "ledger") -> AsyncIterator[tuple[TableClient, ...]]:
    """The SDK's client, and ours, with the same retries."""
    options: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.3}
    async with (
        TableClient.from_connection_string(connection, name, **options) as sdks,
        connection_to.table(name, connection, None, None) as ours,
    ):
        yield sdks, ours


async def outcome(table: TableClient, operations: Operations) -> tuple[object, ...]:
    """What comes of a transaction, as the adapters see it."""
    try:
        async with storage_errors():
            results = await table.submit_transaction(operations)
    except StorageUnavailableError as error:
        return (type(error), str(error))
    except HttpResponseError as error:
        code = getattr(error, "error_code", None)
        told = code.value if isinstance(code, TableErrorCode) else code
        return (type(error), error.status_code, told)
    return ("done", len(results), [bool(result.get("etag")) for result in results])


# What is sent


async def refuse(_: web.Request) -> web.Response:
    return web.Response(status=400)


async def sent(operations: Operations) -> list[object]:
    """What each of the two sends, without what differs from call to call."""
    async with service(refuse) as asked, both(asked.connection) as tables:
        for table in tables:
            with pytest.raises(HttpResponseError):
                await table.submit_transaction(operations)
    return [_told(*request) for request in asked.requests]


def _told(method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> object:
    passing = {"authorization", "x-ms-client-request-id", "x-ms-date", "date"}
    known = {name.lower(): _steady(value) for name, value in headers if name.lower() not in passing}
    assert passing <= {name.lower() for name, _ in headers}
    return method, path, known, _steady(body.decode())


def _steady(text: str) -> str:
    text = re.sub(r"(batch|changeset)_[0-9a-f-]{36}", r"\1", text)
    return re.sub(r"(?m)^((?:x-ms-)?[Dd]ate): .*$", r"\1", text)


TEXTS = [
    "",
    "plain",
    "it's",
    'a "quoted" one',
    "é\u2028<>&",
    "🙂",
    "a\r\nb",
    "x" * 40_000,
    "{dates}",
]
KEYS = ["r", "it's", "é", "a b", "50%", "a+b", "onboarding-1~", "[]{}"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_the_same_bytes_are_sent_whatever_a_row_holds(text: str) -> None:
    columns: dict[str, Any] = {"Text": text, "Number": 7, "Negative": -(2**31), "Nothing": None}
    theirs, ours = await sent(transactions(STALE, row(**columns), row("other", **columns)))
    assert ours == theirs


@pytest.mark.parametrize("name", KEYS)
async def test_the_same_bytes_are_sent_whatever_a_row_is_called(name: str) -> None:
    theirs, ours = await sent(transactions(STALE, row(name, name), row(name, name, A="b")))
    assert ours == theirs


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Za-z0-9]{0,8}", fullmatch=True),
        st.text() | st.integers(-(2**31), 2**31 - 1) | st.none() | st.booleans(),
        max_size=5,
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="/\\#?\r\n", exclude_categories=["C"])),
)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_the_same_bytes_are_sent_for_any_row(columns: dict[str, Any], name: str) -> None:
    columns = {key: value for key, value in columns.items() if key not in row()}
    theirs, ours = await sent(transactions(STALE, row(name, **columns), row(name, **columns)))
    assert ours == theirs


@pytest.mark.parametrize("value", [2**31, 1.5, b"bytes", object()])
async def test_a_value_of_another_kind_is_refused_before_anything_is_sent(value: object) -> None:
    async with service(refuse) as asked, both(asked.connection) as (_, ours):
        with pytest.raises(TypeError, match="Column"):
            await ours.submit_transaction([("create", row(Column=value))])
    assert not asked.requests


async def test_without_a_key_a_token_for_storage_is_asked_for() -> None:
    scopes: list[str] = []

    class Identity:
        async def get_token(self, *asked: str, **_: Any) -> AccessToken:
            scopes.extend(asked)
            raise HttpResponseError("no token here")

        async def close(self) -> None: ...

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    address = "https://127.0.0.1:9"
    async with connection_to.table("ledger", None, address, Identity()) as table:
        with pytest.raises(HttpResponseError, match="no token here"):
            await table.submit_transaction([("create", row())])
    assert scopes == ["https://storage.azure.com/.default"]


# What comes back


async def laid(table: TableClient, *names: str) -> str:
    """Create rows, and return the ETag of the last."""
    etag = ""
    for name in names:
        etag = str((await table.create_entity(row(name, A="1")))["etag"])
    return etag


SCENES: dict[str, Callable[[str], Operations]] = {
    "two new rows": lambda _: [("create", row("a")), ("create", row("b"))],
    "a new one and one that is replaced": lambda etag: [
        ("create", row("a")),
        ("update", row("there", A="2"), unchanged(etag, UpdateMode.REPLACE)),
    ],
    "one that is merged": lambda etag: [
        ("update", row("there", B="2"), unchanged(etag, UpdateMode.MERGE))
    ],
    "one that is deleted": lambda etag: [("delete", row("there"), unchanged(etag))],
    "a hundred": lambda _: [("create", row(str(number), A="x")) for number in range(100)],
    "one that is there": lambda _: [("create", row("there"))],
    "the second is there": lambda _: [("create", row("a")), ("create", row("there"))],
    "one that has changed": lambda _: [
        ("create", row("a")),
        ("update", row("there"), unchanged(STALE, UpdateMode.REPLACE)),
    ],
    "a delete of one that has changed": lambda _: [("delete", row("there"), unchanged(STALE))],
    "one that is not there": lambda _: [
        ("update", row("gone"), unchanged(STALE, UpdateMode.REPLACE))
    ],
    "a delete of one that is not there": lambda _: [("delete", row("gone"), unchanged(STALE))],
    "a column that is too large": lambda _: [("create", row("a", A="x" * 40 * KIB))],
    "a row that is too large": lambda _: [
        ("create", row("a", **{f"C{number}": "x" * 30 * KIB for number in range(40)}))
    ],
    "a body that is too large": lambda _: [
        ("create", row(str(number), **{f"C{n}": "x" * 30 * KIB for n in range(15)}))
        for number in range(12)
    ],
}


@pytest.mark.parametrize("under", [AZURITE])
@pytest.mark.parametrize("scene", SCENES)
async def test_the_service_does_the_same(
    request: pytest.FixtureRequest, under: str, scene: str
) -> None:
    del under
    connection = request.getfixturevalue("storage")
    found = []
    for number in range(2):
        async with both(connection, f"t{uuid4().hex}") as tables:
            table = tables[number]
            await table.create_table()
            etag = await laid(table, "there")
            came = await outcome(table, SCENES[scene](etag))
            rows = [dict(one) async for one in table.query_entities("PartitionKey eq 'p'")]
            found.append((came, sorted(rows, key=lambda one: str(one["RowKey"]))))
            await table.delete_table()
    theirs, ours = found
    assert ours == theirs


@pytest.mark.parametrize("under", [AZURITE])
async def test_a_table_that_is_missing_is_told(request: pytest.FixtureRequest, under: str) -> None:
    del under
    async with both(request.getfixturevalue("storage"), f"t{uuid4().hex}") as tables:
        theirs, ours = [await outcome(table, [("create", row())]) for table in tables]
    assert ours == theirs


# Answers that are faults

JSON = '{"odata.error":{"code":"%s","message":{"lang":"en-US","value":"No."}}}'
BODIES = {
    "nothing": "",
    "text": "Service Unavailable",
    "a page": "<html><body>Bad gateway</body></html>",
    "JSON of another kind": '{"error": "no"}',
    "a list": "[]",
    "cut": '{"odata.error":{"code":"Ser',
    **{
        code: JSON % code
        for code in (
            "ServerBusy",
            "AuthenticationFailed",
            "AuthorizationFailure",
            "TableNotFound",
            "InvalidInput",
            "SomethingNew",
        )
    },
}
STATUSES = [400, 401, 403, 404, 408, 409, 412, 413, 429, 500, 502, 503, 504]


REFUSALS = [
    *((status, "ServerBusy", retry_after) for status in STATUSES for retry_after in (None, "0")),
    *((status, body, None) for status in (400, 503) for body in BODIES),
]


async def test_a_refusal_of_the_whole_is_told_and_tried_again_alike() -> None:
    refusal: dict[str, Any] = {}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(**refusal)

    async with service(answer) as asked, both(asked.connection) as tables:
        for status, body, retry_after in REFUSALS:
            headers = {"Content-Type": "application/json"}
            if retry_after is not None:
                headers["Retry-After"] = retry_after
            refusal |= {"status": status, "text": BODIES[body], "headers": headers}
            came = []
            for table in tables:
                asked.requests.clear()
                came.append((await outcome(table, [("create", row())]), len(asked.requests)))
            theirs, ours = came
            assert ours == theirs, (status, body, retry_after)


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def cut_within(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=202, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"--batchresponse_1\r\n")
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize("answer", [cut, cut_within])
async def test_an_answer_that_is_cut_is_no_answer(answer: Answer) -> None:
    came = []
    async with service(answer) as asked, both(asked.connection) as tables:
        for table in tables:
            asked.requests.clear()
            came.append((await outcome(table, [("create", row())]), len(asked.requests)))
    theirs, ours = came
    assert ours == theirs
    assert ours[0] == (StorageUnavailableError, "storage did not answer")


CHANGESET = (
    "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n"
    "--changesetresponse_1\r\nContent-Type: application/http\r\n"
    "Content-Transfer-Encoding: binary\r\n\r\n"
    'HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nETag: W/"1"\r\n\r\n\r\n'
)


@pytest.mark.parametrize(
    "body",
    ["", "<html>", CHANGESET, f"{CHANGESET}--changesetresponse_1--\r\n--batchresponse_1--\r\n"],
    ids=["nothing", "a page", "cut after the first", "the first alone"],
)
async def test_an_answer_that_is_not_whole_proves_nothing(body: str) -> None:
    """The SDK fails in other ways, or takes what there is for all."""

    async def answer(_: web.Request) -> web.Response:
        content_type = "multipart/mixed; boundary=batchresponse_1"
        return web.Response(status=202, text=body, headers={"Content-Type": content_type})

    async with service(answer) as asked, both(asked.connection) as (_, ours):
        came = await outcome(ours, [("create", row("a")), ("create", row("b"))])
    assert came == (StorageUnavailableError, "storage did not answer")
