"""Addresses as OData reads them: segments in any case, keys in parentheses, arguments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from infra.local.graph import grammar
from infra.local.graph.errors import GraphError, bad_request, not_emulated, not_found_segment
from infra.local.graph.grammar import RefusedError
from infra.local.graph.model import STRING

_PARENTHESES = re.compile(r"([^()]+)\((.*)\)", re.DOTALL)
_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|myorganization")
_NAMESPACES = ("microsoft.graph.", "graph.")


@dataclass(frozen=True, slots=True)
class Segment:
    """``arguments`` is the text in its parentheses, if it has any."""

    name: str
    arguments: str | None = None

    def __str__(self) -> str:
        return self.name if self.arguments is None else f"{self.name}({self.arguments})"


def read_path(raw: str) -> tuple[str, list[Segment]]:
    """The version and what follows it, of a path as it was sent. A tenant behind the version says
    nothing that the token does not say."""
    parts: list[str] = []
    for part in raw.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(unquote(part))
    version, rest = (parts[0].lower(), parts[1:]) if parts else ("", [])
    if len(rest) > 1 and _TENANT.fullmatch(rest[0]):
        rest = rest[1:]
    return version, [_segment(part) for part in rest]


def _segment(text: str) -> Segment:
    found = _PARENTHESES.fullmatch(text)
    return Segment(found[1], found[2]) if found else Segment(text)


def read_key(arguments: str, type_name: str) -> str | None:
    """The key in the parentheses behind an entity set; None where they are empty.

    Raise GraphError."""
    if not arguments.strip():
        return None
    try:
        found = grammar.parse_named(f"({arguments})", {})
    except RefusedError as refused:
        raise bad_request(str(refused)) from None
    names = [name for name, _ in found]
    if any(name is not None for name in names) and [str(name).lower() for name in names] != ["id"]:
        raise bad_request(
            f"The key in the request URI is not valid for resource '{type_name}'. Ensure that the "
            "names and number of key properties match the declared key of the resource "
            f"'{type_name}'."
        )
    if len(found) > 1:
        raise bad_request(
            "The number of keys specified in the URI does not match number of key properties for "
            f"the resource '{type_name}'."
        )
    return _text(found[0][1])


def _text(node: grammar.Node) -> str:
    if not isinstance(node, grammar.Constant) or node.type_name != STRING:
        raise bad_request("Bad Request - Error in query syntax.")
    return str(node.value)


def is_function(segment: Segment, name: str) -> bool:
    plain = segment.name
    for namespace in _NAMESPACES:
        if plain.lower().startswith(namespace):
            plain = plain[len(namespace) :]
    return plain.lower() == name.lower()


def read_argument(segment: Segment, name: str, aliases: Mapping[str, str]) -> str:
    """The one argument of a function, which has this name. Raise GraphError."""
    try:
        found = grammar.parse_named(segment.arguments or "", aliases)
    except RefusedError as refused:
        raise bad_request(str(refused)) from None
    if [str(given).lower() for given, _ in found] != [name.lower()]:
        raise not_found_segment(segment.name)
    node = found[0][1]
    if isinstance(node, grammar.Dotted):
        raise bad_request(
            f"The child type '{node.name}' in a cast was not an entity type. Casts can only be "
            "performed on entity types."
        )
    if not isinstance(node, grammar.Constant) or node.type_name is None:
        raise not_emulated("This argument of a function")
    return _argument(node)


def _argument(node: grammar.Constant) -> str:
    if node.type_name != STRING:
        raise bad_request(
            f"Expression of type '{node.type_name}' cannot be converted to type '{STRING}'."
        )
    return str(node.value)


def refused_segment(before: str, segment: Segment) -> GraphError:
    """For what begins with a dollar behind a collection."""
    if segment.name.lower() == "$value":
        return bad_request("$value cannot be applied to a collection.")
    return bad_request(
        f"The request URI is not valid. Since the segment '{before}' refers to a collection, this "
        "must be the last segment in the request URI or it must be followed by an function or "
        "action that can be bound to it otherwise all intermediate segments must refer to a single "
        "resource."
    )
