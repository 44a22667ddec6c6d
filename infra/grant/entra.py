"""Identities and their rights in Microsoft Entra, by msgraph-sdk."""

import logging
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.role_management.directory.role_assignments.role_assignments_request_builder import (  # noqa: E501
    RoleAssignmentsRequestBuilder,
)
from msgraph.generated.service_principals.service_principals_request_builder import (
    ServicePrincipalsRequestBuilder,
)
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.clouds import Cloud, https_address
from connorg.graph.client import graph_client
from infra.grant.rights import AppRole, DirectoryRole, Right

_ANSWER_SECONDS = 30
_PrincipalQuery = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters
_RoleQuery = RoleAssignmentsRequestBuilder.RoleAssignmentsRequestBuilderGetQueryParameters
_AUTHORITIES = {
    Cloud.GLOBAL: "https://login.microsoftonline.com",
    Cloud.US_GOV_L4: "https://login.microsoftonline.us",
    Cloud.US_GOV_L5: "https://login.microsoftonline.us",
    Cloud.CHINA: "https://login.chinacloudapi.cn",
}


class EntraError(Exception):
    """Entra did not do it; the text says why. It may be otherwise in a moment."""


class NotAllowedError(EntraError):
    """The signed-in user may not do it."""


class NotSignedInError(EntraError):
    """Nobody is signed in, or not in this cloud."""


class UnknownPrincipalError(EntraError):
    """Entra knows no such identity, perhaps not yet."""


class AmbiguousError(EntraError):
    """It takes a person to say what is meant."""


@dataclass(frozen=True)
class Principal:
    id: str
    name: str


def cloud() -> Cloud:
    """Return the cloud that CONNORG_CLOUD names. Raise ValueError."""
    return Cloud(os.environ.get("CONNORG_CLOUD") or Cloud.GLOBAL)


def graph_root() -> str:
    """Return the root of Graph, as the app has it. Raise ValueError."""
    return https_address(os.environ.get("CONNORG_GRAPH_ROOT") or cloud().graph_root)


class _InTenant(DefaultAzureCredential):
    """The signed-in user, in one tenant: the Azure CLI's own may be another."""

    def __init__(self, tenant: str | None, authority: str) -> None:
        super().__init__(authority=authority)
        self._tenant = tenant

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        **options: Any,
    ) -> AccessToken:
        tenant = tenant_id or self._tenant
        return await super().get_token(*scopes, claims=claims, tenant_id=tenant, **options)


def sign_in(tenant: str | None = None) -> DefaultAzureCredential:
    """Return the operator: `az login` on a laptop, a pipeline's own identity elsewhere.

    `tenant`: its id; without one, the tenant of the signed-in user.
    """
    logging.getLogger("azure").setLevel(logging.ERROR)  # each credential that has nobody warns
    authority = os.environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITIES[cloud()]
    return _InTenant(tenant, authority)


@asynccontextmanager
async def connected(tenant: str | None = None) -> AsyncIterator["Entra"]:
    async with sign_in(tenant) as credential:
        client, _ = graph_client(credential, graph_root(), "v1.0", _ANSWER_SECONDS)
        yield Entra(client)


