"""Raw floors: what a bare HTTP client needs to post the same bodies to the same Graph.

python -m tests.benchmarks.floors httpx|aiohttp GRAPH IDENTITY RUN CREATES CONCURRENCY…
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import count

import aiohttp
import httpx

from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.benchmarks.host import body
from tests.benchmarks.load import load

type Post = Callable[[int], Awaitable[float]]

_CREATE = "/v1.0/identityGovernance/entitlementManagement/connectedOrganizations"


@asynccontextmanager
async def _httpx(url: str, headers: dict[str, str], run: str) -> AsyncIterator[Post]:
    async with httpx.AsyncClient(headers=headers, limits=httpx.Limits()) as client:

        async def post(number: int) -> float:
            start = time.perf_counter()
            (await client.post(url, json=body(number, run))).raise_for_status().json()
            return time.perf_counter() - start

        yield post


@asynccontextmanager
async def _aiohttp(url: str, headers: dict[str, str], run: str) -> AsyncIterator[Post]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as client:

        async def post(number: int) -> float:
            start = time.perf_counter()
            async with client.post(url, json=body(number, run)) as answer:
                answer.raise_for_status()
                await answer.json()
            return time.perf_counter() - start

        yield post


def _token(identity: str, graph: str) -> str:
    answer = httpx.get(
        f"{identity}{TOKEN_PATH}",
        params={"resource": graph, "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": LOCAL_IDENTITY_HEADER},
    )
    return str(answer.raise_for_status().json()["access_token"])


async def _measure(client: str, graph: str, identity: str, run: str, *rest: str) -> None:
    creates, *levels = map(int, rest)
    headers = {"Authorization": f"Bearer {_token(identity, graph)}"}
    clients = {"httpx": _httpx, "aiohttp": _aiohttp}
    starts = count(0, creates)
    async with clients[client](graph + _CREATE, headers, run) as post:
        found = {}
        for level in levels:
            start = next(starts)
            numbers = range(start, start + creates)
            found[level] = asdict(await load(post, time.process_time, numbers, level))
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_measure(*sys.argv[1:]))
