"""The result address, which carries a credential of its own."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.data.tables.aio import TableClient

from connorg.contract.identifiers import split_id
from connorg.contract.storage_names import LEDGER_TABLE
from tests.end_to_end.client import Connorg, Partner, problem

FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def signing(breakable: Connorg) -> Connorg:
    breakable.stack.set_functions({"CONNORG_RESULT_SECRETS": FIRST})
    return breakable


async def poll(connorg: Connorg, address: str) -> httpx.Response:
    """As a poller does: with no key."""
    return await connorg.call("GET", address, key=False)


async def submitted(connorg: Connorg, partner: Partner | None = None) -> httpx.Response:
    return await connorg.submit((partner or Partner()).body())


def refused(answer: httpx.Response) -> None:
    assert "action" not in problem(answer, 401, "Unauthenticated")
    assert answer.json()["detail"] == "The address is not valid."


async def test_a_poller_needs_nothing_but_the_address(signing: Connorg) -> None:
    partner = Partner()
    await signing.graph.fail_creates(partner, "status", status=423)
    answer = await submitted(signing, partner)
    assert answer.status_code == 202
    address = answer.headers["location"]
    waiting = await poll(signing, address)
    assert (waiting.status_code, waiting.headers["location"]) == (202, address)
    await signing.graph.heal()
    onboarding = await signing.ended(answer.json()["id"])
    done = await poll(signing, address)
    assert done.status_code == 200
    assert done.json()["id"] == onboarding["result"]["id"]


async def test_without_the_right_token_nothing_is_told(signing: Connorg) -> None:
    one, other = [(await submitted(signing)).headers["location"] for _ in range(2)]
    address, token = one.split("?token=")
    for wrong in ("", f"?token={token[:-1]}", f"?token={token}A", "?token=%7f.%00"):
        refused(await poll(signing, f"{address}{wrong}"))
    for unreadable in ("?token=", "?token=%ff", f"?token={token}&token={token}"):
        problem(await poll(signing, f"{address}{unreadable}"), 400, "InvalidParameter")
    refused(await poll(signing, f"{address}?token={other.split('=')[1]}"))
    refused(await poll(signing, address.replace("/result", "x/result") + f"?token={token}"))
    refused(await signing.call("GET", address))
    assert (await poll(signing, one)).status_code == 200


async def test_a_token_is_valid_for_a_day_after_the_end(signing: Connorg) -> None:
    answer = await submitted(signing)
    address, onboarding_id = answer.headers["location"], answer.json()["id"]
    await end_before(signing, onboarding_id, timedelta(hours=23))
    assert (await poll(signing, address)).status_code == 200
    await end_before(signing, onboarding_id, timedelta(hours=25))
    refused(await poll(signing, address))


async def end_before(connorg: Connorg, onboarding_id: str, age: timedelta) -> None:
    """Let an onboarding have ended some time ago."""
    ended = (datetime.now(UTC) - age).isoformat()
    await rewrite(connorg, onboarding_id, lastActionDateTime=ended)


async def rewrite(connorg: Connorg, onboarding_id: str, **changes: str | None) -> None:
    partition, row = split_id(onboarding_id)
    async with TableClient.from_connection_string(connorg.stack.storage, LEDGER_TABLE) as table:
        entity = await table.get_entity(partition, f"onboarding-{row}")
        kept = {**json.loads(entity["Onboarding"]), **changes}
        await table.update_entity({**entity, "Onboarding": json.dumps(kept)})


async def address_of_before(connorg: Connorg) -> str:
    """Return the address of an onboarding that a version without keys wrote."""
    partner = Partner()
    answer = await submitted(connorg, partner)
    await rewrite(connorg, answer.json()["id"], resultKey=None)
    return str((await submitted(connorg, partner)).headers["location"])


async def test_no_list_repeats_a_token(signing: Connorg) -> None:
    for _ in range(2):
        answer = await submitted(signing)
    [token] = parse_qs(urlsplit(answer.headers["location"]).query)["token"]
    listed = await signing.call("GET", "onboardings?top=1")
    assert listed.json()["nextLink"]
    refused = await signing.call("GET", f"onboardings?top=1&token={token}")
    assert refused.status_code == 400
    assert token not in listed.text + refused.text


@pytest.mark.slow
async def test_an_onboarding_of_an_earlier_version_keeps_its_rule(signing: Connorg) -> None:
    old = await address_of_before(signing)
    key = (await submitted(signing)).headers["location"].split("=")[1]
    refused(await poll(signing, f"{old.split('=')[0]}={key}"))
    signing.stack.set_functions({"CONNORG_RESULT_SECRETS": f"{SECOND}, {FIRST}"})
    new = await address_of_before(signing)
    assert [(await poll(signing, address)).status_code for address in (old, new)] == [200, 200]
    signing.stack.set_functions({"CONNORG_RESULT_SECRETS": SECOND})
    refused(await poll(signing, old))
    assert (await poll(signing, new)).status_code == 200, "the first one signed"
    signing.stack.set_functions({})
    assert (await poll(signing, old.partition("?")[0])).status_code == 200, "by its id alone"
    assert signing.logged_secrets() == []
