"""The local managed identity endpoint gives what the production credential code asks for."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from infra.local import tokens
from infra.local.identity import DEFAULT_ROLES, Identity, create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH

RESOURCE = "https://graph.example"
QUERY = {"resource": RESOURCE, "api-version": "2019-08-01"}
HEADERS = {"X-IDENTITY-HEADER": LOCAL_IDENTITY_HEADER}


@pytest.fixture
async def endpoint() -> AsyncIterator[str]:
    async with TestServer(create_app()) as server:
        yield str(server.make_url(TOKEN_PATH))


async def test_the_production_credential_gets_a_token_for_the_resource_it_names(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token(f"{RESOURCE}/.default")
    claims = tokens.verify(token.token, {RESOURCE})
    assert claims["roles"] == list(DEFAULT_ROLES)
    assert claims["exp"] == token.expires_on
    assert token.expires_on > time.time()


async def test_the_production_credential_reports_a_wrong_header(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    async with ManagedIdentityCredential() as credential:
        with pytest.raises(ClientAuthenticationError):
            await credential.get_token(f"{RESOURCE}/.default")


async def test_a_user_assigned_identity_is_named_by_its_client_id(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
    client_id = "44444444-4444-4444-8444-444444444444"
    async with ManagedIdentityCredential(client_id=client_id) as credential:
        token = await credential.get_token(f"{RESOURCE}/.default")
    assert tokens.verify(token.token, {RESOURCE})["appid"] == client_id


async def test_the_answer_has_the_form_of_app_service(endpoint: str) -> None:
    status, body = await _get(endpoint, QUERY, HEADERS)
    assert status == 200
    assert set(body) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert body["resource"] == RESOURCE
    assert body["token_type"] == "Bearer"
    assert int(body["expires_on"]) > time.time()


@pytest.mark.parametrize("headers", [{}, {"X-IDENTITY-HEADER": "wrong"}])
async def test_a_caller_without_the_header_is_turned_away(
    endpoint: str, headers: dict[str, str]
) -> None:
    status, body = await _get(endpoint, QUERY, headers)
    assert status == 401
    assert body["statusCode"] == 401
    assert "X-IDENTITY-HEADER" in body["message"]


@pytest.mark.parametrize("missing", ["resource", "api-version"])
async def test_a_request_without_a_parameter_is_refused(endpoint: str, missing: str) -> None:
    query = {name: value for name, value in QUERY.items() if name != missing}
    status, body = await _get(endpoint, query, HEADERS)
    assert (status, body["statusCode"]) == (400, 400)
    assert missing in body["message"]


async def test_roles_and_header_are_the_starters_choice() -> None:
    identity = Identity(header="other", roles=["EntitlementManagement.Read.All"])
    async with TestServer(create_app(identity)) as server:
        endpoint = str(server.make_url(TOKEN_PATH))
        status, body = await _get(endpoint, QUERY, {"X-IDENTITY-HEADER": "other"})
    assert status == 200
    claims = tokens.verify(body["access_token"], {RESOURCE})
    assert claims["roles"] == ["EntitlementManagement.Read.All"]


def test_a_token_for_somebody_else_is_not_trusted() -> None:
    token = tokens.sign({"aud": RESOURCE, "exp": time.time() + 60})
    with pytest.raises(tokens.TokenError, match="audience"):
        tokens.verify(token, {"https://other.example"})


def test_an_expired_token_is_not_trusted() -> None:
    token = tokens.sign({"aud": RESOURCE, "exp": time.time() - 1})
    with pytest.raises(tokens.TokenError, match="expired"):
        tokens.verify(token, {RESOURCE})


def test_a_changed_token_is_not_trusted() -> None:
    header, payload, signature = tokens.sign({"aud": RESOURCE, "exp": 1}).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = json.dumps(claims | {"exp": time.time() + 60}).encode()
    payload = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    with pytest.raises(tokens.TokenError, match="signature"):
        tokens.verify(f"{header}.{payload}.{signature}", {RESOURCE})


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "ünsigned"])
def test_what_is_no_token_is_not_trusted(text: str) -> None:
    with pytest.raises(tokens.TokenError):
        tokens.verify(text, {RESOURCE})


async def _get(
    url: str, query: dict[str, str], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params=query, headers=headers) as response,
    ):
        return response.status, await response.json()
