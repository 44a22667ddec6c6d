"""The HTTP functions of batches: submit, status, results, replay, cancel."""

import asyncio
import hashlib
from typing import TYPE_CHECKING

import azure.functions as func

from connorg.contract.batch_views import BatchView, RowResult, RowResults
from connorg.contract.batches import Batch, BatchRow, OnInvalid
from connorg.contract.history import Step
from connorg.contract.identifiers import is_batch_id
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.core.batches.accept import (
    BatchSubmission,
    apply_policy,
    cancel_batch,
    replay_batch,
    submit_batch,
)
from connorg.core.batches.forecast import forecast_batch
from connorg.core.batches.progress import progress, results
from connorg.core.domain.claims import Conflict
from connorg.core.policy.ways_in import effects_of
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.answers import conflict_problem, done, json_answer
from connorg.functions.http.callers import actor_of, authorize_effects, caller_of
from connorg.functions.http.csv_answers import csv_answer, wants_csv
from connorg.functions.http.headers import IDEMPOTENCY_KEY, traceparent_of
from connorg.functions.http.parameters import DRY_RUN, Parameter, one_of, reference, takes
from connorg.wiring import admin, services

if TYPE_CHECKING:
    from connorg.partner_files.reader import PartnerFile

_SLICE = 50  # rows judged in one go; then others get their turn on the event loop
_SHORTEST_POLL, _LONGEST_POLL = 2, 30  # seconds
_COLUMNS = tuple(RowResult.model_json_schema()["properties"])

ON_INVALID = Parameter(
    "onInvalid",
    "What to do with a file of which some rows have faults.",
    {"type": "string", "enum": [*OnInvalid], "default": OnInvalid.REJECT},
    one_of(OnInvalid),
    OnInvalid.REJECT,
)
REFERENCE = reference("The ticket of rows without one.")


@takes(ON_INVALID, DRY_RUN, REFERENCE, IDEMPOTENCY_KEY)
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """POST batches"""
    file = await _read(req)
    requests = [row.request for row in file.rows if row.request is not None]
    authorize_effects({effect for request in requests for effect in effects_of(request)})
    ticket = REFERENCE.of(req)
    rows = await _judged(file, ticket)
    if DRY_RUN.of(req):
        forecast = await forecast_batch(services(), admin(), rows, file.ignored_columns)
        return json_answer(forecast.model_dump(mode="json", exclude_none=True), 200)
    if ON_INVALID.of(req) is OnInvalid.REJECT:
        _require_no_faults(rows)
    result = await submit_batch(
        services(),
        BatchSubmission(
            rows=rows,
            ignored_columns=file.ignored_columns,
            reference=ticket,
            caller=caller_of(),
            idempotency_key=IDEMPOTENCY_KEY.of(req),
            fingerprint=hashlib.sha256(b"batch\0" + req.get_body()).hexdigest(),
            traceparent=traceparent_of(req),
            by=actor_of(),
        ),
    )
    if isinstance(result, Conflict):
        raise conflict_problem(result)
    return await _accepted(req, result, Step.ACCEPTED)


async def _read(req: func.HttpRequest) -> "PartnerFile":
    # Other calls' cold start goes without it.
    from connorg.partner_files.reader import FileTooLargeError, FileUnreadableError, read_partners  # noqa: PLC0415

    try:
        return await read_partners(req.get_body(), req.headers.get("content-type"))
    except FileTooLargeError as error:
        raise ProblemError(ProblemKind.BODY_TOO_LARGE, str(error), error.action) from None
    except FileUnreadableError as error:
        raise ProblemError(ProblemKind.MALFORMED_BODY, str(error), error.action) from None


async def _judged(file: "PartnerFile", reference: str | None) -> tuple[BatchRow, ...]:
    rows: list[BatchRow] = []
    for start in range(0, len(file.rows), _SLICE):
        rows += [
            apply_policy(services(), row, reference) for row in file.rows[start : start + _SLICE]
        ]
        await asyncio.sleep(0)
    return tuple(rows)


def _require_no_faults(rows: tuple[BatchRow, ...]) -> None:
    faults = tuple(fault for row in rows for fault in row.faults)
    if faults:
        raise ProblemError(
            ProblemKind.INVALID_VALUES,
            "Nothing was started. Each fault is listed with its row and its place.",
            "Correct them all and send the file again, or send it with onInvalid=skip.",
            errors=faults,
        )


async def read(req: func.HttpRequest) -> func.HttpResponse:
    """GET batches/{id}"""
    batch = await _found(req)
    return json_answer((await progress(services(), batch)).view(), 200)


async def read_results(req: func.HttpRequest) -> func.HttpResponse:
    """GET batches/{id}/results: a line for each row of the file, as JSON or CSV."""
    rows = await results(services().batches, await _found(req))
    if wants_csv(req):
        return csv_answer(_COLUMNS, map(_cells, rows), {})
    return json_answer(RowResults(value=rows).model_dump(mode="json", exclude_none=True), 200)


async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """POST batches/{id}/retry"""
    batch = await _found(req)
    await replay_batch(services(), batch, actor_of())
    return await _accepted(req, batch, Step.REPLAYED)


async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """DELETE batches/{id}"""
    batch = await _found(req)
    await cancel_batch(services(), batch)
    headers = {**_pointers(req, batch), **done(Step.CANCELED)}
    return json_answer((await progress(services(), batch)).view(), 200, headers)


async def _accepted(req: func.HttpRequest, batch: Batch, step: Step) -> func.HttpResponse:
    view = await progress(services(), batch)
    headers = {**_pointers(req, batch), "Retry-After": str(_poll_after(view)), **done(step)}
    return json_answer(view.view(), 202, headers)


def _poll_after(view: BatchView) -> int:
    return min(_LONGEST_POLL, max(_SHORTEST_POLL, view.seconds_left or 0))


def _pointers(req: func.HttpRequest, batch: Batch) -> dict[str, str]:
    address = Addresses(req).batch(batch.id)
    return {"Location": address, "Operation-Location": address}


def _cells(result: RowResult) -> dict[str, str]:
    fields = result.model_dump(mode="json", exclude_none=True)
    return {name: str(value) for name, value in fields.items()}


async def _found(req: func.HttpRequest) -> Batch:
    batch_id = str(req.route_params.get("id", "")).lower()
    batch = await services().batches.read(batch_id) if is_batch_id(batch_id) else None
    if batch is None:
        raise ProblemError(
            ProblemKind.BATCH_NOT_FOUND,
            "No batch has this id.",
            "Use the id in the answer to the file.",
        )
    return batch
