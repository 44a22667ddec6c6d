"""What can't be understood is refused with all its faults, and leaves no trace anywhere."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.end_to_end.client import Connorg, Json, Partner, problem

TENANT = "#microsoft.graph.azureActiveDirectoryTenant"
DOMAIN = "#microsoft.graph.domainIdentitySource"


def text(**changes: Any) -> bytes:
    return json.dumps(Partner().body(**changes)).encode()


def source(**changes: Any) -> list[Json]:
    return [{"@odata.type": DOMAIN, "domainName": Partner().domain, **changes}]


NOT_ONE_JSON_OBJECT: Mapping[str, bytes] = {
    "empty": b"",
    "blank": b" \r\n\t",
    "not JSON": b"displayName=Contoso",
    "cut short": text()[:-1],
    "two objects": text() + text(),
    "an array": b"[" + text() + b"]",
    "a string": b'"Contoso"',
    "a number": b"1e400",
    "null": b"null",
    "thousands of levels deep": b'{"a":' * 2_500,
    "a lone surrogate": text().replace(b"Partner ", b"\\ud800", 1),
    "invalid UTF-8": text().replace(b"Partner ", b"\xff\xfe", 1),
    "a bare NUL": text() + b"\0",
}

INVALID: Mapping[str, tuple[bytes, str]] = {
    "a hundred levels deep": (text(displayName=json.loads("[" * 100 + "]" * 100)), "/displayName"),
    "a wrong type": (text(displayName=7), "/displayName"),
    "null for a required value": (text(displayName=None), "/displayName"),
    "a name too long": (text(displayName="x" * 257), "/displayName"),
    "a blank name": (text(displayName="  "), "/displayName"),
    "a word for nothing": (text(displayName="undefined"), "/displayName"),
    "a line break in a name": (text(displayName="a\nb"), "/displayName"),
    "NUL in a name": (text(displayName="a\0b"), "/displayName"),
    "a name that turns around": (text(displayName="a\u202eb"), "/displayName"),
    "a control character in a description": (text(description="a\x1bb"), "/description"),
    "a description too long": (text(description="x" * 1025), "/description"),
    "an unknown state": (text(state="approved"), "/state"),
    "NaN": (text().replace(b'"configured"', b"NaN"), "/state"),
    "an unknown field": (text(displayname="x"), "/displayname"),
    "an unknown ifExists": (text(ifExists="replace"), "/ifExists"),
    "a reference too long": (text(reference="x" * 257), "/reference"),
    "no identity source": (text(identitySources=[]), "/identitySources"),
    "two identity sources": (text(identitySources=source() * 2), "/identitySources"),
    "a source that is none": (
        text(identitySources=["contoso.com"]),
        "/identitySources/0/@odata.type",
    ),
    "a source without a type": (
        text(identitySources=[{"domainName": "contoso.com"}]),
        "/identitySources/0/@odata.type",
    ),
    "an unknown type": (
        text(identitySources=source(**{"@odata.type": "#microsoft.graph.unicorn"})),
        "/identitySources/0/@odata.type",
    ),
    "a social source": (
        text(identitySources=source(**{"@odata.type": "#microsoft.graph.socialIdentitySource"})),
        "/identitySources/0/@odata.type",
    ),
    "a tenant id that is none": (
        text(identitySources=[{"@odata.type": TENANT, "tenantId": "contoso"}]),
        "/identitySources/0/tenantId",
    ),
    **{
        f"the domain {domain[:20]!r}": (
            text(identitySources=source(domainName=domain)),
            "/identitySources/0/domainName",
        )
        for domain in (
            "",
            "contoso",
            "localhost",
            "printer.local",
            "dc.corp",
            "10.0.0.1",
            "*.contoso.com",
            "https://contoso.com",
            "contoso.com/path",
            "contoso.com:443",
            "joe@contoso.com",
            "-contoso.com",
            "con\0toso.com",
            "xn--a.com",
            f"{'a' * 64}.com",
            f"{'a.' * 130}com",
            "contoso.com' or '1' eq '1",
        )
    },
}


async def send(connorg: Connorg, content: bytes) -> httpx.Response:
    """Send a body that is to leave no trace in ledger, queue or Graph."""
    before = await connorg.footprint()
    answer = await connorg.call("POST", "connected-organizations", content=content)
    assert await connorg.footprint() == before
    return answer


@pytest.mark.parametrize("content", NOT_ONE_JSON_OBJECT.values(), ids=NOT_ONE_JSON_OBJECT)
async def test_what_is_not_one_json_object_is_malformed(untouched: Connorg, content: bytes) -> None:
    problem(await send(untouched, content), 400, "MalformedBody")


@pytest.mark.parametrize(("content", "pointer"), INVALID.values(), ids=INVALID)
async def test_an_invalid_value_is_pointed_at(
    untouched: Connorg, content: bytes, pointer: str
) -> None:
    told = problem(await send(untouched, content), 422, "InvalidValues")
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]
    assert all(fault["detail"].endswith(".") for fault in told["errors"])


async def test_all_faults_come_at_once(untouched: Connorg) -> None:
    body = {
        "description": "x" * 1025,
        "identitySources": source(domainName="contoso", nickname="x"),
        "state": 7,
        "sponsors": [],
    }
    told = problem(await send(untouched, json.dumps(body).encode()), 422, "InvalidValues")
    assert {fault["pointer"] for fault in told["errors"]} == {
        "/displayName",
        "/description",
        "/identitySources/0/domainName",
        "/identitySources/0/nickname",
        "/state",
        "/sponsors",
    }


@pytest.mark.parametrize("size", [16 * 1024 + 1, 2**20], ids=["16 KB and a byte", "1 MB"])
async def test_a_body_too_large_is_not_read(untouched: Connorg, size: int) -> None:
    content = text().ljust(size)
    problem(await send(untouched, content), 413, "BodyTooLarge")


async def test_a_thousand_unknown_fields_do_not_make_a_thousand_faults(
    untouched: Connorg,
) -> None:
    content = text(**{f"f{number}": 0 for number in range(1000)})
    told = problem(await send(untouched, content), 422, "InvalidValues")
    assert len(told["errors"]) == 101
