"""The rows of the ledger's table.

    PartitionKey              RowKey                 holds
    hash of the natural key   claim                  which onboarding has the identity source
    hash of the natural key   onboarding-<its row>   the onboarding as JSON, and what lists filter
    hash of the tenant's id   tenant                 the onboarding that connects this tenant
    hash of the natural key   callback-<hash>        whether a callback of an onboarding was made
    key-<hash>                key                    what an Idempotency-Key is bound to
    gate                      graph                  when Graph may be called

A claim and its onboarding lie in one partition so that one transaction writes both. Each row has a
column `Version` (contract/versions.py). An onboarding's JSON goes on in `Onboarding2` and further
columns where one can't hold it: forty sponsors that Graph does not know need more.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core import MatchConditions
from pydantic import TypeAdapter, ValidationError

from connorg.contract.callbacks import CallbackRecord
from connorg.contract.history import HistoryEntry
from connorg.contract.identifiers import partition_of, split_id
from connorg.contract.identity_sources import SOURCE_KINDS
from connorg.contract.model import Model
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.versions import VERSION, NewerVersionError, check_version
from connorg.core.ports import KeyReservation, OnboardingOutline, searched_text
from connorg.core.throttle.gate import Gate

type Entity = dict[str, Any]

_HISTORY = TypeAdapter(tuple[HistoryEntry, ...])

CLAIM = "claim"
TENANT = "tenant"
KEY = "key"
OF_KEYS = "key-"
ONBOARDING = "onboarding-"
CALLBACK = "callback-"
JOINED = "Joined"
COUNTED = ["Version", "Status", "Source", "Code"]
SEARCHED = "Text"
GATE = ("gate", "graph")
_JSON = "Onboarding"
# A column holds 32 K of UTF-16's units, of which a character takes one or two. Source:
# "Understanding the Table service data model".
_LARGEST_COLUMN = 16_000  # characters


def claim_entity(onboarding: Onboarding) -> Entity:
    partition, row = split_id(onboarding.id)
    return row_entity(partition, CLAIM, Holder=row)


def onboarding_entity(onboarding: Onboarding) -> Entity:
    partition, row = split_id(onboarding.id)
    return row_entity(
        partition,
        f"{ONBOARDING}{row}",
        # One that was never begun, because another one covers it, is in no list.
        Status=JOINED if onboarding.joined else onboarding.status.value,
        Source=onboarding.channel,
        Reference=onboarding.reference or "",
        Batch=onboarding.batch_row.batch if onboarding.batch_row else "",
        Code=onboarding.last_error.code if onboarding.last_error else "",
        Organization=onboarding.result.id if onboarding.result else "",
        Text=searched_text(onboarding),
        **_in_columns(_JSON, onboarding.model_dump_json(exclude_none=True)),
        # Apart, so that no length of it keeps the rest from being written.
        History=_HISTORY.dump_json(onboarding.history, exclude_none=True).decode(),
    )


def ever_smaller(onboarding: Onboarding) -> Iterator[Onboarding]:
    """Return an onboarding as it is, then without what it can do without: its history goes first.

    What is left always fits: the request is bounded, and an onboarding that can't be written would
    never end.
    """
    yield onboarding
    yield onboarding.model_copy(update={"history": ()})
    result = onboarding.result
    nothing = {
        "history": (),
        "differences": (),
        "warnings": (),
        "message_text": None,
        "result": result and ConnectedOrganization(id=result.id, tenant=result.tenant),
    }
    yield onboarding.model_copy(update=nothing)


def _in_columns(name: str, text: str) -> Mapping[str, str]:
    starts = range(0, max(1, len(text)), _LARGEST_COLUMN)
    return {
        f"{name}{number if number > 1 else ''}": text[start : start + _LARGEST_COLUMN]
        for number, start in enumerate(starts, 1)
    }


def _of_columns(entity: Any, name: str) -> str:
    text, number = str(entity[name]), 2
    while more := entity.get(f"{name}{number}"):
        text, number = text + more, number + 1
    return text


def tenant_entity(tenant_id: str, onboarding_id: str) -> Entity:
    # In the partition in which an onboarding of the tenant by its id lies too.
    tenant = SOURCE_KINDS["azureActiveDirectoryTenant"]
    partition = partition_of(tenant.natural_key((tenant_id,)))
    return row_entity(partition, TENANT, OnboardingId=onboarding_id)


def onboarding_of(entity: Any) -> Onboarding:
    onboarding = model_of(Onboarding, entity, _JSON)
    return onboarding.model_copy(update={"etag": etag_of(entity), "history": history_of(entity)})


def history_of(entity: Any) -> tuple[HistoryEntry, ...]:
    """Return the history of a row as far as it can be read. Earlier versions wrote none."""
    try:
        return _HISTORY.validate_json(entity.get("History", "[]"))
    except ValidationError:
        return ()


def outline_of(entity: Any, *, is_searched: bool) -> OnboardingOutline | None:
    """Return what the columns COUNTED hold; None: an older version wrote no such column.

    `is_searched`: whether the column SEARCHED was asked for too.
    """
    check_version(entity.get("Version"))
    status, code, text = Status(entity["Status"]), entity.get("Code"), entity.get(SEARCHED)
    if (code is None and status is not Status.SUCCEEDED) or (is_searched and text is None):
        return None
    onboarding_id = f"{entity['PartitionKey']}-{entity['RowKey'].removeprefix(ONBOARDING)}"
    return OnboardingOutline(onboarding_id, status, entity["Source"], code or None, text or "")


def callback_entity(note: CallbackRecord) -> Entity:
    partition, _ = split_id(note.onboarding_id)
    text = note.model_dump_json(exclude_none=True)
    return row_entity(partition, note.name, Callback=text)


def callback_of(entity: Any) -> CallbackRecord:
    return model_of(CallbackRecord, entity, "Callback").model_copy(update={"etag": etag_of(entity)})


def key_entity(caller: str, key: str, reservation: KeyReservation) -> Entity:
    digest = hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest()
    return row_entity(
        f"{OF_KEYS}{digest}",
        KEY,
        Fingerprint=reservation.fingerprint,
        OnboardingId=reservation.onboarding_id,
    )


def reservation_of(entity: Any) -> KeyReservation:
    return KeyReservation(entity["Fingerprint"], entity["OnboardingId"])


def gate_entity(gate: Gate) -> Entity:
    partition, row = GATE
    text = gate.model_dump_json(exclude_none=True)
    return row_entity(partition, row, Gate=text)


def gate_of(entity: Any) -> Gate:
    """Read it as far as it can be read: it must not stop the work after a rollback."""
    try:
        return Gate.model_validate_json(entity["Gate"])
    except ValidationError:
        return Gate()


def row_entity(partition: str, row: str, **columns: str) -> Entity:
    return {"PartitionKey": partition, "RowKey": row, "Version": VERSION, **columns}


def model_of[M: Model](model: type[M], entity: Any, column: str) -> M:
    check_version(entity.get("Version"))
    try:
        return model.model_validate_json(_of_columns(entity, column))
    except ValidationError:
        # Only connorg writes here, and it reads all that it ever wrote.
        raise NewerVersionError("This version can't read it, so a newer one wrote it.") from None


def etag_of(entity: Any) -> str:
    return str(entity.metadata["etag"])


def if_unchanged(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}
