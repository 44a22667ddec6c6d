"""Batches as callers see them."""

import json
from collections.abc import Sequence

import httpx

from tests.end_to_end.client import Connorg, Json, Partner, eventually

JSON = "application/json"


def partners(count: int) -> list[Partner]:
    return [Partner() for _ in range(count)]


def bodies(rows: Sequence[Partner], **changes: object) -> list[Json]:
    return [row.body(**changes) for row in rows]


async def send(
    connorg: Connorg, rows: Sequence[object], query: str = "", **headers: str
) -> httpx.Response:
    """POST rows as a JSON array."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await connorg.call(
        "POST",
        f"batches{query}",
        content=json.dumps(rows).encode(),
        headers={"content-type": JSON, **named},
    )


async def accepted(
    connorg: Connorg, rows: Sequence[object], query: str = "", **headers: str
) -> str:
    """Send rows that are accepted; the batch's id."""
    answer = await send(connorg, rows, query, **headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def read(connorg: Connorg, batch: str) -> Json:
    answer = await connorg.call("GET", f"batches/{batch}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def ended(connorg: Connorg, batch: str) -> Json:
    """Wait until every row of a batch has ended."""

    async def is_over() -> Json | None:
        told = await read(connorg, batch)
        return told if told["status"] not in {"NotStarted", "Running"} else None

    return await eventually(is_over, f"{batch} does not end")


async def results(connorg: Connorg, batch: str) -> list[Json]:
    answer = await connorg.call("GET", f"batches/{batch}/results")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])
