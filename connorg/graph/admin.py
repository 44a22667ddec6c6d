"""The organization admin on the official SDK."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.identity_sources import SourceType, source_type
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import (
    ConnectedOrganization,
    SponsoredOrganization,
    StoredIdentitySource,
)
from connorg.contract.problems import ErrorCode
from connorg.contract.sponsors import SponsorKind
from connorg.core.domain.outcomes import Refused, Setback
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.graph.filters import by_partner, equals
from connorg.graph.meanings import Call
from connorg.graph.objects import GraphObjects
from connorg.graph.pages import SponsoredPage
from connorg.graph.search import Page, Search
from connorg.graph.sender import Sender
from connorg.graph.sponsors import sponsors_of

_QUERY = re.compile(r"[!-~]{0,8192}")  # what an address may contain; httpx raises at the rest
_ENTITLEMENTS = "identityGovernance/entitlementManagement"
_MOST_PAGES = 50
_DOMAIN: SourceType = "domainIdentitySource"
_TENANT: SourceType = "azureActiveDirectoryTenant"
_WITH_SPONSORS = f"$expand={','.join(SponsorKind)}"
_STALE = OnboardingError(
    code=ErrorCode.REFUSED_BY_GRAPH,
    message="The continuation token is none that was given out, or it is no longer good.",
    action="Start again without it.",
)


class GraphOrganizationAdmin:
    """See ports.OrganizationAdmin. `root`: the cloud's, without a version."""

    def __init__(self, client: GraphServiceClient, sender: Sender, root: str, version: str) -> None:
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self._root = root
        self._version = version
        self._objects = GraphObjects(client, sender, f"{root}/{version}")
        self._search = Search(self._objects, sender.clock)

    async def list(
        self, which: OrganizationFilter, top: int, continuation: str | None
    ) -> OrganizationPage | Setback:
        if continuation is not None:
            read = _read_token(continuation)
            page = None if read is None else await self._cut(which, top, *read)
            return Refused(_STALE) if page is None or isinstance(page, Refused) else page
        query = _filter_query(which)
        page = await self._cut(which, top, 0, query)
        missed = await self._is_missed(which, page) if query else False
        if not isinstance(missed, bool):
            return missed
        return await self._cut(which, top, 0, "") if missed else page

    async def _cut(
        self, which: OrganizationFilter, top: int, skipped: int, query: str
    ) -> OrganizationPage | Setback:
        """Cut Graph's pages into ours: how full they are, and whether some are, is Graph's."""
        for _ in range(_MOST_PAGES):
            page = await self._objects.pages.organizations(self._objects.at(self._address(query)))
            if not isinstance(page, Page):
                return page
            let_through = [held for held in page.value if lets_through(which, held)]
            left = let_through[skipped : skipped + top]
            if len(let_through) > skipped + top:
                return OrganizationPage(tuple(left), _token(skipped + top, query))
            following = urlsplit(page.next_link).query if page.next_link else None
            if left or following is None:
                after = None if following is None else _token(0, following)
                return OrganizationPage(tuple(left), after)
            query, skipped = following, 0
        return OrganizationPage((), _token(0, query))

    async def _is_missed(
        self, which: OrganizationFilter, page: OrganizationPage | Setback
    ) -> bool | Setback:
        """Whether all must be read: Graph's filter was refused, or may have missed some."""
        if not isinstance(page, OrganizationPage):
            return isinstance(page, Refused)
        if page.organizations or page.continuation is not None:
            return False
        return await self._search.may_miss(lambda held: lets_through(which, held))

    async def list_sponsored(
        self,
        top: int,  # noqa: ARG002  Graph's page does: `$top` may be a limit
        continuation: str | None,
    ) -> OrganizationPage[SponsoredOrganization] | Setback:
        read = (0, _WITH_SPONSORS) if continuation is None else _read_token(continuation)
        if read is None:
            return Refused(_STALE)
        page = await self._objects.pages.sponsored(self._objects.at(self._address(read[1])))
        if not isinstance(page, SponsoredPage):
            return page
        following = urlsplit(page.next_link).query if page.next_link else None
        return OrganizationPage(page.value, None if following is None else _token(0, following))

    def _address(self, query: str) -> str:
        # Only the query is a token's: whatever a caller makes of it, it is this collection's.
        address = f"{self._root}/{self._version}/{_ENTITLEMENTS}/connectedOrganizations"
        return f"{address}?{query}" if query else address

    async def delete(self, organization_id: str) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        return await self._change(Call.DELETE, item.to_delete_request_information())

    async def remove_sponsor(
        self, organization_id: str, kind: SponsorKind, object_id: str
    ) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        sponsor = sponsors_of(item, kind).by_directory_object_id(object_id)
        return await self._change(Call.REFER, sponsor.ref.to_delete_request_information())

    async def add_to_subject(
        self, request_id: str, resource_role_id: str, body: dict[str, Any]
    ) -> Setback | None:
        return await self._change(
            Call.SUBJECT, _json(Method.POST, self._subject(request_id, resource_role_id), body)
        )

    async def set_on_subject(
        self, request_id: str, resource_role_id: str, organization_id: str
    ) -> Setback | None:
        address = f"{self._root}/beta/{_ENTITLEMENTS}/connectedOrganizations/{organization_id}"
        subject = self._subject(request_id, resource_role_id)
        return await self._change(Call.SUBJECT, _json(Method.PUT, subject, {"@odata.id": address}))

    async def _change(self, call: Call, ask: RequestInformation) -> Setback | None:
        answer = await self._objects.judged(await self._sender.change(call, ask))
        return None if isinstance(answer, bytes) else answer

    def _subject(self, request_id: str, resource_role_id: str) -> str:
        """Return the address of "Add connectedOrganization", which exists in beta alone."""
        return (
            f"{self._root}/beta/{_ENTITLEMENTS}"
            f"/accessPackageAssignmentRequests/{quote(request_id, safe='')}"
            "/accessPackageAssignment/accessPackageAssignmentResourceRoles"
            f"/{quote(resource_role_id, safe='')}/accessPackageSubject/connectedOrganization/$ref"
        )


