"""An app that is set to take Entra callers alone, behind App Service authentication."""

import base64
import json
from uuid import uuid4

import httpx
import pytest

from tests.end_to_end.client import Connorg, Partner, problem
from tests.end_to_end.deliveries import deliver
from tests.end_to_end.test_logic_apps import Client
from tests.senders import Ticket

BEHIND_ENTRA = {"CONNORG_REQUIRE_ENTRA": "true", "WEBSITE_AUTH_ENABLED": "true"}


@pytest.fixture
def guarded(breakable: Connorg) -> Connorg:
    breakable.stack.set_functions(BEHIND_ENTRA)
    return breakable


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
    ],
    ids=["no role", "another role", "almost the role"],
)
async def test_a_caller_without_the_role_is_refused(
    guarded: Connorg, header: dict[str, str]
) -> None:
    partner = Partner()
    told = problem(await guarded.submit(partner.body(), **header), 403, "Forbidden")
    assert "Onboarding.Submit" in told["detail"]
    assert not await guarded.graph.calls(partner)


async def submit_without_key(guarded: Connorg, partner: Partner, *roles: str) -> httpx.Response:
    """As a managed identity calls: it has a token, which App Service checks, and no key."""
    headers = {"x-ms-client-principal": principal(*roles)["x_ms_client_principal"]}
    content = json.dumps(partner.body()).encode()
    return await guarded.call(
        "POST", "connected-organizations", content=content, headers=headers, key=False
    )


async def test_a_caller_with_the_role_is_served_and_needs_no_key(guarded: Connorg) -> None:
    answer = await submit_without_key(guarded, Partner(), "Onboarding.Submit")
    assert answer.status_code == 201
    address = answer.headers["location"]
    assert (await guarded.call("GET", address, key=False)).status_code == 200, "pollers have none"
    assert (await guarded.call("GET", "health", key=False)).status_code == 200


async def test_without_key_and_role_nothing_is_done(guarded: Connorg) -> None:
    partner = Partner()
    problem(await submit_without_key(guarded, partner), 403, "Forbidden")
    answer = await guarded.call("DELETE", "connected-organizations/x", key=False)
    problem(answer, 401, "Unauthenticated")
    assert not await guarded.graph.calls(partner)


async def test_a_delete_needs_its_role_and_no_master_key(guarded: Connorg) -> None:
    created = await submit_without_key(guarded, Partner(), "Onboarding.Submit")
    organization = created.json()["result"]
    path = f"connected-organizations/{organization['id']}?displayName={organization['displayName']}"
    for role, status in (("Onboarding.Manage", 403), ("Onboarding.Delete", 204)):
        headers = {"x-ms-client-principal": principal(role)["x_ms_client_principal"]}
        answer = await guarded.call("DELETE", path, headers=headers, key=False)
        assert answer.status_code == status, answer.text


async def test_idempotency_keys_of_two_callers_are_two_keys(guarded: Connorg) -> None:
    key = Partner().domain
    for caller in (str(uuid4()), str(uuid4())):
        answer = await guarded.submit(
            Partner().body(),
            idempotency_key=key,
            x_ms_client_principal_id=caller,
            **principal("Onboarding.Submit"),
        )
        assert answer.status_code == 201


async def test_a_logic_apps_identity_needs_its_role_and_no_key(guarded: Connorg) -> None:
    for roles, status in ((["Onboarding.Submit"], 200), ([], 403)):
        # What App Service makes of the token that the authentication adds to the call.
        signed_in = principal(*roles)["x_ms_client_principal"]
        logic_app = Client(guarded, {"x-ms-client-principal": signed_in})
        assert (await logic_app.onboard(Partner())).status_code == status


async def test_webhooks_need_no_entra_sign_in(guarded: Connorg) -> None:
    answer = await deliver(guarded, "zendesk", Ticket(Partner().domain))
    assert answer.status_code == 202


async def test_another_setting_that_is_wrong_is_a_problem_and_no_way_in(breakable: Connorg) -> None:
    wrong = {"CONNORG_REQUIRE_ENTRA": "true", "CONNORG_GIVE_UP_HOURS": "a day"}
    breakable.stack.set_functions(wrong)
    partner = Partner()
    answer = await submit_without_key(breakable, partner, "Onboarding.Submit")
    assert "CONNORG_GIVE_UP_HOURS" in problem(answer, 500, "Misconfigured")["detail"]
    assert not await breakable.graph.calls(partner)


async def test_a_wrong_value_of_the_setting_itself_leaves_the_keys_in_place(
    breakable: Connorg,
) -> None:
    breakable.stack.set_functions({"CONNORG_REQUIRE_ENTRA": "yes, please"})
    answer = await submit_without_key(breakable, Partner(), "Onboarding.Submit")
    assert answer.status_code == 401
    assert not answer.content, "the host's own answer"
    answer = await breakable.submit(Partner().body())
    assert "CONNORG_REQUIRE_ENTRA" in problem(answer, 500, "Misconfigured")["detail"]
