"""Who may send webhooks: nobody else learns or leaves anything, and no secret is told."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests import senders
from tests.end_to_end.client import Connorg, Partner, problem
from tests.end_to_end.deliveries import PROFILED, send
from tests.senders import Ticket


async def test_whoever_is_not_proven_learns_nothing(untouched: Connorg) -> None:
    """Wrong, missing, for another source, replayed, or of a source that nobody declared."""
    body = Ticket(Partner().domain).typed()
    proof = senders.headers("servicenow", body, "x")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    old = senders.headers("partner-portal", body, "x", an_hour_ago)
    before = await untouched.footprint()
    answers = [
        await send(untouched, "servicenow", body, "x", {"X-Connorg-Key": "wrong"}),
        await untouched.call("POST", "webhooks/servicenow", content=body, key=False),
        await untouched.call("POST", "webhooks/servicenow", content=body),
        await untouched.call("POST", "webhooks/freshservice", content=body, headers=proof),
        await untouched.call("POST", "webhooks/no-such-source", content=body, headers=proof),
        await untouched.call("POST", "webhooks/a%20b%22forged", content=body, headers=proof),
        await send(untouched, "partner-portal", body, "x", old),
        await send(untouched, "jira", b"not JSON", "x", {"X-Hub-Signature": "sha256=0"}),
    ]
    for answer in answers:
        problem(answer, 401, "Unauthenticated")
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(names(answer)) for answer in answers}) == 1
    assert await untouched.footprint() == before


def names(answer: httpx.Response) -> list[str]:
    return sorted(name for name in answer.headers if name != "date")


@pytest.mark.parametrize("source", [*PROFILED, "signing"])
async def test_no_forgery_passes_over_http(untouched: Connorg, source: str) -> None:
    """Ten thousand for each scheme are tried in tests/unit/webhooks/test_proof.py."""
    body = Ticket(Partner().domain).of(source)
    before = await untouched.footprint()
    for headers, content in forgeries(source, body, 40):
        answer = await untouched.call(
            "POST", f"webhooks/{source}", content=content, headers=headers, key=False
        )
        assert answer.status_code == 401, (headers, content)
    assert await untouched.footprint() == before


def forgeries(source: str, body: bytes, count: int) -> Iterator[tuple[dict[str, str], bytes]]:
    chance = random.Random(source)
    headers = senders.headers(source, body, "forged")
    unsigned = {
        "Idempotency-Key",
        "X-Atlassian-Webhook-Identifier",
        "X-GitHub-Delivery",
        "X-Zendesk-Webhook-Invocation-Id",
    }
    proof = [name for name in headers if name not in unsigned]
    if not {*proof} & {"X-Connorg-Key", "X-Gitlab-Token", "Authorization"}:
        proof.append("body")
    for _ in range(count):
        name = chance.choice(proof)
        text = body.decode() if name == "body" else headers[name]
        at = chance.randrange(len(text))
        digit = chance.choice([c for c in "0123456789abcdefXYZ=+/" if c != text[at]])
        changed = chance.choice([text[:at] + digit + text[at + 1 :], text[:at], text + digit])
        yield (
            (headers, changed.encode())
            if name == "body"
            else (
                {**headers, name: changed},
                body,
            )
        )


@pytest.mark.parametrize("source", ["unset", "unresolved"])
async def test_a_source_without_a_secret_accepts_nobody(untouched: Connorg, source: str) -> None:
    """Not even who guesses the Key Vault reference that the platform could not follow."""
    body = Ticket(Partner().domain).typed()
    before = await untouched.footprint()
    for key in ("", senders.REFERENCE):
        answer = await send(untouched, source, body, "x", {"X-Connorg-Key": key})
        told = problem(answer, 503, "Misconfigured")  # so that the sender sends it again
        assert int(answer.headers["retry-after"]) >= 1
        assert "NOBODY_SET_THIS" not in answer.text
        assert told["detail"] == "The app can't receive webhooks as it is set up."
    assert await untouched.footprint() == before
    await untouched.logged(f"webhook '{source}' can't be received: secrets:")


async def test_no_secret_and_no_signature_is_logged(connorg: Connorg) -> None:
    sent: list[str] = []
    for source in (*PROFILED, "signing"):
        ticket = Ticket(Partner().domain)
        proof = senders.headers(source, ticket.of(source), ticket.delivery)
        sent += [value for name, value in proof.items() if name.lower().endswith("signature")]
        for body in (ticket.of(source), b"forged"):
            await send(connorg, source, body, ticket.delivery, proof)
        await send(connorg, source, b"", "x", {"X-Connorg-Key": "forged"})
    await connorg.logged("webhook jira refused: no secret matches")
    log = connorg.stack.log
    assert len(sent) == len({*sent}) > 4
    assert [value for value in sent if value in log] == []
    assert connorg.logged_secrets() == []
