"""Bodies that are too large or too deep, and those that are just as large as they may be."""

import asyncio
import csv
import io
import json
import time
from collections.abc import Awaitable, Callable
from statistics import quantiles

import pytest

from connorg.contract.effects import Role
from tests import senders
from tests.end_to_end.client import Json, Partner, eventually, problem
from tests.security.attacked import Attacked
from tests.senders import Ticket

MIB = 1024 * 1024
UNKNOWN = [f"nobody-{number:02}-{'x' * 230}@a.example" for number in range(40)]


type Submit = Callable[[Attacked, Json], Awaitable[None]]


def largest(partner: Partner) -> Json:
    """Return a request with as much as its fields take, and sponsors whom Graph does not know."""
    return partner.body(
        displayName="\N{LATIN SMALL LETTER E WITH ACUTE}" * 256,
        description='"' * 1024,
        reference=f"{partner.domain} ".ljust(255) + "!",
        internalSponsors=UNKNOWN[:20],
        externalSponsors=UNKNOWN[20:],
    )


async def by_http(connorg: Attacked, body: Json) -> None:
    headers = {"prefer": "respond-async"}
    answer = await connorg.ask("POST", "connected-organizations", [Role.SUBMIT], body, headers)
    assert answer.status_code == 202, answer.text


async def by_queue(connorg: Attacked, body: Json) -> None:
    await connorg.put(body)


async def by_batch(connorg: Attacked, body: Json) -> None:
    answer = await connorg.ask("POST", "batches", [Role.SUBMIT], [body])
    assert answer.status_code == 202, answer.text


async def by_file(connorg: Attacked, body: Json) -> None:
    text = io.StringIO(newline="")
    row = {
        "Domain": body["identitySources"][0]["domainName"],
        "Organization name": body["displayName"],
        "Description": body["description"],
        "Reference": body["reference"],
        "Internal sponsors": ";".join(body["internalSponsors"]),
        "External sponsors": ";".join(body["externalSponsors"]),
    }
    writer = csv.DictWriter(text, row.keys())
    writer.writeheader()
    writer.writerow(row)
    answer = await connorg.call(
        "POST",
        "batches",
        content=text.getvalue().encode(),
        headers={
            "content-type": "text/csv",
            "authorization": f"Bearer {await connorg.token([Role.SUBMIT])}",
        },
    )
    assert answer.status_code == 202, answer.text


async def by_webhook(connorg: Attacked, body: Json) -> None:
    domain = body["identitySources"][0]["domainName"]
    ticket = Ticket(domain)
    event = json.dumps({**json.loads(ticket.typed()), "padding": "x" * 200_000}).encode()
    headers = senders.headers("servicenow", event, ticket.delivery)
    path = "webhooks/servicenow"
    answer = await connorg.call("POST", path, content=event, headers=headers, key=False)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("submit", [by_http, by_queue, by_batch, by_file, by_webhook])
async def test_the_largest_valid_requests_end(guarded: Attacked, submit: Submit) -> None:
    partner = Partner()
    await submit(guarded, largest(partner))

    async def ended() -> Json | None:
        path = f"onboardings?text={partner.domain}"
        listed = (await guarded.ask("GET", path, [Role.READ])).json()["value"]
        return next((one for one in listed if one["status"] in {"Succeeded", "Failed"}), None)

    onboarding = await eventually(ended, "it does not end")
    assert onboarding["status"] == "Succeeded", onboarding["lastError"]
    if submit is not by_webhook:  # the page's body names no sponsors
        told = [found["code"] for found in onboarding["warnings"]]
        assert told == ["NoTenant", *["SponsorNotAdded"] * len(UNKNOWN)]
    assert len(await guarded.graph.organizations(partner)) == 1


async def test_a_body_that_is_too_large_is_refused_by_the_app_then_by_the_host(
    guarded: Attacked,
) -> None:
    headers = {"authorization": f"Bearer {await guarded.token()}"}
    for path, sizes in (
        ("connected-organizations", {16 * 1024 + 1: 413, 4_100_001: 500}),
        ("batches", {4_000_000: 400, 4_000_001: 413, 4_100_000: 413, 4_100_001: 500}),
        ("webhooks/servicenow", {MIB + 1: 413, 4_100_001: 500}),
    ):
        for size, status in sizes.items():
            answer = await guarded.call("POST", path, content=b" " * size, headers=headers)
            assert answer.status_code == status, f"{size} bytes to {path}: {answer.text}"
            assert bool(answer.content) is (status != 500), "the host's own has no body"


def bombs() -> dict[str, bytes]:
    open_, close = b'{"a":' * 1_500, b"}" * 1_500
    return {
        "deep objects": open_ + b"1" + close,
        "deep arrays": b"[" * 100_000 + b"]" * 100_000,
        "many items": json.dumps({"items": [0] * 340_000}).encode(),
        "many members": json.dumps({str(number): 0 for number in range(80_000)}).encode(),
        "one text": json.dumps({"text": "<" * (MIB - 100)}).encode(),
        "digits": b'{"n":' + b"9" * 500_000 + b"}",
        "escapes": b'{"t":"' + b"\\u0000" * 150_000 + b'"}',
    }


@pytest.mark.parametrize("name", bombs())
async def test_a_bomb_is_refused_by_every_way_in(guarded: Attacked, name: str) -> None:
    content = bombs()[name]
    headers = {"authorization": f"Bearer {await guarded.token()}"}
    for path in ("connected-organizations", "batches", "onboardings/cancel"):
        answer = await guarded.call("POST", path, content=content, headers=headers)
        assert 400 <= answer.status_code < 500, f"{path}: {answer.text}"
    proven = senders.headers("servicenow", content, name)
    path = "webhooks/servicenow"
    answer = await guarded.call("POST", path, content=content, headers=proven, key=False)
    problem(answer, answer.status_code, answer.headers["x-ms-error-code"])
    assert answer.status_code in {400, 422}, answer.text


@pytest.mark.slow
async def test_others_are_answered_beside_bombs(
    guarded: Attacked, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty requests a second for ten seconds: alone, then with a bomb of 1 MiB each second."""

    async def bomb(number: int) -> None:
        await asyncio.sleep(number)
        content = bombs()["many items"]
        headers = senders.headers("servicenow", content, f"bomb-{number}")
        path = "webhooks/servicenow"
        answer = await guarded.call("POST", path, content=content, headers=headers, key=False)
        assert answer.status_code == 400

    alone = await seconds_of_others(guarded)
    beside, _ = await asyncio.gather(
        seconds_of_others(guarded), asyncio.gather(*map(bomb, range(10)))
    )
    with capsys.disabled():
        for name, took in (("alone", alone), ("beside bombs", beside)):
            told = quantiles(took, n=100)
            print(f"\n{name}: median {told[49]:.3f} s, 99th percentile {told[98]:.3f} s")  # noqa: T201


async def seconds_of_others(guarded: Attacked) -> list[float]:
    async def call_once(number: int) -> float:
        await asyncio.sleep(number / 20)
        started = time.monotonic()
        answer = await guarded.ask("GET", "onboardings/x", [Role.READ])
        assert answer.status_code == 404, "each is answered"
        return time.monotonic() - started

    return await asyncio.gather(*map(call_once, range(200)))
