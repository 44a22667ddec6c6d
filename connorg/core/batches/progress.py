"""How far a batch has come: counted over its rows, of which a few small columns are read."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connorg.contract.batch_views import BatchStatus, BatchView, RowError, RowResult
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import RowRef
from connorg.contract.onboarding import Conclusion, OnboardingError
from connorg.contract.problems import ErrorCode
from connorg.core.ports import Batches, RowOutline
from connorg.core.services import Services

_LATELY = timedelta(seconds=30)
_MOST_ERRORS = 10
_FAULTY = {RowStatus.FAILED, RowStatus.INVALID}


async def progress(services: Services, batch: Batch) -> BatchView:
    """Return the status of a batch. Raise StorageUnavailableError."""
    outline = await services.batches.outline(batch.id)
    counts = _counts(outline)
    per_second = _per_second(outline, services.clock.now())
    still_open = counts[RowStatus.NOT_STARTED] + counts[RowStatus.WAITING]
    noted = [row.noted_date_time for row in outline if row.noted_date_time]
    is_rated = per_second is not None and still_open > 0
    return BatchView(
        id=batch.id,
        status=_status(counts, is_begun=bool(noted)),
        created_date_time=batch.created_date_time,
        last_action_date_time=max(noted, default=batch.created_date_time),
        reference=batch.reference,
        rows=len(outline),
        counts=counts,
        conclusions=_conclusions(outline),
        per_second=per_second if is_rated else None,
        seconds_left=math.ceil(still_open / per_second) if per_second and is_rated else None,
        first_errors=await _first_errors(services.batches, batch, outline),
        ignored_columns=batch.ignored_columns,
    )


def _counts(outline: Sequence[RowOutline]) -> dict[RowStatus, int]:
    by_number = {row.number: row for row in outline}
    counts = Counter(_standing_for(row, by_number).status for row in outline)
    return {status: counts[status] for status in RowStatus}


def _conclusions(outline: Sequence[RowOutline]) -> dict[Conclusion, int]:
    concluded = Counter(row.conclusion for row in outline if row.status is RowStatus.SUCCEEDED)
    return {conclusion: concluded[conclusion] for conclusion in Conclusion if concluded[conclusion]}


def _standing_for(row: RowOutline, by_number: Mapping[int, RowOutline]) -> RowOutline:
    return row if row.duplicate_of is None else by_number.get(row.duplicate_of, row)


def _status(counts: Mapping[RowStatus, int], *, is_begun: bool) -> BatchStatus:
    if counts[RowStatus.NOT_STARTED] or counts[RowStatus.WAITING]:
        return BatchStatus.RUNNING if is_begun else BatchStatus.NOT_STARTED
    if counts[RowStatus.FAILED] or counts[RowStatus.INVALID]:
        return BatchStatus.FAILED
    return BatchStatus.CANCELED if counts[RowStatus.CANCELED] else BatchStatus.SUCCEEDED


def _per_second(outline: Sequence[RowOutline], now: datetime) -> float | None:
    """Return how many rows ended in each of the last thirty seconds, or since the first did."""
    ended = [row.noted_date_time for row in outline if row.status.terminal and row.noted_date_time]
    lately = [moment for moment in ended if moment > now - _LATELY]
    if not lately:
        return None
    seconds = max(1.0, (now - min(lately)).total_seconds())
    return round(len(lately) / seconds, 1) or None


async def _first_errors(
    batches: Batches, batch: Batch, outline: Sequence[RowOutline]
) -> tuple[RowError, ...]:
    faulty = [row.number for row in outline if row.status in _FAULTY][:_MOST_ERRORS]
    places = [RowRef(batch=batch.id, row=number) for number in faulty]
    rows = await asyncio.gather(*map(batches.row, places))
    return tuple(
        RowError(row=row.number, name=row.name, error=error)
        for row in rows
        if row is not None and (error := _error_of(row)) is not None
    )


async def results(batches: Batches, batch: Batch) -> tuple[RowResult, ...]:
    """Return what became of each row of the file, in its order. Raise StorageUnavailableError."""
    rows = await batches.rows(batch.id)
    by_number = {row.number: row for row in rows}
    return tuple(_result(row, by_number.get(row.duplicate_of or row.number, row)) for row in rows)


def _result(row: BatchRow, standing: BatchRow) -> RowResult:
    error = _error_of(standing)
    return RowResult(
        row=row.number,
        name=row.name,
        status=standing.status,
        conclusion=standing.conclusion,
        onboarding_id=standing.onboarding_id,
        organization_id=standing.organization_id,
        tenant_id=standing.tenant_id,
        attempts=standing.attempts,
        duplicate_of=row.duplicate_of,
        error_code=error.code if error else None,
        error=error.message if error else None,
        action=error.action if error else None,
    )


def _error_of(row: BatchRow) -> OnboardingError | None:
    """Return why it failed or waits; or what could not be done although the organization exists."""
    if row.faults:
        return OnboardingError(
            code=ErrorCode.INVALID_VALUES,
            message=" ".join(_sentence(fault.column, fault.detail) for fault in row.faults),
            action="Correct the row and send it again.",
        )
    # A row without a tenant shows that no tenant has the domain.
    lacks = (warning for warning in row.warnings if warning.code != ErrorCode.NO_TENANT)
    return row.error or next(lacks, None)


def _sentence(column: str | None, detail: str) -> str:
    return f"{column}: {detail}" if column else detail
