"""Graph's errors: one exception that knows its answer, and the ones that come up more than once."""

from collections.abc import Mapping

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
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class GraphError(Exception):
    """Carries the status, the code and the message of Graph's error envelope."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def not_found(what: str) -> GraphError:
    return GraphError(404, "ResourceNotFound", f"{what} was not found.")


def no_such_object(object_id: str) -> GraphError:
    """The directory's own 404, which differs from entitlement management's."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects "
        "are not present.",
    )


def throttled(retry_after: str) -> GraphError:
    return GraphError(
        429, "TooManyRequests", "Too many requests. Try again later.", {"Retry-After": retry_after}
    )
