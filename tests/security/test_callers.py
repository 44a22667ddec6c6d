"""Who is let in, and to what: forged and mutated proofs, and the table of effects walked whole."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from random import Random
from typing import Any

import httpx
import jwt
import pytest

from connorg.contract.effects import ROLES, Effect, Role
from tests.end_to_end.client import Partner, problem
from tests.security.attacked import ADA, Attacked

SAMPLE, ALL = 200, 10_000
AT_ONCE = 8
SEED = 4711
_LETTERS = "".join(map(chr, range(0x21, 0x7F))) + " \t\xa0\xe9\xff"

type Headers = dict[str, str]


def altered(text: str, chance: Random) -> str:
    """Change a text in one place."""
    at = chance.randrange(len(text))
    letter, here, rest = chance.choice(_LETTERS), text[at], text[at + 1 :]
    return chance.choice(
        [
            text[:at] + letter + rest,
            text[:at] + letter + here + rest,
            text[:at] + rest,
            text[:at],
            text[:at] + here.swapcase() + rest,
            text + letter,
            text[:at] + text[at:] * 2,
        ]
    )


def _part(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def forged_tokens(good: str, chance: Random) -> Iterable[str]:
    """Return tokens that no key of the tenant has signed as they stand."""
    head, claims, signature = good.split(".")
    known = jwt.get_unverified_header(good)
    said = jwt.decode(good, options={"verify_signature": False})
    values = ["none", "HS256", "RS512", "ES256", "", None, 7, [], {}, "x" * 4000, known["kid"]]
    while True:
        match chance.randrange(6):
            case 0:
                # Not in the last character, whose last bits are padding.
                yield f"{altered(good[:-1], chance)}{good[-1]}"
            case 1:
                name = chance.choice(["alg", "kid", "typ", "jku", "jwk", "x5c", "crit", "b64"])
                yield f"{_part({**known, name: chance.choice(values)})}.{claims}.{signature}"
            case 2:
                name = chance.choice([*said, "azp", "scp"])
                changed = {**said, name: chance.choice([*values, 1e308, -1, "2026-01-01"])}
                yield f"{head}.{_part(changed)}.{signature}"
            case 3:
                yield jwt.encode(
                    said, chance.choice(["x" * 32, "x" * 64]), "HS256", {"kid": known["kid"]}
                )
            case 4:
                text = altered(json.dumps(known), chance)
                yield f"{_part(text)}.{claims}.{signature}"
            case _:
                yield ".".join(chance.sample([head, claims, signature, ""], chance.randrange(1, 5)))


def forged_principals(chance: Random) -> Iterable[Headers]:
    """Return the headers that App Service would write, where there is none."""
    while True:
        role_type = chance.choice(["roles", "role", "http://schemas.microsoft.com/role"])
        claims = [{"typ": role_type, "val": role} for role in Role]
        content = {"auth_typ": chance.choice(["aad", "AAD", "github", None]), "claims": claims}
        text = json.dumps({**content, "role_typ": role_type})
        if chance.randrange(3) == 0:
            text = altered(text, chance)
        encoded = base64.b64encode(text.encode("latin-1", "replace")).decode()
        header = altered(encoded, chance) if chance.randrange(3) == 0 else encoded
        name = chance.choice(["x-ms-client-principal", "X-MS-CLIENT-PRINCIPAL"])
        more = {"x-ms-client-principal-id": ADA, "x-ms-client-principal-idp": "aad"}
        yield {name: header, **(more if chance.randrange(2) else {})}


async def counted(attacked: Attacked, forged: Iterable[Headers]) -> Counter[int]:
    """Call with each of the headers. Return how often each status was answered."""
    found: Counter[int] = Counter()
    left = iter(forged)

    async def call_one_after_the_other(http: httpx.AsyncClient) -> None:
        for headers in left:
            sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            try:
                answer = await http.get("/api/onboardings?top=1", headers=sent)
            except httpx.LocalProtocolError:
                found[0] += 1  # what no client sends
            else:
                found[answer.status_code] += 1

    async with httpx.AsyncClient(base_url=attacked.stack.functions, timeout=60) as http:
        await asyncio.gather(*(call_one_after_the_other(http) for _ in range(AT_ONCE)))
    return found


async def nobody_is_let_in(attacked: Attacked, count: int) -> None:
    good = await attacked.token()
    assert (await attacked.ask("GET", "onboardings?top=1", [Role.READ])).status_code == 200
    chance = Random(SEED)
    tokens = (
        {"authorization": f"Bearer {token}"}
        for token in forged_tokens(good, chance)
        if token.strip() != good
    )
    for forged in (tokens, forged_principals(chance)):
        found = await counted(attacked, islice(forged, count // 2))
        assert found[401] > count // 4
        assert found.keys() <= {0, 400, 401, 431}, f"{found} of seed {SEED}"
    assert (await attacked.ask("GET", "onboardings?top=1", [Role.READ])).status_code == 200


async def test_a_sample_of_forged_proofs_lets_nobody_in(guarded: Attacked) -> None:
    await nobody_is_let_in(guarded, SAMPLE)


@pytest.mark.slow
async def test_ten_thousand_forged_proofs_let_nobody_in(guarded: Attacked) -> None:
    await nobody_is_let_in(guarded, ALL)


# The table of effects


@pytest.fixture
async def standing(guarded: Attacked) -> dict[str, str]:
    """An organization that stands, by its id and its domain."""
    partner = Partner()
    answer = await guarded.ask("POST", "connected-organizations", [*Role], partner.body())
    assert answer.status_code == 201, answer.text
    return {"id": answer.json()["result"]["id"], "domain": partner.domain}


def call_of(effect: Effect, standing: dict[str, str]) -> list[tuple[str, str, Any]]:
    """Return calls that come to the effect, if they are let through."""
    old = f"connected-organizations/{standing['id']}"
    known = Partner(standing["domain"])
    new = "connected-organizations"
    failed = f"onboardings/{'0' * 24}-{'0' * 32}"
    calls: dict[Effect, list[tuple[str, str, Any]]] = {
        Effect.PROPOSE: [("POST", new, Partner().body(state="proposed"))],
        Effect.CONNECT: [
            ("POST", new, Partner().body()),
            ("POST", "batches", [Partner().body()]),
        ],
        Effect.CHANGE: [
            ("PATCH", old, {"description": "Changed"}),
            ("POST", new, known.body(ifExists="update", description="Changed too")),
            ("POST", "batches", [known.body(ifExists="update", description="By a file")]),
        ],
        Effect.SPONSOR: [
            ("POST", f"{old}/internalSponsors", {"sponsor": "nobody@h.test"}),
            ("DELETE", f"{old}/internalSponsors/nobody@h.test", None),
            ("POST", new, known.body(ifExists="update", internalSponsors=["nobody@h.test"])),
        ],
        Effect.REPLAY: [
            ("POST", f"{failed}/retry", None),
            ("POST", "onboardings/retry?reference=none", None),
        ],
        Effect.CANCEL: [
            ("DELETE", failed, None),
            ("POST", "onboardings/cancel?reference=none", None),
        ],
        Effect.FORGET: [("POST", "onboardings/forget?dryRun=true", {"domain": "none.example"})],
        Effect.DELETE: [("DELETE", f"{old}?displayName=Another", None)],
    }
    return calls[effect]


async def test_each_role_has_the_effects_of_the_table_and_no_other(
    guarded: Attacked, standing: dict[str, str]
) -> None:
    walked = 0
    for effect in Effect:
        for method, path, body in call_of(effect, standing):
            needed = {ROLES[effect]}
            if path in {"connected-organizations", "batches"}:
                needed.add(Role.SUBMIT)  # the route's own
            for roles in [*([role] for role in Role), [], [*needed]]:
                if roles == [*needed] or method != "POST" or not needed <= {*roles}:
                    answer = await guarded.ask(method, path, roles, body)
                    is_allowed = needed <= {*roles}
                    assert (answer.status_code == 403) is not is_allowed, (
                        f"{effect} by {method} {path} as {roles}: {answer.text}"
                    )
                    assert answer.status_code < 500, answer.text
                    walked += 1
    assert walked >= 80


async def test_a_refused_effect_leaves_the_organization_as_it_was(
    guarded: Attacked, standing: dict[str, str]
) -> None:
    before = await guarded.graph.organization(standing["id"])
    sent = await guarded.graph.requests(standing["id"])
    for effect in (Effect.CHANGE, Effect.SPONSOR, Effect.DELETE):
        for method, path, body in call_of(effect, standing):
            answer = await guarded.ask(method, path, [Role.SUBMIT, Role.READ], body)
            problem(answer, 403, "Forbidden")
    assert await guarded.graph.organization(standing["id"]) == before
    assert await guarded.graph.requests(standing["id"]) == sent, "Graph was not asked"


async def test_no_header_names_another_caller_or_another_host(guarded: Attacked) -> None:
    key = {"idempotency-key": Partner().domain}
    hostile = {
        **key,
        "x-ms-client-principal-id": "webhook:servicenow",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "javascript",
        "prefer": "respond-async",
    }
    path = "connected-organizations"
    answer = await guarded.ask("POST", path, [Role.SUBMIT], Partner().body(), hostile)
    assert answer.status_code == 202, answer.text
    for name in ("location", "operation-location"):
        assert answer.headers[name].startswith(guarded.stack.functions)
    again = await guarded.ask("POST", path, [Role.SUBMIT], Partner().body(), key)
    problem(again, 422, "IdempotencyKeyReused")


async def test_a_byte_that_is_no_text_in_a_header_is_no_500(guarded: Attacked) -> None:
    host, _, port = guarded.stack.functions.removeprefix("http://").partition(":")
    token = (await guarded.token()).encode()
    found = Counter[bytes]()
    for name in (b"Prefer", b"Idempotency-Key", b"traceparent", b"If-Match", b"X-Forwarded-Host"):
        for value in (b"\xff", b"wait=\xff", b"\xc3\x28", b"\xed\xa0\x80"):
            reader, writer = await asyncio.open_connection(host, int(port))
            head = b"GET /api/onboardings?top=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
            head += b"Authorization: Bearer " + token + b"\r\n" + name + b": " + value
            writer.write(head + b"\r\n\r\n")
            status = (await reader.readline()).split(b" ")[1]
            found[status] += 1
            writer.close()
    assert not [status for status in found if status.startswith(b"5")], found
