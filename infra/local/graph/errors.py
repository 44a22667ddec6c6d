"""Graph's errors: one exception that knows its answer, and the ones that come up more than once."""

from collections.abc import Mapping
from typing import Literal

# What nobody has published Graph's answer to. Config.refusals can give one.
type Situation = Literal[
    "duplicateTenant",
    "duplicateDomain",
    "duplicateDisplayName",
    "unknownDomain",
    "ownTenant",
    "ownDomain",
    "secondSource",
    "inlineSponsors",
    "readUnknown",
    "updateUnknown",
    "deleteUnknown",
    "deleteHeld",
    "repeatedSponsor",
    "unknownSponsor",
    "unknownFilter",
]

# What Graph says for a status when nobody has named a code.
DEFAULT_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "UnAuthorized",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    501: "NotEmulated",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class GraphError(Exception):
    """Carries the status, the code and the message of Graph's error envelope.

    ``situation`` is set where they are assumed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        situation: Situation | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.situation: Situation | None = situation


def bad_request(message: str, situation: Situation | None = None) -> GraphError:
    return GraphError(400, "BadRequest", message, situation=situation)


def not_found(what: str, situation: Situation | None = None) -> GraphError:
    return GraphError(404, "ResourceNotFound", f"{what} was not found.", situation=situation)


def not_found_segment(name: str) -> GraphError:
    return GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{name}'.")


def no_such_object(object_id: str) -> GraphError:
    """The directory's own 404, which differs from entitlement management's."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects "
        "are not present.",
    )


def not_emulated(what: str, situation: Situation | None = None) -> GraphError:
    """For what Graph may well do and the emulator does not: no plausible answer, but this."""
    return GraphError(501, "NotEmulated", f"{what} is not emulated.", situation=situation)


def throttled(retry_after: str) -> GraphError:
    return GraphError(
        429, "TooManyRequests", "Too many requests. Try again later.", {"Retry-After": retry_after}
    )
