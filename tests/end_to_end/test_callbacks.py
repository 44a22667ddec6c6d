"""Callbacks: whoever asks is told once how it ended, whatever fails on the way."""

import json
import os
import re
import signal
from collections.abc import AsyncIterator

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connorg.contract.storage_names import CALLBACK_POISON_QUEUE, CALLBACK_QUEUE
from infra.local.child import ROOT
from tests import receivers
from tests.end_to_end.client import Connorg, Partner, eventually, problem
from tests.end_to_end.deliveries import send
from tests.receivers import Call, Receiver, receiving
from tests.senders import Ticket


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def is_called(receiver: Receiver, name: str, times: int = 1) -> Call:
    """Wait until it is called so many times, and give the last call."""

    async def calls() -> list[Call] | None:
        called = receiver.called(name)
        return called if len(called) >= times else None

    return (await eventually(calls, f"{name} is not called {times} times"))[-1]


async def no_callback_is_left(connorg: Connorg) -> None:
    async def is_empty() -> bool:
        return await connorg.messages(CALLBACK_QUEUE) == 0

    await eventually(is_empty, "callbacks are left on the queue")


async def test_a_created_organization_is_told_signed_by_both_secrets(
    connorg: Connorg, receiver: Receiver
) -> None:
    partner = Partner()
    answer = await connorg.submit(partner.body(callbackUrl=receiver.address("created")))
    assert answer.status_code == 201
    assert "callbackUrl" not in answer.text
    call = await is_called(receiver, "created")
    onboarding = await connorg.onboarding(answer.json()["id"])
    del onboarding["history"]
    assert call.told == onboarding
    assert call.headers["content-type"] == "application/json"
    for secret in (receivers.SECRET, receivers.OLDER_SECRET):
        assert Webhook(secret).verify(call.body, call.headers) == call.told
    await no_callback_is_left(connorg)
    assert len(receiver.calls) == 1


async def test_the_page_s_snippet_verifies_a_callback(connorg: Connorg, receiver: Receiver) -> None:
    page = (ROOT / "docs/callbacks.md").read_text()
    [snippet] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    await connorg.submit(Partner().body(callbackUrl=receiver.address("snippet")))
    call = await is_called(receiver, "snippet")
    names = {"secret": receivers.SECRET, "body": call.body, "headers": call.headers}
    exec(snippet, names)
    assert names["onboarding"] == call.told
    with pytest.raises(WebhookVerificationError):
        exec(snippet, {**names, "body": call.body.replace(b"Succeeded", b"Failed")})


async def test_a_request_that_waits_is_told_when_it_is_done(
    connorg: Connorg, receiver: Receiver
) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, retryAfter=1, times=1)
    await connorg.accepted(partner.body(callbackUrl=receiver.address("waits")))
    assert (await is_called(receiver, "waits")).told["status"] == "Succeeded"


async def test_a_failed_onboarding_is_told(connorg: Connorg, receiver: Receiver) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400)
    body = partner.body(callbackUrl=receiver.address("failed"))
    await connorg.accepted(body, prefer="respond-async")
    told = (await is_called(receiver, "failed")).told
    assert (told["status"], told["lastError"]["code"]) == ("Failed", "RefusedByGraph")


async def test_a_canceled_onboarding_is_told(connorg: Connorg, receiver: Receiver) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, retryAfter=3)
    body = partner.body(callbackUrl=receiver.address("canceled"))
    onboarding_id = await connorg.accepted(body)
    answer = await connorg.call("DELETE", f"onboardings/{onboarding_id}")
    assert answer.status_code == 200, answer.text
    assert (await is_called(receiver, "canceled")).told["status"] == "Canceled"


async def test_who_is_told_at_once_that_it_failed_is_not_called(
    connorg: Connorg, receiver: Receiver
) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400)
    answer = await connorg.submit(partner.body(callbackUrl=receiver.address("told")))
    problem(answer, 422, "RefusedByGraph")
    body = Partner().body(callbackUrl=receiver.address("dry"))
    dry = await connorg.call(
        "POST", "connected-organizations?dryRun=true", content=json.dumps(body).encode()
    )
    assert dry.status_code == 200, dry.text
    await connorg.submit(Partner().body(callbackUrl=receiver.address("later")))
    await is_called(receiver, "later")
    await no_callback_is_left(connorg)
    assert len(receiver.calls) == 1


# Of two messages for one address at once, one waits until the other's lease has ended: 30 seconds.
@pytest.mark.parametrize(
    "asking",
    [("first", "second"), pytest.param(("first", "second", "second"), marks=pytest.mark.slow)],
)
async def test_requests_for_one_partner_are_told_each_at_its_own_address(
    connorg: Connorg, receiver: Receiver, asking: tuple[str, ...]
) -> None:
    """Another address alone is no other request: neither by the partner nor by the key."""
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, retryAfter=3, times=1)
    key = partner.domain
    ids = [
        await connorg.accepted(
            partner.body(callbackUrl=receiver.address(name)), idempotency_key=key
        )
        for name in asking
    ]
    calls = [await is_called(receiver, name) for name in ("first", "second")]
    for name in ("second", "late"):
        late = await connorg.submit(partner.body(callbackUrl=receiver.address(name)))
        assert late.status_code == 200
    calls.append(await is_called(receiver, "late"))
    assert {call.told["id"] for call in calls} == {late.json()["id"], *ids}
    assert len({call.headers["webhook-id"] for call in calls}) == 3
    await no_callback_is_left(connorg)
    assert len(receiver.calls) == 3


