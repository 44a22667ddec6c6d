"""The HTTP functions of many onboardings: list, count, replay and cancel several."""

from datetime import datetime

import azure.functions as func

from connorg.contract.history import Step
from connorg.contract.onboarding import Onboarding
from connorg.contract.parsing import parse
from connorg.contract.selection import (
    MOST_AT_ONCE,
    Cancellations,
    Replays,
    Selected,
    Selection,
    Unchanged,
)
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.onboarding.several import (
    Choice,
    Outcome,
    Outcomes,
    cancel_several,
    replay_several,
)
from connorg.core.summary import summarize
from connorg.functions.http.answers import done, json_answer, page_answer
from connorg.functions.http.callers import actor_of
from connorg.functions.http.csv_answers import csv_page, wants_csv
from connorg.functions.http.onboarding_filters import FILTERS, filter_of
from connorg.functions.http.parameters import (
    CONTINUATION,
    DRY_RUN,
    TOP,
    body_of,
    flag,
    refused,
    takes,
)
from connorg.wiring import services

ALL = flag("all", "All onboardings, for a call without filters or ids.")

_ROUTE = "onboardings"
_LARGEST_BODY = 100 * MOST_AT_ONCE  # bytes; an id has 57 characters
_COLUMNS = (
    "id",
    "status",
    "channel",
    "displayName",
    "partner",
    "reference",
    "attempts",
    "conclusion",
    "organizationId",
    "code",
    "message",
    "action",
    "createdDateTime",
    "lastActionDateTime",
    "nextAttemptDateTime",
)


@takes(*FILTERS, TOP, CONTINUATION)
async def list_all(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings"""
    which = filter_of(req, services().clock.now())
    page = await services().ledger.list(which, TOP.of(req), CONTINUATION.of(req))
    if wants_csv(req):
        return csv_page(_COLUMNS, map(_cells, page.onboardings), page.continuation, _ROUTE, req)
    views = [onboarding.view() for onboarding in page.onboardings]
    return page_answer(views, page.continuation, _ROUTE, req)


@takes(*FILTERS)
async def count(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings/summary, with the filters of the list."""
    summary = await summarize(services(), filter_of(req, services().clock.now()))
    return json_answer(summary.model_dump(mode="json", exclude_none=True), 200)


@takes(*FILTERS, ALL, DRY_RUN)
async def replay_all(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/retry, with the filters of the list or ids: those that failed."""
    choice, is_dry = choice_of_call(req, services().clock.now()), DRY_RUN.of(req)
    outcomes = await replay_several(services(), choice, MOST_AT_ONCE, dry_run=is_dry, by=actor_of())
    body = Replays(
        dry_run=is_dry,
        replayed=_changed(outcomes),
        not_replayed=_unchanged(outcomes),
        onboardings=_selected(outcomes),
        more=outcomes.more,
    )
    told = body.model_dump(mode="json", exclude_none=True)
    return json_answer(told, 200) if is_dry else json_answer(told, 202, done(Step.REPLAYED))


@takes(*FILTERS, ALL, DRY_RUN)
async def cancel_all(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/cancel, with the filters of the list or ids: those that wait."""
    choice, is_dry = choice_of_call(req, services().clock.now()), DRY_RUN.of(req)
    outcomes = await cancel_several(services(), choice, MOST_AT_ONCE, dry_run=is_dry, by=actor_of())
    body = Cancellations(
        dry_run=is_dry,
        canceled=_changed(outcomes),
        not_canceled=_unchanged(outcomes),
        onboardings=_selected(outcomes),
        more=outcomes.more,
    )
    headers = {} if is_dry else done(Step.CANCELED)
    return json_answer(body.model_dump(mode="json", exclude_none=True), 200, headers)


def choice_of_call(req: func.HttpRequest, now: datetime) -> Choice:
    """Return which onboardings a call is about. Raise ProblemError where it does not say so."""
    body = body_of(req, _LARGEST_BODY, f"Send at most {MOST_AT_ONCE} ids.").strip()
    ids = parse(Selection, body).ids if body else None
    which, is_all = filter_of(req, now), ALL.of(req)
    if [ids is not None, not which.is_empty, is_all].count(True) == 1:
        return which if ids is None else ids
    raise refused(
        "The call must specify the onboardings in exactly one way.",
        "Send filters such as code or since, or a body with ids, or all=true for all of them.",
    )


def _changed(outcomes: Outcomes) -> tuple[str, ...]:
    return tuple(one.id for one in outcomes.each if isinstance(one.result, Submitted))


def _unchanged(outcomes: Outcomes) -> tuple[Unchanged, ...]:
    return tuple(_reason_of(one) for one in outcomes.each if not isinstance(one.result, Submitted))


def _reason_of(outcome: Outcome) -> Unchanged:
    if isinstance(outcome.result, Conflict):
        conflict = outcome.result
        return Unchanged(id=outcome.id, reason=conflict.reason.value, see=conflict.onboarding_id)
    return Unchanged(id=outcome.id, reason="no onboarding has this id")


def _selected(outcomes: Outcomes) -> tuple[Selected, ...]:
    return tuple(_known(one.onboarding) for one in outcomes.each if one.onboarding is not None)


def _known(held: Onboarding) -> Selected:
    request, error = held.request, held.last_error
    return Selected(
        id=held.id,
        display_name=request.display_name if request else None,
        partner=request.identity_source.partner_name if request else None,
        reference=held.reference,
        code=error.code if error else None,
        message=error.message if error else None,
    )


def _cells(held: Onboarding) -> dict[str, str]:
    view = held.view()
    cells = {
        **view,
        **_known(held).model_dump(mode="json"),
        "channel": held.channel,
        "organizationId": held.result.id if held.result else None,
        "action": held.last_error.action if held.last_error else None,
    }
    return {name: str(cells[name]) for name in _COLUMNS if cells.get(name) is not None}
