"""The query options that Graph understands here; any other is refused, never ignored."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from infra.local.graph.calls import CONNECTED_ORGANIZATIONS, Answer, Call
from infra.local.graph.directory import Directory
from infra.local.graph.errors import GraphError, bad_request
from infra.local.graph.organizations import SPONSOR_KINDS, Organization
from infra.local.graph.sources import NAMESPACE, SOURCE_PROPERTIES

PAGE_SIZE = 100
_LARGEST_TOP = 999

type Predicate = Callable[[Organization], bool]

_LITERAL = r"'(?P<literal>(?:[^']|'')*)'"
_PROPERTY_CLAUSE = re.compile(rf"(?P<name>displayName|state) eq {_LITERAL}")
_SOURCE_CLAUSE = re.compile(
    rf"identitySources/any\((?P<x>\w+):(?P=x)/microsoft\.graph\.(?P<type>\w+)/(?P<name>\w+) eq "
    rf"{_LITERAL}\)"
)
_AND = re.compile(r"\s+and\s+")


class Options(NamedTuple):
    """``after`` is the number of the last organization on the page before."""

    predicate: Predicate
    top: int
    after: int
    select: tuple[str, ...]
    expand: tuple[str, ...]
    with_count: bool


def read_options(call: Call, allowed: Iterable[str]) -> Options:
    """Raises GraphError."""
    query = call.query
    for name in query:
        if name.startswith("$") and name not in allowed:
            raise bad_request(f"The query option '{name}' is not supported here.")
    expand = _names(query, "$expand")
    if unknown := set(expand) - set(SPONSOR_KINDS):
        raise bad_request(f"'{unknown.pop()}' cannot be expanded.")
    return Options(
        predicate=_read_filter(query["$filter"]) if "$filter" in query else lambda _: True,
        top=_number(query.get("$top", str(PAGE_SIZE)), "$top", _LARGEST_TOP),
        after=_number(query.get("$skiptoken", "0"), "$skiptoken"),
        select=_names(query, "$select"),
        expand=expand,
        with_count=query.get("$count") == "true",
    )


def page(organizations: Iterable[Organization], call: Call, directory: Directory) -> Answer:
    allowed = {"$filter", "$top", "$skiptoken", "$select", "$expand", "$count"}
    options = read_options(call, allowed)
    matching = [organization for organization in organizations if options.predicate(organization)]
    rest = [organization for organization in matching if organization.number > options.after]
    shown = rest[: options.top]
    body: dict[str, Any] = {"@odata.context": _context(call, options)}
    if options.with_count:
        body["@odata.count"] = len(matching)
    if len(rest) > len(shown):
        body["@odata.nextLink"] = _next_link(call, shown[-1].number)
    body["value"] = [show(organization, call, options, directory) for organization in shown]
    return Answer(200, body)


def single(organization: Organization, call: Call, directory: Directory) -> Answer:
    options = read_options(call, {"$select", "$expand"})
    entity = show(organization, call, options, directory)
    return Answer(200, {"@odata.context": _context(call, options) + "/$entity", **entity})


def show(
    organization: Organization, call: Call, options: Options, directory: Directory
) -> dict[str, Any]:
    shown = selected(organization.entity(call.version), options.select, "connectedOrganization")
    for kind in options.expand:
        shown[kind] = [reference(id_, directory) for id_ in organization.sponsors[kind]]
    return shown


def reference(object_id: str, directory: Directory) -> dict[str, Any]:
    """A user or group where a directoryObject stands, so its type must be said."""
    try:
        item = directory.find(object_id)
    except GraphError:  # deleted since: what is left of it is its id
        return {"@odata.type": f"#{NAMESPACE}directoryObject", "id": object_id}
    return {"@odata.type": f"#{NAMESPACE}{item.type_name}", **item.entity()}


def selected(entity: dict[str, Any], select: Iterable[str], type_name: str) -> dict[str, Any]:
    names = tuple(select)
    for name in names:
        if name not in entity:
            raise bad_request(
                f"Could not find a property named '{name}' on type '{NAMESPACE}{type_name}'."
            )
    return {name: entity[name] for name in names} if names else entity


def _read_filter(text: str) -> Predicate:
    clauses: list[Predicate] = []
    rest = text.strip()
    while True:
        match = _PROPERTY_CLAUSE.match(rest) or _SOURCE_CLAUSE.match(rest)
        if match is None:
            text = f"Invalid filter clause: '{text}' is not supported."
            raise bad_request(text, "unknownFilter")
        clauses.append(_predicate(match))
        rest = rest[match.end() :]
        if not rest:
            return clauses[0] if len(clauses) == 1 else _all(clauses)
        joint = _AND.match(rest)
        if joint is None:
            raise bad_request(f"Invalid filter clause: there is a syntax error in '{text}'.")
        rest = rest[joint.end() :]


def _all(clauses: list[Predicate]) -> Predicate:
    return lambda organization: all(clause(organization) for clause in clauses)


def _predicate(match: re.Match[str]) -> Predicate:
    wanted = match["literal"].replace("''", "'").casefold()
    name = match["name"]
    if match.re is _SOURCE_CLAUSE:
        return _source_predicate(match["type"], name, wanted)
    if name == "state":
        return lambda organization: organization.state.casefold() == wanted
    return lambda organization: organization.display_name.casefold() == wanted


def _source_predicate(type_name: str, name: str, wanted: str) -> Predicate:
    if name not in {"displayName", *SOURCE_PROPERTIES.get(type_name, ())}:
        raise bad_request(f"Could not find '{name}' on type '{NAMESPACE}{type_name}'.")

    def matches(organization: Organization) -> bool:
        source = organization.source
        return source.type_name == type_name and source.folded.get(name, "") == wanted

    return matches


def _names(query: Any, option: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in query.get(option, "").split(",") if name.strip())


def _number(text: str, option: str, largest: int | None = None) -> int:
    if not (text.isascii() and text.isdigit()) or (largest and not 0 < int(text) <= largest):
        raise bad_request(f"Invalid value '{text}' for the query option '{option}'.")
    return int(text)


def _context(call: Call, options: Options) -> str:
    columns = ",".join([*options.select, *(f"{kind}()" for kind in options.expand)])
    return call.context(CONNECTED_ORGANIZATIONS) + (f"({columns})" if columns else "")


def _next_link(call: Call, last: int) -> str:
    query = urlencode({**call.query, "$skiptoken": str(last)}, safe="$", quote_via=quote)
    return f"{call.base}/{CONNECTED_ORGANIZATIONS}?{query}"
