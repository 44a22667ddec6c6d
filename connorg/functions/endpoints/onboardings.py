"""The HTTP functions of one onboarding: submit, read, result, replay, cancel."""

from dataclasses import replace

import azure.functions as func

from connorg.contract import channels
from connorg.contract.asking import ask
from connorg.contract.history import Step
from connorg.contract.identifiers import is_onboarding_id
from connorg.contract.onboarding import Onboarding
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.claims import Conflict, Submitted, seen_by
from connorg.core.onboarding.dry_run import dry_run
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import read_kept
from connorg.core.onboarding.replay import cancel as cancel_onboarding
from connorg.core.onboarding.replay import replay as replay_onboarding
from connorg.core.onboarding.submit import submit as submit_request
from connorg.core.organizations import read_back
from connorg.core.policy.rules import Refusal
from connorg.core.policy.ways_in import effects_of
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.answers import (
    conflict_problem,
    done,
    json_answer,
    onboarding_answer,
    refusal_problem,
    result_answer,
    submitted_answer,
)
from connorg.functions.http.callers import actor_of, authorize_effects, caller_of
from connorg.functions.http.headers import IDEMPOTENCY_KEY, PREFER, traceparent_of
from connorg.functions.http.parameters import DRY_RUN, Parameter, body_of, takes, truth
from connorg.functions.http.result_tokens import TOKEN, require_not_expired, require_token
from connorg.settings import settings
from connorg.wiring import services

READ_BACK: Parameter[bool | None] = Parameter(
    "readBack",
    "Read the identity source that Graph stored; default: CONNORG_READ_BACK.",
    {"type": "boolean"},
    truth,
    None,
)


@takes(DRY_RUN, READ_BACK, PREFER, IDEMPOTENCY_KEY)
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """POST connected-organizations"""
    request = ask(OnboardingRequest, body_of(req))
    authorize_effects(effects_of(request))
    if DRY_RUN.of(req):
        forecast = await dry_run(services(), request, channels.HTTP)
        return json_answer(forecast.model_dump(mode="json", exclude_none=True), 200)
    preference = PREFER.of(req)
    wait = settings().wait_seconds if preference.wait is None else preference.wait
    submission = Submission(
        request,
        channel=channels.HTTP,
        caller=caller_of(),
        idempotency_key=IDEMPOTENCY_KEY.of(req),
        traceparent=traceparent_of(req),
        by=actor_of(),
    )
    result = await submit_request(services(), submission, wait)
    if isinstance(result, Refusal):
        raise refusal_problem(result)
    if isinstance(result, Conflict):
        raise conflict_problem(result, request)
    shown = seen_by(await _with_resolved_source(req, result.onboarding), request)
    return submitted_answer(replace(result, onboarding=shown), Addresses(req), preference.headers)


@takes(READ_BACK)
async def read(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings/{id}: always 200 while it exists, whatever became of it."""
    onboarding = await _with_resolved_source(req, await _found(req))
    return json_answer(onboarding.view_with_history(), 200)


@takes(TOKEN)
async def result(req: func.HttpRequest) -> func.HttpResponse:
    """GET onboardings/{id}/result: for pollers, which send no key. Graph is not called."""
    onboarding_id = str(req.route_params.get("id", "")).lower()
    is_one = is_onboarding_id(onboarding_id)
    onboarding = await read_kept(services().ledger, onboarding_id) if is_one else None
    require_token(req, onboarding_id, onboarding)
    if onboarding is None:
        raise _not_found()
    require_not_expired(onboarding)
    return result_answer(onboarding, Addresses(req))


async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/{id}/retry"""
    replayed = _changed(await replay_onboarding(services(), _id_of(req), actor_of()))
    return onboarding_answer(replayed, 202, Addresses(req), done(Step.REPLAYED))


async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """DELETE onboardings/{id}"""
    canceled = _changed(await cancel_onboarding(services(), _id_of(req), actor_of()))
    return onboarding_answer(canceled, 200, Addresses(req), done(Step.CANCELED))


async def _with_resolved_source(req: func.HttpRequest, onboarding: Onboarding) -> Onboarding:
    """Return it with the identity source that Graph resolved, if the caller or a setting asks."""
    asked = READ_BACK.of(req)
    if settings().read_back if asked is None else asked:
        return await read_back(services(), onboarding)
    return onboarding


async def _found(req: func.HttpRequest) -> Onboarding:
    onboarding = await read_kept(services().ledger, _id_of(req))
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
        "Use the id in the answer to the request, or list the onboardings.",
    )
