"""Which call does what, and what it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from infra.local.graph import handlers, rights_handlers
from infra.local.graph.access import (
    GRANT_APP_ROLES,
    GRANT_DIRECTORY_ROLES,
    READ_DIRECTORY_ROLES,
    READ_GROUPS,
    READ_ORGANIZATIONS,
    READ_PRINCIPALS,
    READ_TENANTS,
    READ_USERS,
    WRITE_ORGANIZATIONS,
    Permission,
    identify,
)
from infra.local.graph.calls import CONNECTED_ORGANIZATIONS, Answer, Call, error_answer
from infra.local.graph.errors import (
    GraphError,
    bad_request,
    not_emulated,
    not_found_segment,
)
from infra.local.graph.model import DIRECTORY_OBJECT, MODELS, NAMESPACE, ORGANIZATION, Model
from infra.local.graph.paths import (
    Segment,
    is_function,
    read_argument,
    read_key,
    refused_segment,
)
from infra.local.graph.state import State

_ORGANIZATION = f"{CONNECTED_ORGANIZATIONS}/{{key}}"
_SUBJECT = (
    "identityGovernance/entitlementManagement/accessPackageAssignmentRequests/{key}"
    "/accessPackageAssignment/accessPackageAssignmentResourceRoles/{key}"
    "/accessPackageSubject/connectedOrganization/$ref"
)
_FIND = "tenantRelationships/findTenantInformationBy"
_PRINCIPALS = "servicePrincipals"
_APP_ROLES = f"{_PRINCIPALS}/{{key}}/appRoleAssignments"
_DIRECTORY_ROLES = "roleManagement/directory/roleAssignments"
_ALL = frozenset({"v1.0", "beta"})
_BETA = frozenset({"beta"})

# What has keys, and of what type what they lead to is.
_SETS = {
    "connectedorganizations": ORGANIZATION,
    "internalsponsors": DIRECTORY_OBJECT,
    "externalsponsors": DIRECTORY_OBJECT,
    "directoryobjects": DIRECTORY_OBJECT,
    "users": f"{NAMESPACE}user",
    "groups": f"{NAMESPACE}group",
}


# What Graph has and the emulator has not: "not found" would be no answer of Graph's.
_ELSEWHERE = frozenset(
    {"me", "organization", "domains", "applications", "devices", "directory", "directoryroles"}
    | {"invitations", "policies", "auditlogs", "subscriptions", "identity", "contacts", "contracts"}
    | {"accessreviews", "appconsent", "lifecycleworkflows", "privilegedaccess", "termsofuse"}
    | {"accesspackages", "accesspackageassignmentapprovals", "assignments", "assignmentpolicies"}
    | {"assignmentrequests", "catalogs", "resourceenvironments", "resourcerequests", "resources"}
    | {"settings", "subjects", "accesspackageassignmentpolicies", "accesspackageassignments"}
    | {"accesspackagecatalogs", "entitlementmanagement", "multitenantorganization"}
)


@dataclass(frozen=True, slots=True)
class Route:
    """A part in braces stands for a key, a type's name, or a property of an organization; one in
    parentheses for a function's argument. Each of them is an argument of the handler."""

    method: str
    parts: tuple[str, ...]
    permission: Permission
    handler: Callable[..., Answer]
    versions: frozenset[str]


def _route(
    method: str,
    path: str,
    permission: Permission,
    handler: Callable[..., Answer],
    versions: frozenset[str] = _ALL,
) -> Route:
    return Route(method, tuple(path.split("/")), permission, handler, versions)


def _sponsor_routes(kind: str) -> list[Route]:
    path = f"{_ORGANIZATION}/{kind}"
    read, write = READ_ORGANIZATIONS, WRITE_ORGANIZATIONS

    def of_kind(handler: Callable[..., Answer]) -> Callable[..., Answer]:
        return lambda state, call, key, *rest: handler(state, call, key, kind, *rest)

    return [
        _route("GET", path, read, of_kind(handlers.list_sponsors)),
        _route("GET", f"{path}/$count", read, of_kind(handlers.count_sponsors)),
        _route("GET", f"{path}/{{type}}", read, of_kind(handlers.list_sponsors)),
        _route("GET", f"{path}/$ref", read, of_kind(handlers.list_sponsor_references)),
        _route("POST", f"{path}/$ref", write, of_kind(handlers.add_sponsor)),
        _route("PUT", f"{path}/$ref", write, handlers.not_served),
        _route("DELETE", f"{path}/$ref", write, handlers.not_served),
        _route("GET", f"{path}/{{key}}", read, of_kind(handlers.get_sponsor)),
        _route("DELETE", f"{path}/{{key}}/$ref", write, of_kind(handlers.remove_sponsor)),
    ]


