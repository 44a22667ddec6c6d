"""HTTP requests as the worker gives them to a function: the query stands in the address."""

from collections.abc import Mapping
from urllib.parse import urlencode

import azure.functions as func


def http_request(
    method: str = "GET",
    route: str = "x",
    parameters: Mapping[str, str] = {},
    body: bytes = b"",
    **more: Mapping[str, str],
) -> func.HttpRequest:
    """Make one. `more`: `headers`, `in_path`."""
    query = f"?{urlencode(parameters)}" if parameters else ""
    return func.HttpRequest(
        method,
        f"https://app.example/api/{route}{query}",
        headers=more.get("headers", {}),
        route_params=more.get("in_path", {}),
        body=body,
    )
