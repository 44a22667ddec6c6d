"""Answers: onboardings, organizations and problems as HTTP responses."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from connorg.contract.history import Step
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import unmet
from connorg.contract.problems import ErrorCode, ProblemError, ProblemKind
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.policy.rules import Refusal
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.parameters import CONTINUATION, query_of
from connorg.wiring import services

_NOT_KEPT = {"Cache-Control": "no-store"}  # by nothing on the way: the address is a credential
_LONGEST_POLL = 60  # seconds between two looks at an onboarding that waits for long
_POLL = 5

_KINDS: Mapping[str, ProblemKind] = {
    kind.code: kind for kind in (ProblemKind.ALREADY_CONNECTED, ProblemKind.IDENTITY_SOURCE_IN_USE)
}
_CONFLICTS: Mapping[Reason, tuple[ProblemKind, str, str]] = {
    Reason.DIFFERS: (
        ProblemKind.IDENTITY_SOURCE_IN_USE,
        "The identity source was requested before with other attributes.",
        "Send the same attributes, or set ifExists to 'return' to use the existing organization.",
    ),
    Reason.EXISTS: (
        ProblemKind.ALREADY_CONNECTED,
        "The identity source was onboarded before.",
        "Read the onboarding that is named here.",
    ),
    Reason.KEY_REUSED: (
        ProblemKind.IDEMPOTENCY_KEY_REUSED,
        "This Idempotency-Key was sent before with another body.",
        "Send the same body again, or use a new key.",
    ),
    Reason.NOT_FAILED: (
        ProblemKind.ONBOARDING_NOT_REPLAYABLE,
        "Only an onboarding that failed and whose request could be read can be replayed.",
        "Read its status.",
    ),
    Reason.NOT_CANCELABLE: (
        ProblemKind.ONBOARDING_NOT_CANCELABLE,
        "Only an onboarding that waits can be canceled: this one is done, or is being tried.",
        "Read its status; where it is running, try again in a minute.",
    ),
}


def done(step: Step, outcome: str = "") -> dict[str, str]:
    """Return the header that says what a call did, in the words of the history."""
    return {"Connorg-Step": f"{step} {outcome}".rstrip()}


def step_of(result: Submitted) -> Step:
    """Return what a submission did: of what was there before it did nothing."""
    onboarding = result.onboarding
    if not onboarding.status.terminal:
        return Step.ACCEPTED if result.fresh else Step.JOINED
    if result.fresh and onboarding.conclusion is not None:
        return Step(onboarding.conclusion.value)
    return Step.EXISTING


def onboarding_answer(
    onboarding: Onboarding, status: int, addresses: Addresses, headers: Mapping[str, str] = {}
) -> func.HttpResponse:
    """Answer with the onboarding; its addresses are in the headers of every answer."""
    pointers = addresses.pointers(onboarding)
    if status == 202:  # noqa: PLR2004
        pointers["Retry-After"] = str(poll_after(onboarding, services().clock.now()))
    return json_answer(onboarding.view(), status, {**pointers, **headers})


def submitted_answer(
    result: Submitted, addresses: Addresses, headers: Mapping[str, str]
) -> func.HttpResponse:
    """Answer a submission: 201 created, 200 exists or was onboarded, 202 later, 4xx failed."""
    onboarding = result.onboarding
    headers = {**headers, **done(step_of(result))}
    match onboarding.status:
        case Status.SUCCEEDED:
            created = result.fresh and onboarding.conclusion is Conclusion.CREATED
            return onboarding_answer(onboarding, 201 if created else 200, addresses, headers)
        case Status.FAILED | Status.CANCELED:
            raise ended_problem(onboarding, addresses)
        case _:
            return onboarding_answer(onboarding, 202, addresses, headers)


def result_answer(onboarding: Onboarding, addresses: Addresses) -> func.HttpResponse:
    """Answer a poller: 202 until the onboarding is terminal, then the organization, or a 4xx.

    Never 408, 429 or 5xx: a Logic App would poll on. Anybody who has the address can read it, so it
    does not show who requested what, and names no other onboarding.
    """
    pointers = {**addresses.pointers(onboarding), **_NOT_KEPT}
    if not onboarding.status.terminal:
        pointers["Retry-After"] = str(poll_after(onboarding, services().clock.now()))
        return json_answer(onboarding.progress(), 202, pointers)
    if onboarding.status is not Status.SUCCEEDED or onboarding.result is None:
        raise _without_particulars(ended_problem(onboarding, addresses))
    organization = onboarding.result.model_dump(mode="json", exclude_none=True)
    return json_answer(organization, 200, pointers)


def _without_particulars(error: ProblemError) -> ProblemError:
    """Return the same problem with its code, and without any text that may name somebody."""
    told = error.problem
    return ProblemError(
        ProblemKind.of(told.type),
        f"{told.title}.",
        "Read the onboarding's status, for which a key or a role is needed.",
        headers={**error.headers, **_NOT_KEPT},
        code=told.code,
        onboarding_id=told.onboarding_id,
        graph_code=told.graph_code,
    )


def conflict_problem(conflict: Conflict, request: OnboardingRequest | None = None) -> ProblemError:
    kind, detail, action = _CONFLICTS[conflict.reason]
    held = conflict.onboarding.request if conflict.onboarding else None
    differing = unmet(request, held) if request and held else ()
    return ProblemError(
        kind,
        detail,
        action,
        differences=differing or None,
        onboarding_id=conflict.onboarding_id,
    )


def refusal_problem(refusal: Refusal) -> ProblemError:
    return ProblemError(
        ProblemKind.REFUSED_BY_POLICY,
        refusal.error.message,
        refusal.error.action,
        errors=refusal.faults,
    )


def ended_problem(onboarding: Onboarding, addresses: Addresses) -> ProblemError:
    """Say why an onboarding has no organization."""
    pointers = addresses.pointers(onboarding)
    if onboarding.status is Status.CANCELED:
        return ProblemError(
            ProblemKind.ONBOARDING_CANCELED,
            "The onboarding was canceled before it was done.",
            "Send the request again.",
            headers=pointers,
            onboarding_id=onboarding.id,
        )
    error = onboarding.last_error or OnboardingError(code=ErrorCode.UNKNOWN, message="It failed.")
    return ProblemError(
        _KINDS.get(error.code, ProblemKind.ONBOARDING_FAILED),
        error.message,
        error.action,
        headers=pointers,
        code=error.code,
        onboarding_id=onboarding.id,
        graph_code=error.graph_code,
        graph_request_id=error.graph_request_id,
    )


def page_answer(
    items: Sequence[Any], continuation: str | None, route: str, req: func.HttpRequest
) -> func.HttpResponse:
    """Answer with a page of a list, and with the address of the next one."""
    body: dict[str, Any] = {"value": items}
    if continuation is not None:
        body |= {"continuationToken": continuation, "nextLink": next_page(continuation, route, req)}
    return json_answer(body, 200)


def next_page(continuation: str, route: str, req: func.HttpRequest) -> str:
    """Return its address, without the host's key: no answer repeats that."""
    name = CONTINUATION.name
    asked = [(told, value) for told, value in query_of(req) if told.lower() != name.lower()]
    return Addresses(req).page(route, urlencode([*asked, (name, continuation)]))


def problem_answer(error: ProblemError) -> func.HttpResponse:
    problem = error.problem
    return func.HttpResponse(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        mimetype="application/problem+json",
        headers={"x-ms-error-code": problem.code, **error.headers},
    )


def json_answer(body: Any, status: int, headers: Mapping[str, str] = {}) -> func.HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return func.HttpResponse(
        text, status_code=status, mimetype="application/json", headers=dict(headers)
    )


def poll_after(onboarding: Onboarding, now: datetime) -> int:
    """Return after how many seconds it is worth another look at an onboarding."""
    if onboarding.next_attempt_date_time is None:
        return _POLL
    seconds = (onboarding.next_attempt_date_time - now).total_seconds()
    return min(_LONGEST_POLL, max(1, math.ceil(seconds)))
