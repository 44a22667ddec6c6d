"""What no caller calls: each function that a queue or a timer triggers does its part in storage.

The functions are those that function_app.py registers, on Azurite. Nobody gives them a token, so
what they would do at Graph waits.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from runpy import run_path
from typing import Any
from uuid import uuid4

import azure.functions as func
import pytest

from connorg import settings, wiring
from connorg.contract import storage_names
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import new_batch_id, new_onboarding_id
from connorg.contract.messages import BatchMessage, CallbackMessage, ProducerMessage
from connorg.contract.model import Model
from connorg.contract.onboarding import Onboarding, Status
from connorg.core.onboarding.records import message_of
from connorg.core.ports import OnboardingFilter
from connorg.functions.timers.observe import observe
from connorg.functions.timers.purge import EVERY_NIGHT
from connorg.telemetry import names
from infra.local.child import ROOT
from tests.metrics import Metrics
from tests.unit.partners import body, domain_source, request

TIMER: Any = None  # no function looks at it
ADDRESS = "https://nobody.example/"
LONG_AGO = timedelta(days=400)


@pytest.fixture(autouse=True, scope="module")
def _app(storage: str) -> Iterator[None]:
    """The app's settings, and nothing that was made of others."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AzureWebJobsStorage", storage)
        environment.setenv("CONNORG_CREDENTIAL", "azure_cli")
        environment.setenv("PATH", "")  # where the Azure CLI is not found
        _forget()
        yield
    _forget()


def _forget() -> None:
    for module in (settings, wiring):
        for made in vars(module).values():
            getattr(made, "cache_clear", lambda: None)()


@cache
def _triggers() -> dict[str, Any]:
    """Each function of function_app.py by its queue or schedule. An app gives them once."""
    app = run_path(str(ROOT / "function_app.py"))["app"]
    triggers = [(function.get_trigger(), function) for function in app.get_functions()]
    return {
        getattr(trigger, "queue_name", None) or trigger.schedule: function.get_user_function()
        for trigger, function in triggers
        if hasattr(trigger, "queue_name") or hasattr(trigger, "schedule")
    }


async def delivered(queue: str, message: Model) -> None:
    text = message.model_dump_json(exclude_none=True).encode()
    await _triggers()[queue](func.QueueMessage(id="id", body=base64.b64encode(text)))


async def length(queue: str) -> int:
    return (await wiring.message_queue(queue).backlog()).messages


async def opened(ago: timedelta = timedelta(0)) -> Onboarding:
    now = datetime.now(UTC) - ago
    asked = request(domain_source(f"{uuid4().hex}.example"))
    answer = await wiring.services().ledger.open(
        Onboarding(
            id=new_onboarding_id(asked.natural_key, now, Random()),
            status=Status.NOT_STARTED,
            channel="http",
            request=asked,
            created_date_time=now,
            last_action_date_time=now,
            give_up_date_time=now + timedelta(days=1),
        )
    )
    assert isinstance(answer, Onboarding)
    return answer


async def ended(ago: timedelta = timedelta(0)) -> Onboarding:
    held = await opened(ago)
    canceled = held.model_copy(update={"status": Status.CANCELED})
    return await wiring.services().ledger.save(canceled)


async def written(ago: timedelta = timedelta(0)) -> Batch:
    now = datetime.now(UTC) - ago
    batch = Batch(id=new_batch_id(now, Random()), created_date_time=now)
    name = f"{uuid4().hex}.example"
    row = BatchRow(batch_id=batch.id, number=1, name=name, request=request(domain_source(name)))
    await wiring.services().batches.write(batch, [row])
    return batch


async def held(onboarding: Onboarding) -> Onboarding | None:
    return await wiring.services().ledger.read(onboarding.id)


def test_each_queue_triggers_a_function_and_one_runs_at_night() -> None:
    assert _triggers().keys() == {*storage_names.QUEUES, EVERY_NIGHT}


async def test_a_producer_s_message_is_onboarded() -> None:
    reference = uuid4().hex
    asked = body(domain_source(f"{reference}.example"), reference=reference)
    before = await length(storage_names.ONBOARDING_QUEUE)
    await delivered(storage_names.ONBOARDING_QUEUE, ProducerMessage.model_validate(asked))
    which = OnboardingFilter(reference=reference)
    [found] = (await wiring.services().ledger.list(which, 9, None)).onboardings
    assert found.last_error is not None
    assert (found.status, found.last_error.code) == (Status.WAITING, "TokenUnavailable")
    assert await length(storage_names.ONBOARDING_QUEUE) == before + 1


