"""connorg with exactly the app settings that infra/main.bicep sets, names and values.

A part of what the other files show, in each run. `DEPLOYED_SETTINGS=1 make test` shows all of it.
"""

from collections.abc import AsyncIterator

import pytest

from infra.local.tokens import HOME_TENANT_ID
from tests import senders
from tests.end_to_end.client import Connorg, Partner, problem
from tests.end_to_end.test_entra import principal
from tests.infra.app_settings import on_this_machine
from tests.infra.environments import ENVIRONMENTS
from tests.receivers import SECRET
from tests.stack import Stack

RESULT_SECRET = "of-result-addresses-32-characters"
VAULT = {
    "CONNORG_CALLBACK_SECRETS": SECRET,
    "CONNORG_RESULT_SECRETS": RESULT_SECRET,
    "JIRA_WEBHOOK_SECRET": senders.SECRETS["JIRA_WEBHOOK_SECRET"],
}


@pytest.fixture(scope="module")
async def least() -> AsyncIterator[Connorg]:
    """As it is deployed when nothing is asked for: callers bring keys."""
    with Stack(settings=on_this_machine("least")) as stack:
        async with Connorg(stack) as connorg:
            yield connorg
            assert connorg.logged_secrets() == []


@pytest.fixture(scope="module")
def most(least: Connorg) -> Connorg:
    """As it is deployed with Entra, callbacks, signed result addresses and a sender."""
    settings = on_this_machine("most", VAULT)
    assert set(VAULT) == set(ENVIRONMENTS["most"]["secretSettings"])
    # The platform sets it where its authentication is on.
    least.crash("functions", {**settings, "WEBSITE_AUTH_ENABLED": "true"})
    return least


async def test_it_is_healthy(least: Connorg) -> None:
    assert await least.is_healthy()


async def test_an_organization_is_created_once(least: Connorg) -> None:
    partner = Partner()
    assert (await least.submit(partner.body())).status_code == 201
    assert (await least.submit(partner.body())).status_code == 200
    assert len(await least.graph.organizations(partner)) == 1


async def test_what_graph_throttles_is_done_later(least: Connorg) -> None:
    partner = Partner()
    await least.graph.fail_creates(partner, "throttle", retryAfter=1, times=1)
    onboarding = await least.accepted(partner.body(), prefer="respond-async")
    assert (await least.ended(onboarding))["status"] == "Succeeded"
    assert len(await least.graph.creates(partner)) == 2


async def test_a_message_on_the_queue_is_an_onboarding(least: Connorg) -> None:
    partner = Partner()
    await least.put({**partner.body(), "reference": partner.domain})
    listed = await least.only_one_listed(reference=partner.domain)
    assert (await least.ended(listed["id"]))["status"] == "Succeeded"


async def test_the_own_tenant_is_no_partner(least: Connorg) -> None:
    body = {
        **Partner().body(),
        "identitySources": [
            {
                "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
                "tenantId": HOME_TENANT_ID,
                "displayName": "Home",
            }
        ],
    }
    problem(await least.submit(body), 422, "RefusedByPolicy")


async def test_with_entra_a_key_opens_nothing(most: Connorg) -> None:
    partner = Partner()
    problem(await most.submit(partner.body()), 401, "Unauthenticated")
    answer = await most.submit(partner.body(), **principal("Onboarding.Submit"))
    assert answer.status_code == 201


async def test_with_entra_a_poller_needs_the_token_of_its_address_alone(most: Connorg) -> None:
    answer = await most.submit(Partner().body(), **principal("Onboarding.Submit"))
    address = answer.headers["location"]
    assert (await most.call("GET", address, key=False)).status_code == 200
    bare = address.partition("?")[0]
    problem(await most.call("GET", bare, key=False), 401, "Unauthenticated")


async def test_a_declared_sender_is_known(most: Connorg) -> None:
    answer = await most.call("POST", "webhooks/jira", content=b"{}", key=False)
    problem(answer, 401, "Unauthenticated")  # not proven; 500 where its secret is not there
