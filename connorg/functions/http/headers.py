"""The request headers that steer an onboarding."""

import re
from dataclasses import dataclass

import azure.functions as func

from connorg.contract.idempotency_key import normalise_idempotency_key
from connorg.contract.problems import ProblemError, ProblemKind

_LONGEST_WAIT = 100  # seconds
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Preference:
    """How long the caller waits, and what to say of it in Preference-Applied."""

    wait: float
    applied: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Preference-Applied": self.applied} if self.applied else {}


def preference_of(request: func.HttpRequest, default_wait: float) -> Preference:
    """Read Prefer (RFC 7240): `wait=N` bounds the wait, `respond-async` alone means none."""
    respond_async = False
    for preference in (request.headers.get("prefer") or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        value = value.strip().strip('"')
        if name.strip().lower() == "wait" and value.isascii() and value.isdigit():
            seconds = min(int(value[:4]), _LONGEST_WAIT)
            return Preference(seconds, f"wait={seconds}")
        respond_async = respond_async or name.strip().lower() == "respond-async"
    return Preference(0, "respond-async") if respond_async else Preference(default_wait)


def traceparent_of(request: func.HttpRequest) -> str | None:
    """Return the caller's trace; None: there is none that is one (W3C, "Trace Context")."""
    header = request.headers.get("traceparent") or ""
    return header if _TRACEPARENT.fullmatch(header) else None


def idempotency_key_of(request: func.HttpRequest) -> str | None:
    header = request.headers.get("idempotency-key")
    if header is None:
        return None
    try:
        return normalise_idempotency_key(header)
    except ValueError as error:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            f"Idempotency-Key {error}.",
            "Send a new random value, such as a UUID, for each new request.",
        ) from None
