"""Every HTTP function that changes something, with a line of the audit for each call."""

import functools
import re
from collections.abc import Mapping
from contextlib import suppress

import azure.functions as func

from connorg.contract import channels
from connorg.contract.effects import Effect, Role
from connorg.contract.problems import ProblemError
from connorg.functions.http.callers import actor_of, asked_effects, note_effects
from connorg.functions.http.parameters import DRY_RUN
from connorg.functions.http.problem_boundary import Handler
from connorg.telemetry import hooks as telemetry
from connorg.telemetry.audit import NOBODY, Change, audit

EFFECTS: Mapping[str, Effect] = {
    "SubmitOrganization": Effect.CONNECT,
    "ChangeOrganization": Effect.CHANGE,
    "DeleteOrganization": Effect.DELETE,
    "AddSponsor": Effect.SPONSOR,
    "RemoveSponsor": Effect.SPONSOR,
    "AddOrganizationToSubject": Effect.CHANGE,
    "ReplayOnboarding": Effect.REPLAY,
    "ReplayAll": Effect.REPLAY,
    "CancelAll": Effect.CANCEL,
    "CancelOnboarding": Effect.CANCEL,
    "ForgetPartner": Effect.FORGET,
    "SubmitBatch": Effect.CONNECT,
    "ReplayBatch": Effect.REPLAY,
    "CancelBatch": Effect.CANCEL,
    "ReceiveWebhook": Effect.CONNECT,
}
"""By the name of the function; those that are not here change nothing."""

_ID = re.compile(r"[0-9A-Za-z-]{1,80}")
_BATCH = re.compile(r"/batches/(batch-[0-9a-f]{32})$")
_SOURCE = re.compile(r"[a-z0-9-]{1,64}")
_UNKNOWN = "unknown"


def audited(handler: Handler, effect: Effect, role: Role | None) -> Handler:
    """Let a handler, whose problems are answers already, leave a line for what it was asked."""

    @functools.wraps(handler)
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        note_effects(())
        response = await handler(req)
        if not _changes_nothing(req, response):
            channel = _channel_of(req)
            change = Change(
                _carried_out(effect),
                subject=_subject_of(req, response),
                by=actor_of() if channel == channels.HTTP else channel,
                channel=channel,
                role=role or NOBODY,
                status=response.status_code,
                code=response.headers.get("x-ms-error-code", ""),
            )
            audit(change)
        return response

    return answer


def _carried_out(effect: Effect) -> Effect:
    """Return what a request asks for that begins something, as far as it was read."""
    asked = asked_effects()
    return Effect.PROPOSE if Effect.PROPOSE in asked and Effect.CONNECT not in asked else effect


def _changes_nothing(req: func.HttpRequest, response: func.HttpResponse) -> bool:
    """Whether it was a dry run, or an event of a webhook that asks for nothing."""
    if "source" in req.route_params:  # what senders append to their address means nothing
        return bool(response.status_code == 204)  # noqa: PLR2004
    with suppress(ProblemError):
        return DRY_RUN.of(req)
    return False


def _subject_of(req: func.HttpRequest, response: func.HttpResponse) -> str:
    named = req.route_params.get("id") or req.route_params.get("requestId")
    if named is not None:
        return named.lower() if _ID.fullmatch(named) else _UNKNOWN
    batch = _BATCH.search(response.headers.get("Location", ""))
    return batch[1] if batch else telemetry.onboarding_id() or _UNKNOWN


def _channel_of(req: func.HttpRequest) -> str:
    source = req.route_params.get("source")
    if source is None:
        return channels.HTTP
    return channels.webhook(source.lower() if _SOURCE.fullmatch(source.lower()) else _UNKNOWN)
