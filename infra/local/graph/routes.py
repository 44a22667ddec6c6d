"""Which call does what, and what it needs."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

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
from infra.local.graph.errors import GraphError
from infra.local.graph.state import State

_ORGANIZATION = rf"{CONNECTED_ORGANIZATIONS}/([^/]+)"
_SPONSORS = rf"{_ORGANIZATION}/(internalSponsors|externalSponsors)"
_SUBJECT = (
    "identityGovernance/entitlementManagement/accessPackageAssignmentRequests/[^/]+"
    "/accessPackageAssignment/accessPackageAssignmentResourceRoles/[^/]+"
    r"/accessPackageSubject/connectedOrganization/\$ref"
)
_FIND = "tenantRelationships/findTenantInformationBy"
_PRINCIPALS = "servicePrincipals"
_APP_ROLES = rf"{_PRINCIPALS}/([^/]+)/appRoleAssignments"
_DIRECTORY_ROLES = "roleManagement/directory/roleAssignments"
_ALL = frozenset({"v1.0", "beta"})
_BETA = frozenset({"beta"})


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    permission: Permission
    handler: Callable[..., Answer]
    versions: frozenset[str] = _ALL


def _route(
    method: str,
    path: str,
    permission: Permission,
    handler: Callable[..., Answer],
    versions: frozenset[str] = _ALL,
) -> Route:
    return Route(method, re.compile(path), permission, handler, versions)


_ROUTES = (
    _route("POST", CONNECTED_ORGANIZATIONS, WRITE_ORGANIZATIONS, handlers.create_organization),
    _route("GET", CONNECTED_ORGANIZATIONS, READ_ORGANIZATIONS, handlers.list_organizations),
    _route("GET", _ORGANIZATION, READ_ORGANIZATIONS, handlers.get_organization),
    _route("PATCH", _ORGANIZATION, WRITE_ORGANIZATIONS, handlers.update_organization),
    _route("DELETE", _ORGANIZATION, WRITE_ORGANIZATIONS, handlers.delete_organization),
    _route("GET", _SPONSORS, READ_ORGANIZATIONS, handlers.list_sponsors),
    _route("GET", rf"{_SPONSORS}/\$ref", READ_ORGANIZATIONS, handlers.list_sponsor_references),
    _route("POST", rf"{_SPONSORS}/\$ref", WRITE_ORGANIZATIONS, handlers.add_sponsor),
    _route("DELETE", rf"{_SPONSORS}/([^/]+)/\$ref", WRITE_ORGANIZATIONS, handlers.remove_sponsor),
    _route("POST", _SUBJECT, WRITE_ORGANIZATIONS, handlers.add_to_subject, _BETA),
    _route("PUT", _SUBJECT, WRITE_ORGANIZATIONS, handlers.set_on_subject, _BETA),
    _route("GET", "users/([^/]+)", READ_USERS, handlers.get_user),
    _route("GET", "groups/([^/]+)", READ_GROUPS, handlers.get_group),
    _route(
        "GET",
        rf"{_FIND}DomainName\(domainName='([^']*)'\)",
        READ_TENANTS,
        handlers.find_tenant_by_domain,
    ),
    _route(
        "GET", rf"{_FIND}TenantId\(tenantId='([^']*)'\)", READ_TENANTS, handlers.find_tenant_by_id
    ),
    _route("GET", _PRINCIPALS, READ_PRINCIPALS, rights_handlers.list_principals),
    _route("GET", rf"{_PRINCIPALS}/([^/]+)", READ_PRINCIPALS, rights_handlers.get_principal),
    _route(
        "GET",
        rf"{_PRINCIPALS}\(appId='([^']*)'\)",
        READ_PRINCIPALS,
        rights_handlers.get_principal_by_app,
    ),
    _route("GET", _APP_ROLES, READ_PRINCIPALS, rights_handlers.list_app_roles),
    _route("POST", _APP_ROLES, GRANT_APP_ROLES, rights_handlers.assign_app_role),
    _route("GET", _DIRECTORY_ROLES, READ_DIRECTORY_ROLES, rights_handlers.list_directory_roles),
    _route("POST", _DIRECTORY_ROLES, GRANT_DIRECTORY_ROLES, rights_handlers.assign_directory_role),
)


def respond(state: State, call: Call, ids: dict[str, str]) -> Answer:
    """What Graph answers to one call, or to one item of a batch. All that the call does is done
    before this returns: a cut connection cannot leave it half done."""
    try:
        state.window.admit(state.config.throttle)
        call = replace(call, caller=identify(call, state.config))
        route, segments = _find(call)
        route.permission.require(call.caller, state.config)
        return route.handler(state, call, *segments)
    except GraphError as error:
        return error_answer(state.config.told(error), ids)


def _find(call: Call) -> tuple[Route, tuple[str, ...]]:
    found = False
    for route in _ROUTES:
        match = route.pattern.fullmatch(call.path)
        if match and call.version in route.versions:
            if route.method == call.method:
                return route, match.groups()
            found = True
    if found:
        raise GraphError(405, "Request_BadRequest", "The HTTP method is not supported here.")
    raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{call.path}'.")
