"""Which HTTP function a request belongs to (Azure Functions host, HTTP routing).

The functions are tried in the order of their names, ignoring case, and the first whose route and
methods match is taken: a literal segment has no precedence over a parameter.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import unquote

from infra.local.functions_host.definition import HTTP, CannotStartError, Function

RESERVED = ("admin", "runtime")
PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<rule>\w+))?(?P<optional>\??)\}")
GUID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
CONSTRAINTS: Mapping[str | None, re.Pattern[str]] = {
    None: re.compile(r".+", re.DOTALL),
    "alpha": re.compile(r"[a-z]*", re.IGNORECASE),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "guid": re.compile(rf"{GUID}|\{{{GUID}\}}|\({GUID}\)", re.IGNORECASE),
    "int": re.compile(r"[+-]?\d{1,10}"),
    "long": re.compile(r"[+-]?\d{1,19}"),
}


@dataclass(frozen=True)
class Segment:
    """One part of a route: a literal (in lower case), or a parameter with a constraint."""

    literal: str = ""
    parameter: str = ""
    constraint: str | None = None
    is_optional: bool = False
    is_rest: bool = False


@dataclass(frozen=True)
class Route:
    """The route of a function, prefix included. No methods means every method."""

    function: Function
    segments: Sequence[Segment]
    methods: frozenset[str]

    def match(self, path: Sequence[str]) -> dict[str, str] | None:
        """The route parameters if the (decoded) segments of a path match, else None."""
        parameters: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.is_rest:
                rest = "/".join(path[position:])
                return {**parameters, segment.parameter: rest} if rest else parameters
            if position == len(path):
                return parameters if segment.is_optional else None
            if not segment.parameter:
                if path[position].lower() != segment.literal:
                    return None
            elif CONSTRAINTS[segment.constraint].fullmatch(path[position]):
                parameters[segment.parameter] = path[position]
            else:
                return None
        return parameters if len(path) <= len(self.segments) else None


class Router:
    """The routes of all HTTP functions.

    Raises CannotStartError for routes that the real host refuses: reserved ones, and two functions
    with the same route and a method in common. Differs: there, only those functions are missing.
    """

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        ordered = sorted(functions, key=lambda function: function.name.lower())
        self._routes = [_route(function, prefix) for function in ordered if function.kind == HTTP]
        for one, other in combinations(self._routes, 2):
            if one.segments == other.segments and _share_a_method(one, other):
                raise CannotStartError(
                    f"The functions '{one.function.name}' and '{other.function.name}' have the "
                    "same route and a method in common."
                )

    def find(self, method: str, raw_path: str) -> tuple[Function, dict[str, str]] | None:
        """The function for a request, and its route parameters. A wrong method finds nothing."""
        path = _path_segments(raw_path)
        for route in self._routes:
            if not route.methods or method.upper() in route.methods:
                parameters = route.match(path)
                if parameters is not None:
                    return route.function, parameters
        return None


def _route(function: Function, prefix: str) -> Route:
    template = str(function.trigger.get("route") or function.name).strip("/")
    if template.lower().startswith(RESERVED):
        raise CannotStartError(
            f"The route '{template}' of the function '{function.name}' conflicts with a built-in "
            f"route: it must not start with {' or '.join(RESERVED)}."
        )
    parts = [part for part in f"{prefix}/{template}".split("/") if part]
    methods = function.trigger.get("methods") or ()
    return Route(
        function,
        tuple(_segment(part, function) for part in parts),
        frozenset(method.upper() for method in methods),
    )


def _segment(part: str, function: Function) -> Segment:
    """Differs: the real host also knows defaults, more constraints, and `a-{b}.c` in a segment."""
    if "{" not in part:
        return Segment(literal=part.lower())
    match = PARAMETER.fullmatch(part)
    if not match or match["rule"] not in CONSTRAINTS:
        raise CannotStartError(
            f"The route of the function '{function.name}' has '{part}', which this local host "
            f"does not know; constraints it knows: {', '.join(filter(None, CONSTRAINTS))}."
        )
    return Segment(
        parameter=match["name"],
        constraint=match["rule"],
        is_optional=bool(match["optional"]),
        is_rest=bool(match["rest"]),
    )


def _share_a_method(one: Route, other: Route) -> bool:
    return not one.methods or not other.methods or bool(one.methods & other.methods)


def _path_segments(raw_path: str) -> list[str]:
    """Decoded, except for %2F: Kestrel leaves that one alone. A trailing slash does not count."""
    path = raw_path.removeprefix("/").removesuffix("/")
    kept = re.sub("%2f", "%252F", path, flags=re.IGNORECASE)
    return [unquote(part) for part in kept.split("/")] if path else []