_ROUTES = (
    _route("POST", CONNECTED_ORGANIZATIONS, WRITE_ORGANIZATIONS, handlers.create_organization),
    _route("GET", CONNECTED_ORGANIZATIONS, READ_ORGANIZATIONS, handlers.list_organizations),
    _route("GET", _ORGANIZATION, READ_ORGANIZATIONS, handlers.get_organization),
    _route("PATCH", _ORGANIZATION, WRITE_ORGANIZATIONS, handlers.update_organization),
    _route("DELETE", _ORGANIZATION, WRITE_ORGANIZATIONS, handlers.delete_organization),
    _route(
        "GET",
        f"{CONNECTED_ORGANIZATIONS}/$count",
        READ_ORGANIZATIONS,
        handlers.count_organizations,
    ),
    _route("GET", f"{_ORGANIZATION}/{{type}}", READ_ORGANIZATIONS, handlers.get_organization_as),
    _route("GET", f"{_ORGANIZATION}/{{property}}", READ_ORGANIZATIONS, handlers.get_property),
    *_sponsor_routes("internalSponsors"),
    *_sponsor_routes("externalSponsors"),
    _route("POST", _SUBJECT, WRITE_ORGANIZATIONS, handlers.add_to_subject, _BETA),
    _route("PUT", _SUBJECT, WRITE_ORGANIZATIONS, handlers.set_on_subject, _BETA),
    _route("GET", "users/{key}", READ_USERS, handlers.get_user),
    _route("GET", "groups/{key}", READ_GROUPS, handlers.get_group),
    _route("GET", "directoryObjects/{key}", READ_USERS, handlers.get_directory_object),
    _route("GET", f"{_FIND}DomainName(domainName)", READ_TENANTS, handlers.find_tenant_by_domain),
    _route("GET", f"{_FIND}TenantId(tenantId)", READ_TENANTS, handlers.find_tenant_by_id),
    _route("GET", _PRINCIPALS, READ_PRINCIPALS, rights_handlers.list_principals),
    _route("GET", f"{_PRINCIPALS}/{{key}}", READ_PRINCIPALS, rights_handlers.get_principal),
    _route(
        "GET",
        f"{_PRINCIPALS}(appId)",
        READ_PRINCIPALS,
        rights_handlers.get_principal_by_app,
    ),
    _route("GET", _APP_ROLES, READ_PRINCIPALS, rights_handlers.list_app_roles),
    _route("POST", _APP_ROLES, GRANT_APP_ROLES, rights_handlers.assign_app_role),
    _route("GET", _DIRECTORY_ROLES, READ_DIRECTORY_ROLES, rights_handlers.list_directory_roles),
    _route("POST", _DIRECTORY_ROLES, GRANT_DIRECTORY_ROLES, rights_handlers.assign_directory_role),
)
_FUNCTIONS = tuple(
    part.partition("(")[0] for route in _ROUTES for part in route.parts if "(" in part
)


def respond(state: State, call: Call, ids: dict[str, str]) -> Answer:
    """What Graph answers to one call, or to one item of a batch. All that the call does is done
    before this returns: a cut connection cannot leave it half done."""
    try:
        state.window.admit(state.config.throttle)
        _refuse_headers(call)
        call = replace(call, caller=identify(call, state.config))
        route, arguments = _find(call)
        route.permission.require(call.caller, state.config)
        return route.handler(state, call, *arguments)
    except GraphError as error:
        return error_answer(state.config.told(error), ids)


