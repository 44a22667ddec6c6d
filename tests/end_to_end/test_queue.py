"""The queue `onboarding`: what producers put there, what comes back, what can't be understood."""

import base64
import json
from collections.abc import Callable, Mapping

import pytest

from connorg.contract.identifiers import made_at
from connorg.contract.storage_names import POISON_QUEUE
from tests.end_to_end.client import Connorg, Json, Partner, eventually


async def kept_as_failed(connorg: Connorg, before: list[Json]) -> Json:
    """The failed onboarding of a message that was put after `before` was listed."""
    known = {onboarding["id"] for onboarding in before}

    async def new() -> list[Json]:
        failed = await connorg.listed(status="Failed", source="queue")
        return [onboarding for onboarding in failed if onboarding["id"] not in known]

    [onboarding] = await eventually(new, "the message is not kept")
    return onboarding


async def test_a_producers_message_is_onboarded(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.put(partner.body(reference=partner.domain))
    listed = await connorg.only_one_listed(reference=partner.domain)
    onboarding = await connorg.ended(listed["id"])
    [organization] = await connorg.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["source"] == "queue"
    assert onboarding["result"]["id"] == organization["id"]
    assert made_at(onboarding["id"]).microsecond == 0, "when it was put, as the host tells it"


async def test_a_message_leaves_one_line_of_the_audit(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.put(partner.body(reference=partner.domain))
    listed = await connorg.only_one_listed(reference=partner.domain)
    await connorg.ended(listed["id"])
    await connorg.logged(f" of {listed['id']} by ")
    told = [line for line in connorg.stack.log.splitlines() if f" of {listed['id']} by " in line]
    assert len(told) == 1
    assert told[0].endswith(f"audit: connect of {listed['id']} by queue over queue as nobody: 202")


async def test_a_message_put_twice_makes_one_organization(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain)
    for _ in range(3):
        await connorg.put(body)
    listed = await connorg.only_one_listed(reference=partner.domain)
    await connorg.ended(listed["id"])
    await connorg.taken()
    assert len(await connorg.listed(reference=partner.domain)) == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_a_message_with_a_key_is_the_request_of_that_key(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain)
    for _ in range(2):
        await connorg.put({**body, "idempotencyKey": partner.domain})
    listed = await connorg.only_one_listed(reference=partner.domain)
    assert (await connorg.ended(listed["id"]))["status"] == "Succeeded"
    assert len(await connorg.graph.creates(partner)) == 1


async def test_a_key_reused_for_another_message_fails_that_one(connorg: Connorg) -> None:
    first, second = Partner(), Partner()
    key = first.domain
    await connorg.put({**first.body(reference=first.domain), "idempotencyKey": key})
    await connorg.ended((await connorg.only_one_listed(reference=first.domain))["id"])
    await connorg.put({**second.body(reference=second.domain), "idempotencyKey": key})
    onboarding = await connorg.only_one_listed(reference=second.domain)
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["code"] == "IdempotencyKeyReused"
    assert not await connorg.graph.calls(second)


async def test_a_message_that_contradicts_an_onboarding_fails(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.submit(partner.body())
    await connorg.put(partner.body(displayName="Other", reference=partner.domain))
    onboarding = await connorg.only_one_listed(reference=partner.domain)
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["code"] == "IdentitySourceInUse"


def in_base64(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


# By who puts messages so.
FORMS: Mapping[str, Callable[[Json], str]] = {
    "the Queue Service's own tools, in Base64": lambda body: in_base64(json.dumps(body)),
    "az storage message put --content with the JSON itself": json.dumps,
    "a Logic App, which puts the text as it stands": lambda body: json.dumps(body, indent=2),
    "a script of Windows, with its line ends": lambda body: json.dumps(body, indent=2).replace(
        "\n", "\r\n"
    ),
    "base64 without -w0, in lines": lambda body: base64.encodebytes(
        json.dumps(body).encode()
    ).decode(),
    "base64 of a file that Windows marked": lambda body: in_base64(json.dumps(body), "utf-8-sig"),
    "a file that Windows marked, as it stands": lambda body: f"\ufeff{json.dumps(body)}",
    "letters beyond ASCII, as they stand": lambda body: json.dumps(body, ensure_ascii=False),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_message_is_read_in_whatever_form_it_is_put(
    connorg: Connorg, form: Callable[[Json], str]
) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain, displayName=f"Société 東京 {partner.domain}")
    await connorg.put_message(form(body))
    listed = await connorg.only_one_listed(reference=partner.domain)
    assert (await connorg.ended(listed["id"]))["status"] == "Succeeded"
    [organization] = await connorg.graph.organizations(partner)
    assert organization["displayName"] == f"Société 東京 {partner.domain}"


# Put as they stand: what else may go wrong with the form.
BROKEN: Mapping[str, str] = {
    "Base64 that was cut off": in_base64(json.dumps(Partner().body()))[:-5],
    "JSON that was cut off": json.dumps(Partner().body())[:-5],
    "UTF-16 in Base64": in_base64(json.dumps(Partner().body()), "utf-16"),
    "Base64 twice": in_base64(in_base64(json.dumps(Partner().body()))),
    "an expression of a Logic App that gave nothing": "null",
    "a file of partners": json.dumps([Partner().body(), Partner().body()]),
    "a row of a spreadsheet": "contoso.com;Contoso;A partner;configured",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_message_of_a_broken_form_is_kept_with_its_reason(
    connorg: Connorg, text: str
) -> None:
    before = await connorg.listed(status="Failed", source="queue")
    await connorg.put_message(text)
    onboarding = await kept_as_failed(connorg, before)
    assert onboarding["lastError"]["code"] == "MessageUnreadable"
    assert onboarding["lastError"]["action"]
    assert await connorg.messages(POISON_QUEUE) == 0


UNREADABLE: Mapping[str, str | bytes | Json] = {
    "not JSON": "displayName=Contoso",
    "empty": "",
    "thousands of control characters": "\x01" * 9_000,
    "thousands of wide characters": "\N{GRINNING FACE}" * 9_000,
    "an array": "[1, 2]",
    "a lone surrogate": '{"displayName": "\\ud800"}',
    "invalid values": Partner().body(state="approved"),
    "an unknown field": Partner().body(colour="red"),
    "own message without request": {"onboardingId": f"{'0' * 24}-{'0' * 32}", "source": "http"},
    "own message with an id that is none": {
        "onboardingId": "a/b?c",
        "request": Partner().body(),
        "source": "http",
    },
    "own message with an id that is not text": {
        "onboardingId": 7,
        "request": Partner().body(),
        "source": "http",
    },
    "the host's own name": {**Partner().body(), "id": "1", "popReceipt": "x"},
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_message_that_cannot_be_understood_is_kept_as_failed(
    untouched: Connorg, content: str | bytes | Json
) -> None:
    before = await untouched.listed(status="Failed", source="queue")
    calls = len(await untouched.graph.requests())
    await untouched.put(content)
    onboarding = await kept_as_failed(untouched, before)
    assert onboarding["lastError"]["code"] == "MessageUnreadable"
    assert onboarding["lastError"]["message"].startswith("The queue message could not be")
    assert onboarding["attempts"] == 0
    assert len(await untouched.graph.requests()) == calls
    assert await untouched.messages(POISON_QUEUE) == 0


async def test_a_message_that_is_neither_base64_nor_json_is_kept_as_failed(
    connorg: Connorg,
) -> None:
    before = await connorg.listed(status="Failed", source="queue")
    await connorg.put_message("{neither}")
    onboarding = await kept_as_failed(connorg, before)
    assert onboarding["lastError"]["code"] == "MessageUnreadable"
    assert await connorg.messages(POISON_QUEUE) == 0


async def test_a_message_that_is_not_base64_is_read_as_it_stands(connorg: Connorg) -> None:
    """As Python's SDK sends it unless told."""
    partner = Partner()
    await connorg.put_message(json.dumps(partner.body(reference=partner.domain)))
    listed = await connorg.only_one_listed(reference=partner.domain)
    assert (await connorg.ended(listed["id"]))["status"] == "Succeeded"


async def test_a_message_given_up_by_the_host_closes_its_onboarding(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    onboarding_id = await connorg.accepted(partner.body())
    message = {"onboardingId": onboarding_id, "request": partner.body(), "source": "http"}
    await connorg.put(message, POISON_QUEUE)
    onboarding = await connorg.ended(onboarding_id)
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["code"] == "MessagePoisoned"
    assert onboarding["lastError"]["action"]

    await connorg.call("POST", f"onboardings/{onboarding_id}/retry")
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    assert len(await connorg.graph.organizations(partner)) == 1


async def test_a_producers_message_given_up_by_the_host_is_not_lost(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.put(partner.body(reference=partner.domain), POISON_QUEUE)
    onboarding = await connorg.only_one_listed(reference=partner.domain)
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["code"] == "MessagePoisoned"
