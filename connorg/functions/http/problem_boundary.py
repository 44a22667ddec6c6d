"""The edge of every HTTP function: what goes wrong inside becomes a problem answer."""

import functools
import logging
import math
from collections.abc import Awaitable, Callable

import azure.functions as func

from connorg.contract.effects import Effect, Role
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.versions import NewerVersionError
from connorg.core.ports import StorageUnavailableError
from connorg.core.throttle.throttle import GraphUnavailableError
from connorg.functions.http.answers import problem_answer
from connorg.functions.http.callers import authorize, recognise, require_way_in
from connorg.functions.http.parameters import refuse_what_is_not_taken, taken_by
from connorg.settings import ConfigurationError, settings
from connorg.telemetry.unexpected import UnexpectedError

_log = logging.getLogger(__name__)

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

_STORAGE_RETRY = {"Retry-After": "10"}  # seconds
_UPGRADE_RETRY = {"Retry-After": "300"}


def with_problem_answers(
    handler: Handler,
    role: Role | None,
    effect: Effect | None = None,
    *,
    needs_settings: bool = True,
) -> Handler:
    """Let a handler raise what it likes. No role: anybody may call. No effect: it reads."""
    taken = taken_by(handler)

    @functools.wraps(handler)
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        try:
            if needs_settings:
                settings()
            if role is not None:
                await recognise(req)
                authorize(role)
            if taken is not None:
                refuse_what_is_not_taken(req, taken, changes=effect is not None)
            if effect is not None:
                require_way_in(effect)
            return await handler(req)
        except Exception as error:  # noqa: BLE001  the host would answer 500 with no body
            return problem_answer(_problem_of(error))

    return answer


def _problem_of(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case MalformedBodyError():
            return ProblemError(
                ProblemKind.MALFORMED_BODY,
                str(error),
                "Send one JSON object, as in the documentation.",
            )
        case InvalidValuesError():
            return ProblemError(
                ProblemKind.INVALID_VALUES,
                "Each fault is listed with a pointer to its place.",
                "Correct them all and send the request again.",
                errors=error.faults,
            )
        case StorageUnavailableError():
            _log.warning("storage is not reachable: %s (%s)", error, type(error.__cause__).__name__)
            return ProblemError(
                ProblemKind.STORAGE_UNAVAILABLE,
                "The app can't reach its storage account, so it can't store requests.",
                "Send the request again later.",
                headers=_STORAGE_RETRY,
            )
        case NewerVersionError():
            _log.warning("an answer waits for a newer version of connorg. %s", error)
            return ProblemError(
                ProblemKind.STORAGE_UNAVAILABLE,
                "The app was rolled back, and a newer version of it wrote what this is about.",
                "Send the request again when the newer version is back; nothing is lost.",
                headers=_UPGRADE_RETRY,
            )
        case GraphUnavailableError(error=cause):
            return ProblemError(
                ProblemKind.GRAPH_UNAVAILABLE,
                cause.message,
                cause.action or "Send the request again later.",
                headers={"Retry-After": str(max(1, math.ceil(error.retry_after)))},
                graph_code=cause.graph_code,
                graph_request_id=cause.graph_request_id,
            )
        case ConfigurationError():
            _log.error("%s", error)
            return ProblemError(
                ProblemKind.MISCONFIGURED, str(error), "Correct the app settings and restart."
            )
        case _:
            _log.error("a function failed", exc_info=UnexpectedError(error))
            return ProblemError(
                ProblemKind.INTERNAL_ERROR,
                "An unexpected error occurred.",
                "Send the request again; if it fails again, read the function app's log.",
            )
