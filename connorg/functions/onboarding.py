"""The HTTP functions of an onboarding: submit, read, result, list, replay, cancel."""

from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import LARGEST_BODY, OnboardingRequest, parse
from connorg.functions.addresses import Addresses
from connorg.functions.answers import (
    conflict_problem,
    json_answer,
    onboarding_answer,
    result_answer,
    submitted_answer,
)
from connorg.functions.callers import Role, caller_of
from connorg.functions.edge import answering
from connorg.functions.headers import idempotency_key_of, preference_of
from connorg.joining import Conflict, Submitted
from connorg.natural_key import is_onboarding_id
from connorg.ports import Filter
from connorg.replaying import cancel as cancel_onboarding
from connorg.replaying import replay as replay_onboarding
from connorg.replaying import replay_all as replay_onboardings
from connorg.settings import settings
from connorg.submitting import Submission
from connorg.submitting import submit as submit_request
from connorg.wiring import core

_DEFAULT_PAGE, _LARGEST_PAGE = 50, 100
_MOST_REPLAYS = 500
_LIST_PARAMETERS = ("status", "source", "reference", "top")


@answering(Role.SUBMIT)
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """POST connected-organizations"""
    request = parse(OnboardingRequest, _body_of(req))
    preference = preference_of(req, settings().wait_seconds)
    submission = Submission(
        request,
        source="http",
        caller=caller_of(req),
        idempotency_key=idempotency_key_of(req),
        traceparent=req.headers.get("traceparent"),
    )
    result = await submit_request(core(), submission, preference.wait)
    if isinstance(result, Conflict):
        raise conflict_problem(result, request)
    return submitted_answer(result, Addresses(req), preference.headers)


@answering(Role.READ)
async def read(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings/{id}: always 200 while it exists, whatever became of it."""
    return json_answer((await _found(req)).view(), 200)


@answering(None)
async def result(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings/{id}/result: for pollers, who send no key: the id can't be guessed."""
    return result_answer(await _found(req), Addresses(req))


@answering(Role.READ)
async def list_all(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings?status=&source=&reference=&top=&continuationToken="""
    top = _top_of(req.params.get("top"))
    page = await core().ledger.list(_filter_of(req), top, req.params.get("continuationToken"))
    body: dict[str, Any] = {"value": [onboarding.view() for onboarding in page.onboardings]}
    if page.continuation is not None:
        # Only what it knows: a caller may send the function key as a parameter.
        asked = {name: req.params[name] for name in _LIST_PARAMETERS if name in req.params}
        query = urlencode({**asked, "continuationToken": page.continuation})
        body |= {
            "continuationToken": page.continuation,
            "nextLink": Addresses(req).onboardings(query),
        }
    return json_answer(body, 200)


@answering(Role.MANAGE)
async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/{id}/retry"""
    replayed = _changed(await replay_onboarding(core(), _id_of(req)))
    return onboarding_answer(replayed, 202, Addresses(req))


@answering(Role.MANAGE)
async def replay_all(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/retry?source=&reference=&dryRun=true: replay all failed ones that match."""
    dry_run = _flag_of("dryRun", req.params.get("dryRun"))
    results = await replay_onboardings(core(), _filter_of(req), _MOST_REPLAYS, dry_run=dry_run)
    left = {id_: result for id_, result in results.items() if isinstance(result, Conflict)}
    body = {
        "dryRun": dry_run,
        "replayed": [id_ for id_ in results if id_ not in left],
        "notReplayed": [
            {"id": id_, "reason": conflict.reason.value, "see": conflict.onboarding_id}
            for id_, conflict in left.items()
        ],
    }
    return json_answer(body, 200 if dry_run else 202)


@answering(Role.MANAGE)
async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """DELETE onboardings/{id}"""
    canceled = _changed(await cancel_onboarding(core(), _id_of(req)))
    return onboarding_answer(canceled, 200, Addresses(req))


def _body_of(req: func.HttpRequest) -> bytes:
    body = req.get_body()
    if len(body) > LARGEST_BODY:
        raise ProblemError(
            ProblemKind.BODY_TOO_LARGE,
            f"The body has {len(body)} bytes; at most {LARGEST_BODY} are read.",
            "Send one organization at a time.",
        )
    return body


async def _found(req: func.HttpRequest) -> Onboarding:
    onboarding = await core().ledger.read(_id_of(req))
    if onboarding is None:
        raise _not_found()
    return onboarding


def _id_of(req: func.HttpRequest) -> str:
    onboarding_id = str(req.route_params.get("id", "")).lower()
    if not is_onboarding_id(onboarding_id):
        raise _not_found()
    return onboarding_id


def _changed(result: Submitted | Conflict | None) -> Onboarding:
    if result is None:
        raise _not_found()
    if isinstance(result, Conflict):
        raise conflict_problem(result)
    return result.onboarding


def _not_found() -> ProblemError:
    return ProblemError(
        ProblemKind.ONBOARDING_NOT_FOUND,
        "No onboarding has this id.",
        "Take the id from the answer to the request, or list the onboardings.",
    )


def _filter_of(req: func.HttpRequest) -> Filter:
    return Filter(
        status=_status_of(req.params.get("status")),
        source=req.params.get("source"),
        reference=req.params.get("reference"),
    )


def _flag_of(name: str, text: str | None) -> bool:
    if text is None:
        return False
    if text.lower() not in {"true", "false"}:
        raise ProblemError(ProblemKind.INVALID_PARAMETER, f"{name} must be true or false.")
    return text.lower() == "true"


def _status_of(text: str | None) -> Status | None:
    if text is None:
        return None
    by_name = {status.value.lower(): status for status in Status}
    if text.lower() not in by_name:
        known = ", ".join(Status)
        raise ProblemError(ProblemKind.INVALID_PARAMETER, f"status must be one of {known}.")
    return by_name[text.lower()]


def _top_of(text: str | None) -> int:
    if text is None:
        return _DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _LARGEST_PAGE):
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER, f"top must be a number from 1 to {_LARGEST_PAGE}."
        )
    return int(text)