async def test_a_receiver_that_fails_four_times_is_told_the_fifth_time(connorg: Connorg) -> None:
    async with receiving(500, 404, 429, 302) as receiver:
        answer = await connorg.submit(Partner().body(callbackUrl=receiver.address("fails")))
        await is_called(receiver, "fails", times=5)
        await no_callback_is_left(connorg)
        assert len(receiver.calls) == 5, "and is not led elsewhere by the redirect"
        assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
        assert receiver.calls[-1].told["id"] == answer.json()["id"]


async def test_a_receiver_that_is_gone_is_left_alone(connorg: Connorg) -> None:
    partner = Partner()
    async with receiving(410) as receiver:
        body = partner.body(callbackUrl=receiver.address("gone"))
        await connorg.submit(body)
        await is_called(receiver, "gone")
        await no_callback_is_left(connorg)
        assert (await connorg.submit(body)).status_code == 200
        await no_callback_is_left(connorg)
        assert len(receiver.calls) == 1


async def test_a_request_from_the_queue_is_told(connorg: Connorg, receiver: Receiver) -> None:
    partner = Partner()
    await connorg.put(partner.body(callbackUrl=receiver.address("queue")))
    told = (await is_called(receiver, "queue")).told
    assert (told["status"], told["source"]) == ("Succeeded", "queue")
    other = partner.body(displayName="Other", callbackUrl=receiver.address("contradicts"))
    await connorg.put(other)
    told = (await is_called(receiver, "contradicts")).told
    assert (told["status"], told["lastError"]["code"]) == ("Failed", "IdentitySourceInUse")


async def test_a_message_with_an_address_that_may_not_be_called_fails(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain, callbackUrl="https://evil.example/take-me")
    await connorg.put(body)
    kept = await connorg.only_one_listed(reference=partner.domain)
    assert (kept["status"], kept["lastError"]["code"]) == ("Failed", "RefusedByPolicy")
    assert not await connorg.graph.calls(partner)


async def test_a_webhook_is_told(connorg: Connorg, receiver: Receiver) -> None:
    ticket = Ticket(Partner().domain)
    body = ticket.typed(callback=receiver.address("webhook"))
    connorg.callback_addresses.add(receiver.address("webhook"))
    answer = await send(connorg, "calling-back", body, ticket.delivery)
    assert answer.status_code == 202, answer.text
    told = (await is_called(receiver, "webhook")).told
    assert (told["status"], told["reference"]) == ("Succeeded", ticket.number)


@pytest.mark.parametrize(
    "address",
    [
        "http://prod-1.logic.azure.com/a-secret",
        "https://evil.example/a-secret",
        "https://127.0.0.1@evil.example/a-secret",
        "https://169.254.169.254/metadata/a-secret",
        "https://127.0.0.1/a-secret#fragment",
        "ftp://127.0.0.1/a-secret",
    ],
)
async def test_an_address_that_may_not_be_called_is_refused_and_not_repeated(
    connorg: Connorg, address: str
) -> None:
    answer = await connorg.submit(Partner().body(callbackUrl=address))
    [fault] = problem(answer, 422, "RefusedByPolicy")["errors"]
    assert (fault["pointer"], fault["rule"]) == ("/callbackUrl", "callback")
    assert "secret" not in answer.text.replace("CONNORG_CALLBACK_SECRETS", "")


async def test_a_callback_that_the_host_gave_up_ends(connorg: Connorg, receiver: Receiver) -> None:
    answer = await connorg.submit(Partner().body())
    message = {
        "onboardingId": answer.json()["id"],
        "callbackUrl": receiver.address("poisoned"),
        "askedDateTime": "2026-11-02T09:30:00Z",
    }
    await connorg.put(message, CALLBACK_POISON_QUEUE)
    await connorg.put("not JSON", CALLBACK_QUEUE)
    await connorg.logged("was poisoned")
    await connorg.logged("could not be under")
    await connorg.put(message, CALLBACK_QUEUE)
    await no_callback_is_left(connorg)
    assert not receiver.calls


async def test_nothing_is_logged_that_could_be_called(connorg: Connorg) -> None:
    async with receiving(500) as receiver:
        await connorg.submit(Partner().body(callbackUrl=receiver.address("logged")))
        await is_called(receiver, "logged", times=2)
    await connorg.logged("again later")
    assert connorg.logged_secrets() == []


@pytest.mark.slow  # it waits for the end of the lease, half a minute
async def test_a_process_that_dies_between_the_end_and_the_call_loses_nothing(
    frail: Connorg,
) -> None:
    partner = Partner()
    async with receiving(*[500] * 3) as failing:
        await frail.submit(partner.body(callbackUrl=failing.address("killed")))
        await is_called(failing, "killed")
        os.kill(frail.stack.pids["functions"], signal.SIGSTOP)
        frail.crash("functions")
        call = await is_called(failing, "killed", times=4)
    assert call.told["status"] == "Succeeded"