async def test_an_onboarding_is_resumed_and_buried(metrics: Metrics) -> None:
    resumed, buried = await opened(), await opened()
    await delivered(storage_names.ONBOARDING_QUEUE, message_of(resumed))
    await delivered(storage_names.POISON_QUEUE, message_of(buried))
    statuses = [found.status for one in (resumed, buried) if (found := await held(one))]
    assert statuses == [Status.WAITING, Status.FAILED]
    assert metrics.counted()[names.POISONED, storage_names.ONBOARDING_QUEUE] == 1


async def test_the_rows_of_a_batch_are_put_on_the_queue_and_carried_on_with() -> None:
    batch = await written()
    before = await length(storage_names.BATCH_QUEUE)
    await delivered(storage_names.BATCH_QUEUE, BatchMessage(batch_id=batch.id))
    assert await length(storage_names.BATCH_QUEUE) == before + 1
    await delivered(storage_names.BATCH_QUEUE, BatchMessage(batch_id=batch.id, first=1, last=1))
    [row] = await wiring.services().batches.outline(batch.id)
    assert row.status is RowStatus.WAITING


async def test_the_rows_of_a_batch_are_buried(metrics: Metrics) -> None:
    batch = await written()
    await delivered(storage_names.BATCH_POISON_QUEUE, BatchMessage(batch_id=batch.id))
    [row] = await wiring.services().batches.outline(batch.id)
    assert row.status is RowStatus.FAILED
    assert metrics.counted()[names.POISONED, storage_names.BATCH_QUEUE] == 1


@pytest.mark.parametrize("queue", storage_names.QUEUES)
async def test_while_a_setting_is_wrong_messages_wait(
    queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = queue.removesuffix("-poison")
    before = await length(place)
    settings.settings.cache_clear()
    wiring.services.cache_clear()
    monkeypatch.setenv("CONNORG_DENIED", "https://contoso.com")
    now = datetime.now(UTC)
    some_id = new_onboarding_id("domain:contoso.com", now, Random())
    message = CallbackMessage(onboarding_id=some_id, callback_url=ADDRESS, asked_date_time=now)
    await delivered(queue, message)
    assert await length(place) == before + 1
    settings.settings.cache_clear()


@pytest.mark.parametrize("is_buried", [False, True])
async def test_a_callback_is_tried_and_buried(metrics: Metrics, *, is_buried: bool) -> None:
    onboarding = await ended()
    message = CallbackMessage(
        onboarding_id=onboarding.id, callback_url=ADDRESS, asked_date_time=datetime.now(UTC)
    )
    queue = storage_names.CALLBACK_POISON_QUEUE if is_buried else storage_names.CALLBACK_QUEUE
    before = await length(storage_names.CALLBACK_QUEUE)
    await delivered(queue, message)
    note = await wiring.services().ledger.callback(onboarding.id, message.name)
    assert note.etag is not None
    assert note.ended == ("poisoned" if is_buried else None)
    assert await length(storage_names.CALLBACK_QUEUE) == before + (not is_buried)
    assert metrics.counted() == (
        {(names.POISONED, storage_names.CALLBACK_QUEUE): 1} if is_buried else {}
    )


async def test_each_night_what_is_old_is_forgotten() -> None:
    old, young = await ended(LONG_AGO), await ended()
    old_batch, young_batch = await written(LONG_AGO), await written()
    await _triggers()[EVERY_NIGHT](TIMER)
    batches = wiring.services().batches
    assert [await held(one) for one in (old, young)] == [None, young]
    found = [await batches.read(one.id) for one in (old_batch, young_batch)]
    assert found == [None, young_batch]


async def test_each_minute_is_told_how_many_wait_and_how_long(metrics: Metrics) -> None:
    await wiring.message_queue(storage_names.ONBOARDING_QUEUE).put_back("a message", 0)
    await observe(TIMER)
    assert metrics.value(names.WAITING) == await length(storage_names.ONBOARDING_QUEUE)
    assert metrics.value(names.WAITING) > 0
    assert metrics.value(names.OLDEST_WAITING) > 0