class Entra:
    """Each call raises EntraError."""

    def __init__(self, client: GraphServiceClient) -> None:
        self._graph = client

    async def principal(self, principal_id: str) -> Principal:
        """Find an identity by its object id; for a client id the error shows the object id."""
        try:
            async with _told():
                found = await self._graph.service_principals.by_service_principal_id(
                    principal_id
                ).get()
        except UnknownPrincipalError:
            if (other := await self._of_app(principal_id)) is None:
                raise
            text = (
                f"{principal_id} is the client id of {other.display_name}. Its object id is needed:"
                f" --principal-id {other.id}"
            )
            raise AmbiguousError(text) from None
        return _named(found, principal_id)

    async def named(self, name: str) -> Principal:
        query = _PrincipalQuery(
            filter=f"displayName eq '{name.replace("'", "''")}'", select=["id", "displayName"]
        )
        async with _told():
            page = await self._graph.service_principals.get(
                RequestConfiguration(query_parameters=query)
            )
        match (page and page.value) or []:
            case [found]:
                return _named(found, name)
            case []:
                raise UnknownPrincipalError(f"Entra knows no identity that is named {name}.")
            case several:
                ids = ", ".join(str(one.id) for one in several)
                raise AmbiguousError(f"Several identities are named {name}: {ids}. Use an id.")

    async def held(self, principal_id: str, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Return those of the rights that the identity has."""
        app_roles, roles = await self._app_roles(principal_id), await self._roles(principal_id)
        return tuple(
            [
                right
                for right in rights
                if (
                    right.template_id in roles
                    if isinstance(right, DirectoryRole)
                    else await self._ids(right) in app_roles
                )
            ]
        )

    async def assign(self, principal_id: str, right: Right) -> None:
        """Return a right. A repeat is refused by Entra (400), and does no harm."""
        if isinstance(right, DirectoryRole):
            role = UnifiedRoleAssignment(
                principal_id=principal_id,
                role_definition_id=right.template_id,
                directory_scope_id="/",
            )
            async with _told():
                await self._graph.role_management.directory.role_assignments.post(role)
            return
        resource_id, role_id = await self._ids(right)
        await self._assign_app_role(principal_id, resource_id, role_id)

    async def _assign_app_role(self, principal_id: str, resource_id: UUID, role_id: UUID) -> None:
        assignment = AppRoleAssignment(
            principal_id=UUID(principal_id), resource_id=resource_id, app_role_id=role_id
        )
        async with _told():
            await self._graph.service_principals.by_service_principal_id(
                principal_id
            ).app_role_assignments.post(assignment)

    async def _ids(self, right: AppRole) -> tuple[UUID, UUID]:
        """Look up the ids of the resource's principal and of the role: they differ by cloud."""
        resource = await self._of_app(right.resource)
        if resource is None:
            raise UnknownPrincipalError(f"This tenant has no app with the id {right.resource}.")
        for role in resource.app_roles or ():
            if role.value == right.value and role.id is not None:
                return UUID(str(resource.id)), role.id
        raise AmbiguousError(f"{resource.display_name} has no app role {right.value}.")

    async def _of_app(self, app_id: str) -> ServicePrincipal | None:
        try:
            async with _told():
                return await self._graph.service_principals_with_app_id(app_id).get()
        except UnknownPrincipalError:
            return None

    async def _app_roles(self, principal_id: str) -> set[tuple[UUID | None, UUID | None]]:
        builder = self._graph.service_principals.by_service_principal_id(
            principal_id
        ).app_role_assignments
        found = set()
        async with _told():
            page = await builder.get()
            while page:
                found |= {(held.resource_id, held.app_role_id) for held in page.value or ()}
                link = page.odata_next_link
                page = await builder.with_url(link).get() if link else None
        return found

    async def _roles(self, principal_id: str) -> set[str | None]:
        query = _RoleQuery(filter=f"principalId eq '{principal_id}'")
        async with _told():
            page = await self._graph.role_management.directory.role_assignments.get(
                RequestConfiguration(query_parameters=query)
            )
        held = (page and page.value) or ()
        return {role.role_definition_id for role in held if role.directory_scope_id == "/"}


def _named(found: ServicePrincipal | None, otherwise: str) -> Principal:
    if found is None or found.id is None:
        raise UnknownPrincipalError(f"Entra's answer about {otherwise} could not be understood.")
    return Principal(found.id, found.display_name or otherwise)


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """Turn what the SDK raises into an EntraError."""
    try:
        yield
    except APIError as error:
        raise _error_of(error) from error
    except httpx.HTTPError as error:
        raise EntraError(f"Microsoft Graph did not answer ({type(error).__name__}).") from error
    except AzureError as error:
        text = "Nobody is signed in to this tenant. Run `az login`, with `--tenant` and its id."
        raise NotSignedInError(text) from error


def _error_of(error: APIError) -> EntraError:
    main = getattr(error, "error", None)
    told = getattr(main, "message", None) or "no reason"
    text = f"Microsoft Graph answered {error.response_status_code}: {told}"
    match error.response_status_code:
        case 401:
            return NotSignedInError(f"{text} Run `az login` for the right tenant and cloud.")
        case 403:
            return NotAllowedError(text)
        case 404:
            return UnknownPrincipalError(text)
        case _:
            return EntraError(text)