def _filter_query(which: OrganizationFilter) -> str:
    clauses = [
        equals("displayName", which.display_name) if which.display_name else None,
        equals("state", which.state) if which.state else None,
        by_partner(_DOMAIN, which.domain_name) if which.domain_name else None,
        by_partner(_TENANT, which.tenant_id) if which.tenant_id else None,
    ]
    odata_filter = " and ".join(clause for clause in clauses if clause)
    return f"$filter={quote(odata_filter, safe='')}" if odata_filter else ""


def lets_through(which: OrganizationFilter, organization: ConnectedOrganization) -> bool:
    """Whether an organization is what a filter asks for, in whatever letters."""
    return (
        _is(which.display_name, (organization.display_name,))
        and _is(which.state, (organization.state,))
        and _is(which.domain_name, [s.domain_name for s in _of(_DOMAIN, organization)])
        and _is(which.tenant_id, [s.tenant_id for s in _of(_TENANT, organization)])
    )


def _of(kind: SourceType, organization: ConnectedOrganization) -> list[StoredIdentitySource]:
    """Return the sources of a type. One without a type may be of any."""
    return [s for s in organization.identity_sources if source_type(s) in {None, kind}]


def _is(wanted: str | None, held: Iterable[str | None]) -> bool:
    return not wanted or wanted.casefold() in {(name or "").casefold() for name in held}


def _json(method: Method, url: str, body: dict[str, Any]) -> RequestInformation:
    """Make a request for which the SDK has no builder."""
    ask = RequestInformation()
    ask.http_method = method
    ask.url = url
    ask.set_stream_content(json.dumps(body).encode(), "application/json")
    return ask


def _token(skipped: int, query: str) -> str:
    text = f"{_sum(skipped, query)}.{skipped}.{query}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str] | None:
    """Read a continuation token: how many of a page were shown, and its query."""
    try:
        text = base64.urlsafe_b64decode(f"{token}==").decode("ascii")
        given_sum, skipped, query = text.split(".", 2)
        known = _QUERY.fullmatch(query) and given_sum == _sum(int(skipped), query)
        return (int(skipped), query) if known else None
    except (binascii.Error, ValueError):
        return None


def _sum(skipped: int, query: str) -> str:
    """Return a checksum that shows a token that was cut or made up. It protects nothing."""
    return hashlib.sha256(f"{skipped}.{query}".encode()).hexdigest()[:16]
