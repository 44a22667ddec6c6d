"""The organization admin on the official SDK."""

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.identity_governance.entitlement_management.connected_organizations import (
    connected_organizations_request_builder as builder,
)
from msgraph.graph_service_client import GraphServiceClient
from pydantic import Field

from connorg.contract.model import Model
from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.sponsors import SponsorKind
from connorg.core.domain.outcomes import Setback
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.graph.filters import by_partner, equals
from connorg.graph.sender import Sender
from connorg.graph.sponsors import sponsors_of

_Query = builder.ConnectedOrganizationsRequestBuilder
_QUERY = re.compile(r"[!-~]{1,8192}")  # what can stand in an address; httpx raises at the rest
_NO_PAGE = "$skiptoken=none"  # an empty one is an error inside of OData's library, not a refusal
_ENTITLEMENTS = "identityGovernance/entitlementManagement"


class _Page[O: ConnectedOrganization](Model, extra="ignore"):
    value: tuple[O, ...]
    next_link: str | None = Field(None, alias="@odata.nextLink")

    def told(self) -> OrganizationPage[O]:
        after = _token(urlsplit(self.next_link).query) if self.next_link else None
        return OrganizationPage(self.value, after)


class GraphOrganizationAdmin:
    """See ports.OrganizationAdmin. `root`: the cloud's, without a version."""

    def __init__(self, client: GraphServiceClient, sender: Sender, root: str, version: str) -> None:
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self._root = root
        self._version = version

    async def list(
        self, which: OrganizationFilter, top: int, continuation: str | None
    ) -> OrganizationPage | Setback:
        ask = self._listing(continuation, filter=_filter(which), top=top)
        page = await self._sender.read(ask, _Page[ConnectedOrganization])
        return page.told() if isinstance(page, _Page) else page

    async def list_sponsored(
        self, top: int, continuation: str | None
    ) -> OrganizationPage[SponsoredOrganization] | Setback:
        ask = self._listing(continuation, expand=[*SponsorKind], top=top)
        page = await self._sender.read(ask, _Page[SponsoredOrganization])
        return page.told() if isinstance(page, _Page) else page

    def _listing(self, continuation: str | None, **asked: Any) -> RequestInformation:
        if continuation is not None:
            # Only the query is the token's: whatever a caller makes of it, it is this collection's.
            address = f"{self._root}/{self._version}/{_ENTITLEMENTS}/connectedOrganizations"
            next_page = self._organizations.with_url(f"{address}?{_query(continuation)}")
            return next_page.to_get_request_information()
        parameters = _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters(**asked)
        configuration = RequestConfiguration(query_parameters=parameters)
        return self._organizations.to_get_request_information(configuration)

    async def delete(self, organization_id: str) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        return await self._sender.change(item.to_delete_request_information())

    async def remove_sponsor(
        self, organization_id: str, kind: SponsorKind, object_id: str
    ) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        sponsor = sponsors_of(item, kind).by_directory_object_id(object_id)
        return await self._sender.change(sponsor.ref.to_delete_request_information())

    async def add_to_subject(
        self, request_id: str, resource_role_id: str, body: dict[str, Any]
    ) -> Setback | None:
        return await self._sender.change(
            _json(Method.POST, self._subject(request_id, resource_role_id), body)
        )

    async def set_on_subject(
        self, request_id: str, resource_role_id: str, organization_id: str
    ) -> Setback | None:
        address = f"{self._root}/beta/{_ENTITLEMENTS}/connectedOrganizations/{organization_id}"
        subject = self._subject(request_id, resource_role_id)
        return await self._sender.change(_json(Method.PUT, subject, {"@odata.id": address}))

    def _subject(self, request_id: str, resource_role_id: str) -> str:
        """Give the address of "Add connectedOrganization", which exists in beta alone."""
        return (
            f"{self._root}/beta/{_ENTITLEMENTS}"
            f"/accessPackageAssignmentRequests/{quote(request_id, safe='')}"
            "/accessPackageAssignment/accessPackageAssignmentResourceRoles"
            f"/{quote(resource_role_id, safe='')}/accessPackageSubject/connectedOrganization/$ref"
        )


def _filter(which: OrganizationFilter) -> str | None:
    clauses = [
        equals("displayName", which.display_name) if which.display_name else None,
        equals("state", which.state) if which.state else None,
        by_partner("domainIdentitySource", which.domain_name) if which.domain_name else None,
        by_partner("azureActiveDirectoryTenant", which.tenant_id) if which.tenant_id else None,
    ]
    return " and ".join(clause for clause in clauses if clause) or None


def _json(method: Method, url: str, body: dict[str, Any]) -> RequestInformation:
    """Make a request for which the SDK has no builder."""
    ask = RequestInformation()
    ask.http_method = method
    ask.url = url
    ask.set_stream_content(json.dumps(body).encode(), "application/json")
    return ask


def _token(query: str) -> str:
    return base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")


def _query(token: str) -> str:
    """Read a continuation token; one that is none becomes a query that Graph refuses."""
    try:
        query = base64.urlsafe_b64decode(f"{token}==").decode("ascii")
    except (binascii.Error, ValueError):
        return _NO_PAGE
    return query if _QUERY.fullmatch(query) else _NO_PAGE
