"""Which HTTP function a request belongs to (Azure Functions host, HTTP routing).

The functions are tried in the order of their names, ignoring case, and the first whose route and
methods match is taken: a literal segment has no precedence over a parameter.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from infra.local.functions_host.definition import HTTP, Function, FunctionInErrorError
from infra.local.functions_host.route_template import Template, parse_template

RESERVED = ("admin", "runtime")
ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")
SLASH = 0x2F


@dataclass(frozen=True)
class Route:
    """`methods` in upper case; None for every method."""

    function: Function
    text: str
    template: Template
    methods: frozenset[str] | None

    def takes(self, method: str) -> bool:
        return self.methods is None or method.upper() in self.methods

    def conflicts_with(self, other: "Route") -> bool:
        if self.text.lower() != other.text.lower():
            return False
        if self.methods is None or other.methods is None:
            return True
        return bool(self.methods & other.methods)


class Router:
    """The routes of an app. `faults` says which functions are left out, and why.

    Raises HostInErrorError for a broken route template.
    """

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        # Code points of the upper case: "-" before digits before letters before "_".
        ordered = sorted(functions, key=lambda function: function.name.upper())
        self.faults: dict[str, str] = {}
        self._routes: list[Route] = []
        for function in ordered:
            if function.kind == HTTP:
                try:
                    self._add(function, prefix)
                except FunctionInErrorError as fault:
                    self.faults[function.name] = str(fault)

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """The function for a request, and its route parameters. A wrong method finds nothing.

        The path is decoded.
        """
        segments = path.removeprefix("/").split("/")
        for route in self._routes:
            if route.takes(method):
                parameters = route.template.match(segments)
                if parameters is not None:
                    return route.function, parameters
        return None

    def _add(self, function: Function, prefix: str) -> None:
        text = str(function.trigger.get("route") or function.name)
        if text.lower().startswith(RESERVED):
            raise FunctionInErrorError(
                "The specified route conflicts with one or more built in routes"
            )
        methods = function.trigger.get("methods")
        route = Route(
            function,
            text,
            parse_template(f"{prefix}/{text}", function.name),
            None if methods is None else frozenset(map(str.upper, methods)),
        )
        for other in self._routes:
            if route.conflicts_with(other):
                raise FunctionInErrorError(
                    "The route specified conflicts with the route defined by function "
                    f"'{other.function.name}'"
                )
        self._routes.append(route)


def decoded_path(target: str) -> str | None:
    """The path of a request's target as Kestrel gives it, None where it answers 400.

    %2F stays as it is, and so does what is not UTF-8; dot segments are resolved afterwards.
    """
    path = ESCAPES.sub(lambda match: _decoded(match[0]), target.partition("?")[0])
    if "\0" in path:
        return None
    kept: list[str] = []
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if segment in {".", ".."}:
            if segment == ".." and len(kept) > 1:
                kept.pop()
            if index == len(segments) - 1:
                kept.append("")
        else:
            kept.append(segment)
    return "/".join(kept)


def _decoded(escapes: str) -> str:
    values = bytes.fromhex(escapes.replace("%", ""))
    text = ""
    position = 0
    while position < len(values):
        for length in range(1, 5):
            piece = values[position : position + length]
            try:
                character = piece.decode()
            except UnicodeDecodeError:
                continue
            if character and piece != bytes([SLASH]):
                text += character
                position += length
                break
        else:
            text += escapes[3 * position : 3 * position + 3]
            position += 1
    return text