def _refuse_headers(call: Call) -> None:
    """Those that change what is sent or answered, and change nothing here."""
    encoding = call.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise not_emulated(f"The content encoding {encoding}")
    for name in ("OData-Version", "OData-MaxVersion"):
        version = call.headers.get(name, "4.0")
        if version == "4.01":
            raise not_emulated(f"{name} {version}")
        if name == "OData-Version" and version != "4.0" and call.content:
            raise bad_request(
                f"The value '{version}' of the OData-Version HTTP header is invalid. Only '4.0' and"
                " '4.01' are supported as values for the OData-Version header."
            )


class _Unit(NamedTuple):
    """A segment, or the key that stood in parentheses behind one."""

    text: str
    is_key: bool
    segment: Segment


def _units(path: Sequence[Segment]) -> list[_Unit]:
    found: list[_Unit] = []
    for segment in path:
        is_called = any(is_function(segment, name) for name in _FUNCTIONS)
        if segment.arguments is None or is_called:
            found.append(_Unit(segment.name, is_key=False, segment=segment))
            continue
        found.append(_Unit(segment.name, is_key=False, segment=Segment(segment.name)))
        type_name = _SETS.get(segment.name.lower())
        key = read_key(segment.arguments, type_name) if type_name else segment.arguments
        if key is not None:
            found.append(_Unit(key, is_key=True, segment=segment))
    return found


def _find(call: Call) -> tuple[Route, list[str]]:
    """Raise GraphError."""
    if call.version not in _ALL:
        raise not_found_segment(call.version)
    model = MODELS[call.version]
    units = _units(call.path)
    allowed: set[str] = set()
    furthest = 0
    for route in _ROUTES:
        if call.version not in route.versions:
            continue
        matched = _matched(route, units, model)
        furthest = max(furthest, matched)
        if matched == len(units) == len(route.parts):
            if route.method == call.method:
                return route, _arguments(route, units, call)
            allowed.add(route.method)
    if allowed:
        raise GraphError(
            405,
            "Request_BadRequest",
            "The HTTP method is not supported here.",
            {"Allow": ", ".join(sorted(allowed))},
        )
    raise _not_found(units, furthest, model)


def _matched(route: Route, units: Sequence[_Unit], model: Model) -> int:
    """How many of the units fit, from the first on."""
    for position, (part, unit) in enumerate(zip(route.parts, units, strict=False)):
        if not _fits(part, unit, model):
            return position
    return min(len(route.parts), len(units))


def _fits(part: str, unit: _Unit, model: Model) -> bool:
    if part == "{key}":
        is_type = "." in unit.text and model.find(unit.text) is not None
        return unit.is_key or not (unit.text.startswith("$") or is_type)
    if unit.is_key:
        return False
    if part == "{type}":
        return "." in unit.text and model.find(unit.text) is not None
    if part == "{property}":
        known = model.property(ORGANIZATION, unit.text)
        return known is not None and not known.is_navigation
    if "(" in part:
        is_called = unit.segment.arguments is not None
        return is_called and is_function(unit.segment, part.partition("(")[0])
    return unit.text.lower() == part.lower() and unit.segment.arguments is None


def _arguments(route: Route, units: Sequence[_Unit], call: Call) -> list[str]:
    found = []
    for part, unit in zip(route.parts, units, strict=True):
        if part.startswith("{"):
            found.append(unit.text)
        elif "(" in part:
            name = part.partition("(")[2].removesuffix(")")
            found.append(read_argument(unit.segment, name, call.query.aliases))
    return found


def _not_found(units: Sequence[_Unit], furthest: int, model: Model) -> GraphError:
    """For the first unit that leads nowhere."""
    if furthest == len(units):
        return not_emulated("This path")
    unit = units[furthest]
    before = units[furthest - 1].text if furthest else ""
    if unit.is_key:
        return bad_request("Bad Request - Error in query syntax.")
    if unit.text.startswith("$"):
        return _refused_dollar(unit, before)
    if "." in unit.text and model.find(unit.text) is not None:
        return not_emulated("This cast in a path")
    if unit.text.lower() in _ELSEWHERE:
        return not_emulated("This path")
    return not_found_segment(unit.segment.name)


def _refused_dollar(unit: _Unit, before: str) -> GraphError:
    if unit.text.lower() == "$ref" or not before:
        return not_emulated("This path")
    if before.lower() in _SETS:
        return refused_segment(before, unit.segment)
    return not_emulated("This path")
