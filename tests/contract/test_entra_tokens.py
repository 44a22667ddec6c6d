"""Bearer tokens of Entra, verified with keys that are fetched over HTTP."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import azure.functions as func
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa

from connorg.contract.effects import Role
from infra.local.authority import Authority, add_authority
from infra.local.tokens import HOME_TENANT_ID
from tests.unit.functions.registered import HTTP_FUNCTIONS
from tests.unit.once_per_process import made_anew

AUDIENCE, OTHER_AUDIENCE = "api://Connorg", "22222222-2222-4222-8222-222222222222"
ADA = "aaaaaaaa-0000-4000-8000-000000000001"
V1 = f"https://sts.windows.net/{HOME_TENANT_ID}/"
V2 = f"https://login.microsoftonline.com/{HOME_TENANT_ID}/v2.0"
ANOTHER = "99999999-9999-4999-8999-999999999999"
LET_IN, UNAUTHENTICATED, FORBIDDEN, UNAVAILABLE = 400, 401, 403, 503


@dataclass
class Entra:
    authority: Authority = field(default_factory=Authority)
    is_away: bool = False
    fetches: int = 0

    def app(self) -> web.Application:
        @web.middleware
        async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
            self.fetches += 1
            answer: web.StreamResponse = await handler(request)
            return web.Response(status=503) if self.is_away else answer

        app = web.Application(middlewares=[watch])
        add_authority(app, self.authority)
        return app

    def token(self, **changes: object) -> str:
        return self.authority.sign(claims(**changes))


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "aud": AUDIENCE,
        "iss": V2,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": HOME_TENANT_ID,
        "oid": ADA,
        "roles": [*Role],
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


@pytest.fixture
async def entra(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Entra]:
    entra = Entra()
    async with TestServer(entra.app()) as server:
        monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", "true")
        monkeypatch.setenv("CONNORG_ENTRA_TENANT", HOME_TENANT_ID)
        monkeypatch.setenv("CONNORG_ENTRA_AUDIENCE", f"{AUDIENCE}, {OTHER_AUDIENCE}")
        monkeypatch.setenv("CONNORG_ENTRA_AUTHORITY", str(server.make_url("")))
        with made_anew():
            yield entra


async def status(authorization: str, **more: str) -> int:
    """Ask for something that a caller who is let in is told to be malformed: 400."""
    headers = {"authorization": authorization, **more}
    url = "http://127.0.0.1/api/x?dryRun=x"
    request = func.HttpRequest("POST", url, headers=headers, body=BODY)
    return int((await HTTP_FUNCTIONS["SubmitOrganization"].call(request)).status_code)


BODY = json.dumps(
    {
        "displayName": "Contoso",
        "description": "A partner",
        "identitySources": [
            {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": "contoso.com"}
        ],
        "state": "configured",
    }
).encode()


@pytest.mark.parametrize("issuer", [V1, V2])
@pytest.mark.parametrize("audience", [AUDIENCE, OTHER_AUDIENCE])
async def test_a_token_of_the_tenant_lets_in_by_its_roles(
    entra: Entra, issuer: str, audience: str
) -> None:
    good = {"iss": issuer, "aud": audience}
    assert await status(f"Bearer {entra.token(**good)}") == LET_IN
    assert await status(f"bearer {entra.token(**good, roles=['Onboarding.Submit'])}") == LET_IN
    for roles in ([], None, ["Onboarding.Read"], "Onboarding.Submit", [["Onboarding.Submit"]]):
        assert await status(f"Bearer {entra.token(**good, roles=roles)}") == FORBIDDEN
    assert entra.fetches == 2, "the metadata and the keys, once"


WRONG: dict[str, list[object]] = {
    "aud": ["api://connorg", "https://graph.microsoft.com", "", [], None, 7],
    "iss": [
        f"https://sts.windows.net/{ANOTHER}/",
        f"https://login.microsoftonline.com/{ANOTHER}/v2.0",
        f"https://login.microsoftonline.us/{HOME_TENANT_ID}/v2.0",
        V1[:-1],
        V2 + "/",
        None,
    ],
    "tid": [ANOTHER, None, ""],
    "oid": [None, 7],
    "exp": [1_000_000_000, None, "soon", 1e400, -1],
    "nbf": [9_000_000_000, None, "soon"],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=str,
)
async def test_a_token_that_says_something_else_lets_nobody_in(
    entra: Entra, name: str, value: object
) -> None:
    assert await status(f"Bearer {entra.token(**{name: value})}") == UNAUTHENTICATED


def unsigned(_: Entra) -> str:
    return jwt.encode(claims(), "", algorithm="none")


def by_the_public_key(entra: Entra) -> str:
    [key] = entra.authority.keys()["keys"]
    secret = base64.urlsafe_b64decode(key["n"] + "==")
    return jwt.encode(claims(), secret, "HS256", {"kid": key["kid"]})


def by_another_key(entra: Entra) -> str:
    [key] = entra.authority.keys()["keys"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims(), other, "RS256", {"kid": key["kid"]})


def by_another_algorithm(entra: Entra) -> str:
    [key] = entra.authority.keys()["keys"]
    return jwt.encode(claims(), entra.authority._signing(), "RS512", {"kid": key["kid"]})  # noqa: SLF001


OTHER = Authority()


def by_an_unknown_key(_: Entra) -> str:
    [own] = OTHER.keys()["keys"]
    return jwt.encode(claims(), OTHER._signing(), "RS256", {"kid": own["kid"][:9]})  # noqa: SLF001


@pytest.mark.parametrize(
    "forge",
    [unsigned, by_the_public_key, by_another_key, by_another_algorithm, by_an_unknown_key],
)
async def test_a_forged_token_lets_nobody_in(entra: Entra, forge: Callable[[Entra], str]) -> None:
    assert await status(f"Bearer {forge(entra)}") == UNAUTHENTICATED
    assert await status(f"Bearer {entra.token()}") == LET_IN


async def test_a_token_signed_otherwise_is_refused_before_any_key_is_asked_for(
    entra: Entra,
) -> None:
    for algorithm, secret in (("HS256", "x" * 64), ("none", "")):
        token = jwt.encode(claims(), secret, algorithm, {"kid": "x"})
        assert await status(f"Bearer {token}") == UNAUTHENTICATED
    assert entra.fetches == 0


async def test_whoever_invents_keys_does_not_have_them_fetched_each_time(entra: Entra) -> None:
    for _ in range(9):
        assert await status(f"Bearer {by_an_unknown_key(entra)}") == UNAUTHENTICATED
    assert entra.fetches == 2 * 3
    assert await status(f"Bearer {entra.token()}") == LET_IN


async def test_mutated_tokens_let_nobody_in_and_break_nothing(entra: Entra) -> None:
    random, good = Random(7), entra.token()
    found = {}
    for _ in range(2000):
        token = mutated(good, random)
        found[await status(f"Bearer {token}")] = token
    assert found.keys() == {UNAUTHENTICATED}, found
    assert await status(f"Bearer {good}") == LET_IN
    assert entra.fetches <= 2 * 4, "however many keys are invented"


def mutated(token: str, random: Random) -> str:
    """Change a token anywhere but in the padding bits of its signature's last character."""
    place = random.randrange(len(token) - 1)
    letter = random.choice("ABCabc019-_.= \u00e9\x00\ud800"[:15])
    changed = random.choice(
        [
            token[:place] + letter + token[place + 1 :],
            token[:place],
            token[:place] + letter + token[place:],
            token[:place] + token[place + 1 :],
        ]
    )
    return changed if changed != token else token[1:]


async def test_new_keys_are_fetched_when_a_token_is_signed_with_one(entra: Entra) -> None:
    old = entra.token()
    assert await status(f"Bearer {old}") == LET_IN
    entra.authority.rotate()
    assert await status(f"Bearer {entra.token()}") == LET_IN
    assert await status(f"Bearer {old}") == UNAUTHENTICATED, "its key is gone"


async def test_without_keys_callers_are_told_to_come_again(entra: Entra) -> None:
    entra.is_away = True
    assert await status(f"Bearer {entra.token()}") == UNAVAILABLE
    entra.is_away = False
    assert await status(f"Bearer {entra.token()}") == LET_IN
    entra.is_away = True
    assert await status(f"Bearer {entra.token()}") == LET_IN, "the keys are known"


async def test_no_header_stands_for_a_token(entra: Entra) -> None:
    principal = {"auth_typ": "aad", "claims": [{"typ": "roles", "val": role} for role in Role]}
    header = base64.b64encode(json.dumps(principal).encode()).decode()
    for authorization in ("", "Bearer", "Bearer ", f"Basic {entra.token()}", entra.token()):
        more = {"x-ms-client-principal": header, "x-ms-client-principal-id": ADA}
        assert await status(authorization, **more) == UNAUTHENTICATED
