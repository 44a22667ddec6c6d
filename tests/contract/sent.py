"""Whether what connorg sends to Graph fits Graph's metadata: path, query and body."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.contract.csdl import Property, Schema

# Of the metadata's EntityContainer, which the files are cut down by.
_ROOTS = {
    "identityGovernance": Property("graph.identityGovernance"),
    "tenantRelationships": Property("graph.tenantRelationship"),
    "users": Property("Collection(graph.user)"),
    "groups": Property("Collection(graph.group)"),
}
_CALL = re.compile(r"(?P<name>\w+)\((?P<parameter>\w+)='[^']*'\)")
_OPTIONS = {"$top": re.compile(r"\d+"), "$skiptoken": re.compile(r"id-'[0-9a-f-]+'")}
_NO_OPTION = re.compile(r"(?!)")
_CLAUSE = re.compile(
    r"(?:(?P<property>\w+)|(?P<collection>\w+)/any\((?P<x>\w+):(?P=x)/microsoft\.graph\.(?P<type>\w+)"
    r"/(?P<member>\w+)) eq '(?P<literal>(?:[^']|'')*)'(?(x)\))"
)
_METHODS_ON_ONE = {"GET", "PATCH", "DELETE"}
_METHODS_ON_MANY = {"GET", "POST"}


class NotInTheMetadataError(Exception):
    """A segment of a path that leads nowhere."""


class Request(NamedTuple):
    """As the emulator logs it: `path` is decoded and has its query."""

    method: str
    path: str
    body: Any = None


def misfits(schema: Schema, request: Request, base: str) -> Iterator[str]:
    """What is wrong with a request. `base`: the root and the version that references need."""
    path, _, query = request.path.partition("?")
    segments = path.strip("/").split("/")[1:]
    is_reference = segments[-1] == "$ref"
    try:
        at = at_the_end(schema, segments[: -1 if is_reference else None])
    except NotInTheMetadataError as error:
        yield str(error)
        return
    if is_reference:
        yield from _misfits_of_reference(schema, request, at, base)
    else:
        yield from _misfits_of_object(schema, request, at)
    if query:
        yield from _misfits_of_query(schema, query, at)


def at_the_end(schema: Schema, segments: list[str]) -> Property:
    """What a path leads to. Raise NotInTheMetadataError."""
    first, *rest = segments
    if first not in _ROOTS:
        raise NotInTheMetadataError(f"{first} is no root")
    at = _ROOTS[first]
    for segment in rest:
        if at.is_collection:
            at = Property(f"graph.{at.element}")  # the segment is a key
        elif call := _CALL.fullmatch(segment):
            at = _returned(schema, call, at)
        elif segment in schema.navigations(at.element):
            at = schema.navigations(at.element)[segment]
        else:
            raise NotInTheMetadataError(f"{at.element} has no navigation {segment}")
    return at


def _returned(schema: Schema, call: re.Match[str], at: Property) -> Property:
    function = schema.functions.get(call["name"])
    if function is None:
        raise NotInTheMetadataError(f"{call['name']} is no function")
    if list(function.parameters) != ["bindingParameter", call["parameter"]]:
        raise NotInTheMetadataError(f"{call['name']} has no parameter {call['parameter']}")
    if function.parameters["bindingParameter"].element != at.element:
        raise NotInTheMetadataError(f"{call['name']} is not bound to {at.element}")
    return function.returns


def _misfits_of_object(schema: Schema, request: Request, at: Property) -> Iterator[str]:
    if request.method not in (_METHODS_ON_MANY if at.is_collection else _METHODS_ON_ONE):
        yield f"{request.method} does not fit {at.type_name}"
    if request.method in {"POST", "PATCH"}:
        yield from _misfits_of_new(schema, request.body, at)
    elif request.body is not None:
        yield f"{request.method} has a body"


def _misfits_of_new(schema: Schema, body: Any, at: Property) -> Iterator[str]:
    if not isinstance(body, dict):
        yield "the body is no object"
        return
    if "id" in body:
        yield "the id is Graph's to give"
    yield from schema.misfits({"id": "x", **body}, Property(f"graph.{at.element}"), at.element)


def _misfits_of_reference(
    schema: Schema, request: Request, at: Property, base: str
) -> Iterator[str]:
    match request.method, at.is_collection:
        case "DELETE", False:
            return
        case ("POST", True) | ("PUT", False):
            yield from _misfits_of_target(schema, request.body, at, base)
        case "POST", False:  # the page "Add connectedOrganization" alone has it so
            yield from _misfits_of_new(schema, request.body, at)
        case _:
            yield f"{request.method} does not fit a reference to {at.type_name}"


def _misfits_of_target(schema: Schema, body: Any, at: Property, base: str) -> Iterator[str]:
    address = body.get("@odata.id") if isinstance(body, dict) else None
    if not isinstance(address, str) or body.keys() != {"@odata.id"}:
        yield "the body is no reference"
    elif not address.startswith(f"{base}/"):
        yield f"{address} is not under {base}"
    else:
        segments = [unquote(segment) for segment in address.removeprefix(f"{base}/").split("/")]
        try:
            target = at_the_end(schema, segments)
        except NotInTheMetadataError as error:
            yield str(error)
            return
        if target.is_collection or target.element not in schema.derived(at.element):
            yield f"{target.type_name} is no {at.element}"


def _misfits_of_query(schema: Schema, query: str, at: Property) -> Iterator[str]:
    for option in query.split("&"):
        name, _, value = option.partition("=")
        if name == "$filter":
            yield from _misfits_of_filter(schema, value, at.element)
        elif not _OPTIONS.get(name, _NO_OPTION).fullmatch(value):
            yield f"{option} is no option"


def _misfits_of_filter(schema: Schema, text: str, type_name: str) -> Iterator[str]:
    clauses = list(_CLAUSE.finditer(text))
    if " and ".join(clause[0] for clause in clauses) != text:
        yield f"the filter {text} can't be read"
    for clause in clauses:
        name = clause["property"] or clause["collection"]
        declared = schema.properties(type_name).get(name)
        if declared is None:
            yield f"{type_name} has no property {name}"
        elif clause["collection"] is None:
            yield from schema.misfits(clause["literal"].replace("''", "'"), declared, name)
        elif clause["type"] not in schema.derived(declared.element):
            yield f"{clause['type']} is no concrete {declared.element}"
        elif clause["member"] not in schema.properties(clause["type"]):
            yield f"{clause['type']} has no property {clause['member']}"
