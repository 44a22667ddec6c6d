"""Who calls, and what that caller may do."""

from dataclasses import dataclass

from infra.local.graph.calls import Call, Caller
from infra.local.graph.config import Config
from infra.local.graph.errors import GraphError
from infra.local.tokens import TokenError, verify

_CHALLENGE = {
    "WWW-Authenticate": 'Bearer realm="", '
    'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
}


@dataclass(frozen=True, slots=True)
class Permission:
    """Any one of the app roles will do. Entitlement management and the directory refuse in
    different words, and only the former needs a licence."""

    roles: frozenset[str]
    entitlement_management: bool = False

    def require(self, caller: Caller, config: Config) -> None:
        """Raise GraphError 403."""
        if caller.roles.isdisjoint(self.roles):
            raise _unauthorized() if self.entitlement_management else _denied()
        if self.entitlement_management and not config.licensed:
            raise _no_license()


READ_ORGANIZATIONS = Permission(
    frozenset({"EntitlementManagement.Read.All", "EntitlementManagement.ReadWrite.All"}),
    entitlement_management=True,
)
WRITE_ORGANIZATIONS = Permission(
    frozenset({"EntitlementManagement.ReadWrite.All"}), entitlement_management=True
)
READ_TENANTS = Permission(frozenset({"CrossTenantInformation.ReadBasic.All"}))
READ_USERS = Permission(frozenset({"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"}))
READ_GROUPS = Permission(
    frozenset({"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"})
)
READ_PRINCIPALS = Permission(
    frozenset({"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"})
)
GRANT_APP_ROLES = Permission(frozenset({"AppRoleAssignment.ReadWrite.All"}))
READ_DIRECTORY_ROLES = Permission(
    frozenset(
        {
            "RoleManagement.Read.Directory",
            "RoleManagement.ReadWrite.Directory",
            "Directory.Read.All",
        }
    )
)
GRANT_DIRECTORY_ROLES = Permission(frozenset({"RoleManagement.ReadWrite.Directory"}))


def identify(call: Call, config: Config) -> Caller:
    """Raise GraphError 401."""
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated("Access token is empty.")
    try:
        claims = verify(token, {call.root, call.root + "/"})
    except TokenError as error:
        raise _unauthenticated(str(error)) from None
    roles = claims.get("roles", ()) if config.roles is None else config.roles
    return Caller(claims.get("appid", ""), frozenset(roles))


def _unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, _CHALLENGE)


def _unauthorized() -> GraphError:
    return GraphError(
        403,
        "UnAuthorized",
        "User is not authorized to perform the operation. Reason: The caller is not authorized.",
    )


def _no_license() -> GraphError:
    return GraphError(
        403,
        "NoLicense",
        "User is not authorized to perform the operation. Reason: Tenant does not meet license "
        "requirement!",
    )


def _denied() -> GraphError:
    return GraphError(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
