"""The functions of the app, as the worker gets them."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import azure.functions as func

import function_app
from connorg.functions.http.problem_boundary import Handler
from connorg.functions.http.route import Route


@dataclass(frozen=True)
class Registered:
    trigger: dict[str, Any]
    call: Callable[[Any], Awaitable[Any]]


def _functions_of(app: func.FunctionApp) -> dict[str, Registered]:
    """Return them by name. An app gives its functions once."""
    found = {}
    for function in app.get_functions():
        trigger = function.get_trigger()
        assert trigger is not None
        name = str(function.get_function_name())
        found[name] = Registered(trigger.get_dict_repr(), function.get_user_function())
    return found


FUNCTIONS = _functions_of(function_app.app)
HTTP_FUNCTIONS = {
    name: function
    for name, function in FUNCTIONS.items()
    if function.trigger["type"] == "httpTrigger"
}


def registered(routes: Iterable[Route], handler: Handler) -> dict[str, Registered]:
    """Return what becomes of routes if all have this handler."""
    app = func.FunctionApp()
    for route in routes:
        replace(route, handler=handler).register(app)
    return _functions_of(app)
