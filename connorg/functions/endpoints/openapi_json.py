"""The HTTP function that describes all others."""

import functools
import json
from collections.abc import Sequence

import azure.functions as func

from connorg.functions.http.problem_boundary import Handler
from connorg.functions.http.route import Route


def openapi_handler(routes: Sequence[Route]) -> Handler:
    """Make the function that answers GET openapi.json with the routes as they are registered."""

    @functools.cache
    def text() -> str:
        from connorg.functions.openapi.document import document  # noqa: PLC0415  nobody waits for it

        return json.dumps(document(routes), ensure_ascii=False)

    async def describe(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker's name for it
        return func.HttpResponse(text(), mimetype="application/json")

    return describe
