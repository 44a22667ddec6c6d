"""An app that is set to take Entra callers alone, behind App Service authentication."""

import base64
import json
from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.client import Connorg, Partner, problem
from tests.end_to_end.conftest import SHORT


@pytest.fixture(scope="module")
async def guarded(frail: Connorg) -> AsyncIterator[Connorg]:
    frail.crash("functions", {"CONNORG_REQUIRE_ENTRA": "true"})
    yield frail
    frail.crash("functions", SHORT)


def principal(*roles: str) -> dict[str, str]:
    """The header that App Service sets for a caller who signed in."""
    claims = [{"typ": "roles", "val": role} for role in roles]
    content = {"auth_typ": "aad", "claims": claims, "role_typ": "roles"}
    return {"x_ms_client_principal": base64.b64encode(json.dumps(content).encode()).decode()}


async def test_a_caller_without_principal_is_refused_even_with_the_key(guarded: Connorg) -> None:
    partner = Partner()
    problem(await guarded.submit(partner.body()), 401, "Unauthenticated")
    for path in ("onboardings", "onboardings/x"):
        problem(await guarded.call("GET", path), 401, "Unauthenticated")
    assert not await guarded.graph.calls(partner)


@pytest.mark.parametrize(
    "header",
    [
        principal(),
        principal("Onboarding.Read"),
        principal("onboarding.submit "),
        {"x_ms_client_principal": "no Base64"},
        {"x_ms_client_principal": base64.b64encode(b'{"claims": 7}').decode()},
    ],
    ids=["no role", "another role", "almost the role", "not Base64", "no claims"],
)
async def test_a_caller_without_the_role_is_refused(
    guarded: Connorg, header: dict[str, str]
) -> None:
    partner = Partner()
    told = problem(await guarded.submit(partner.body(), **header), 403, "Forbidden")
    assert "Onboarding.Submit" in told["detail"]
    assert not await guarded.graph.calls(partner)


async def test_a_caller_with_the_role_is_served(guarded: Connorg) -> None:
    partner = Partner()
    answer = await guarded.submit(partner.body(), **principal("Onboarding.Submit"))
    assert answer.status_code == 201
    address = answer.headers["location"]
    assert (await guarded.call("GET", address, key=False)).status_code == 200, "pollers have none"
    assert (await guarded.call("GET", "health", key=False)).status_code == 200


async def test_idempotency_keys_of_two_callers_are_two_keys(guarded: Connorg) -> None:
    key = Partner().domain
    for caller in ("ada", "bob"):
        answer = await guarded.submit(
            Partner().body(),
            idempotency_key=key,
            x_ms_client_principal_id=caller,
            **principal("Onboarding.Submit"),
        )
        assert answer.status_code == 201
