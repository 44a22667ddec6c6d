"""This code reads the rows that earlier versions wrote, and leaves those of newer ones alone."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.data.tables.aio import TableClient

from connorg.contract.identifiers import new_onboarding_id, split_id
from connorg.contract.messages import CallbackMessage, OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.parsing import parse
from connorg.contract.versions import VERSION, NewerVersionError
from connorg.core.ports import ClaimHeld, KeyReservation, OnboardingFilter
from connorg.core.throttle.gate import Gate
from connorg.storage.entities import GATE
from connorg.storage.gate import AzureGateStore
from connorg.storage.ledger import AzureLedger
from tests.contract.test_ledger import NOW
from tests.recorded.recorded import VERSIONS, Json, messages, rows

if TYPE_CHECKING:
    from connorg.contract.model import Model

TENANT = "aaaaaaaa-0000-4000-8000-000000000002"


@pytest.fixture
async def table(storage: str) -> AsyncIterator[TableClient]:
    async with TableClient.from_connection_string(storage, f"ledger{uuid4().hex}") as table:
        await table.create_table()
        yield table


@pytest.fixture
def ledger(table: TableClient) -> AzureLedger:
    return AzureLedger(table)


async def hold(table: TableClient, rows: dict[str, Json], **changes: Any) -> None:
    for row in rows.values():
        await table.upsert_entity({**row, **changes})


def id_of(row: Json) -> str:
    return f"{row['PartitionKey']}-{row['RowKey'].removeprefix('onboarding-')}"


def of(kind: str, version: str = "1") -> str:
    return id_of(rows(version)[f"onboarding {kind}"])


def newcomer_to(held: Onboarding) -> Onboarding:
    request = held.request
    assert request is not None
    changes = {"id": new_onboarding_id(request.natural_key, NOW, Random()), "etag": None}
    return held.model_copy(update={**changes, "status": Status.NOT_STARTED})


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_recorded_onboarding_is_read_as_it_was(
    table: TableClient, ledger: AzureLedger, version: str
) -> None:
    for kind, row in rows(version).items():
        if kind.startswith("onboarding "):
            await table.upsert_entity(row)
            held = await ledger.read(id_of(row))
            assert held is not None
            written = held.model_dump_json(exclude_none=True)
            assert Onboarding.model_validate_json(written) == held.model_copy(update={"etag": None})
            kept = json.loads(written).items() >= json.loads(row["Onboarding"]).items()
            assert kept, f"{kind}: something is lost when it is written again"


@pytest.mark.parametrize("kind", ["succeeded", "waiting", "running"])
async def test_a_recorded_claim_is_respected(
    table: TableClient, ledger: AzureLedger, kind: str
) -> None:
    await hold(table, rows("1"))
    held = await ledger.read(of(kind))
    assert held is not None
    assert await ledger.open(newcomer_to(held)) == ClaimHeld(held)


@pytest.mark.parametrize("kind", ["canceled", "failed"])
async def test_a_recorded_claim_of_what_ended_badly_gives_way(
    table: TableClient, ledger: AzureLedger, kind: str
) -> None:
    recorded = {name: row for name, row in rows("1").items() if name.endswith(f" {kind}")}
    await hold(table, recorded)
    held = await ledger.read(of(kind))
    assert held is not None
    assert isinstance(await ledger.open(newcomer_to(held)), Onboarding)


async def test_the_other_recorded_rows_say_what_they_said(
    table: TableClient, ledger: AzureLedger
) -> None:
    recorded = rows("1")
    await hold(table, recorded)
    succeeded = await ledger.read(of("succeeded"))
    waiting = await ledger.read(of("waiting"))
    assert waiting is not None
    assert await ledger.claim_tenant(TENANT, waiting) == succeeded
    note = await ledger.callback(of("succeeded"), recorded["callback"]["RowKey"])
    assert note.ended == "delivered"
    bound = await ledger.reserve_key("", "recorded-key", KeyReservation("other", of("waiting")))
    assert bound == KeyReservation(recorded["key"]["Fingerprint"], of("succeeded"))
    gate = await AzureGateStore(table).read()
    assert gate.closed_until is not None
    assert gate.closed_until.isoformat() == "2026-11-24T20:05:01.170920+00:00"
    assert gate.pace == 14.88


@pytest.mark.parametrize("version", VERSIONS)
def test_each_recorded_message_is_read(version: str) -> None:
    kinds: dict[str, type[Model]] = {"producer": ProducerMessage, "callback": CallbackMessage}
    for kind, message in messages(version).items():
        read = parse(kinds.get(kind, OnboardingMessage), json.dumps(message))
        written = read.model_dump(mode="json", exclude_none=True)
        assert written.items() >= message.items(), f"{kind}: something is lost"


async def test_all_that_is_written_says_its_version(
    table: TableClient, ledger: AzureLedger
) -> None:
    await hold(table, rows("1"))
    waiting = await ledger.read(of("waiting"))
    assert waiting is not None
    opened = await ledger.open(newcomer_to(waiting).model_copy(update={"id": fresh_id()}))
    assert isinstance(opened, Onboarding)
    await ledger.claim_tenant(str(uuid4()), opened)
    await ledger.record_callback(await ledger.callback(opened.id, "callback-new"))
    await ledger.reserve_key("caller", "key", KeyReservation("a", opened.id))
    await AzureGateStore(table).change(Gate.unblocked)
    partition, _ = split_id(opened.id)
    written = [row async for row in table.list_entities() if "Version" in row]
    assert {row["Version"] for row in written} == {VERSION}
    kinds = {row["RowKey"].split("-")[0] for row in written}
    assert kinds == {"claim", "onboarding", "tenant", "callback", "key", "graph"}
    assert sum(row["PartitionKey"] == partition for row in written) == 3


def fresh_id() -> str:
    return new_onboarding_id(f"domain:{uuid4().hex}.example", NOW, Random())


READS: dict[str, Callable[[AzureLedger, Onboarding], Awaitable[object]]] = {
    "read": lambda ledger, _: ledger.read(of("waiting")),
    "open": lambda ledger, waiting: ledger.open(newcomer_to(waiting)),
    "holder_of": lambda ledger, _: ledger.holder_of("domain:waiting.recorded.example"),
    "claim_tenant": lambda ledger, waiting: ledger.claim_tenant(TENANT, waiting),
    "of_organization": lambda ledger, _: ledger.of_organization(
        rows("1")["onboarding succeeded"]["Organization"]
    ),
    "reserve_key": lambda ledger, _: ledger.reserve_key(
        "", "recorded-key", KeyReservation("other", of("waiting"))
    ),
    "callback": lambda ledger, _: ledger.callback(of("succeeded"), rows("1")["callback"]["RowKey"]),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_rows_of_a_newer_version_are_refused_and_stay_as_they_are(
    table: TableClient,
    ledger: AzureLedger,
    read: Callable[[AzureLedger, Onboarding], Awaitable[object]],
) -> None:
    await hold(table, rows("1"))
    waiting = await ledger.read(of("waiting"))
    assert waiting is not None
    await hold(table, rows("1"), Version=VERSION + 1, Colour="of a field to come")
    before = [dict(row) async for row in table.list_entities()]
    with pytest.raises(NewerVersionError, match=str(VERSION + 1)):
        await read(ledger, waiting)
    assert [dict(row) async for row in table.list_entities()] == before


async def test_a_row_that_cannot_be_read_is_taken_for_a_newer_one(
    table: TableClient, ledger: AzureLedger
) -> None:
    """Though its version does not say so: whoever forgot to raise it must lose nothing."""
    row = rows("1")["onboarding waiting"]
    text = row["Onboarding"].replace('"state":', '"colour":"red","state":')
    await table.upsert_entity({**row, "Onboarding": text})
    with pytest.raises(NewerVersionError):
        await ledger.read(id_of(row))


async def test_rows_without_the_columns_that_later_versions_have_are_found_all_the_same(
    table: TableClient, ledger: AzureLedger
) -> None:
    await hold(table, {"row": rows("1")["onboarding failed"]})
    held = await ledger.read(of("failed"))
    assert held is not None
    assert held.last_error is not None
    assert held.request is not None
    assert held.history == ()
    domain = held.request.identity_source.partner_name
    for which in (
        OnboardingFilter(code=held.last_error.code),
        OnboardingFilter(text=domain.upper()),
        OnboardingFilter(Status.FAILED, code=held.last_error.code, text=domain),
    ):
        page = await ledger.list(which, 10, None)
        assert [one.id for one in page.onboardings] == [held.id]
    assert (await ledger.list(OnboardingFilter(text="other"), 10, None)).onboardings == ()


async def test_a_list_leaves_out_what_a_newer_version_wrote(
    table: TableClient, ledger: AzureLedger
) -> None:
    recorded = rows("1")
    await hold(table, recorded)
    await hold(table, {"a": recorded["onboarding waiting"]}, Version=VERSION + 1)
    page = await ledger.list(OnboardingFilter(), 100, None)
    listed = {onboarding.id for onboarding in page.onboardings}
    assert of("waiting") not in listed
    assert of("succeeded") in listed


@pytest.mark.parametrize("text", ['{"closedUntil": "soon"}', '{"colour": "red"}'])
async def test_a_gate_of_a_newer_version_stops_nobody(table: TableClient, text: str) -> None:
    partition, row = GATE
    await table.upsert_entity(
        {"PartitionKey": partition, "RowKey": row, "Gate": text, "Version": VERSION + 1}
    )
    store = AzureGateStore(table)
    assert await store.read() == Gate()
    await store.change(lambda gate: gate.closed(NOW))
    assert (await store.read()).closed_until == NOW


@pytest.mark.parametrize("model", [OnboardingMessage, CallbackMessage])
def test_a_message_of_a_newer_version_is_told_from_one_that_cannot_be_understood(
    model: type[OnboardingMessage | CallbackMessage],
) -> None:
    with pytest.raises(NewerVersionError):
        parse(model, f'{{"version": {VERSION + 1}, "onboardingId": "of another form"}}')
