"""The organization gateway on the official SDK: its builders make the requests from its models."""

from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.identity_governance.entitlement_management.connected_organizations import (
    connected_organizations_request_builder as builder,
)
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.fields import Attributes
from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.model import GUID, Model
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, SponsorObject, Sponsorship
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Blocked,
    Later,
    Refused,
    Setback,
    SponsorSettled,
)
from connorg.graph import bodies
from connorg.graph.filters import by_partner, by_source, equals
from connorg.graph.sender import Sender
from connorg.graph.sponsors import is_held_already, reference_to, sponsors_of

_Query = builder.ConnectedOrganizationsRequestBuilder
_MOST_NAMESAKES = 50


class _Organizations(Model, extra="ignore"):
    value: tuple[ConnectedOrganization, ...]


class _Sponsors(Model, extra="ignore"):
    value: tuple[SponsorObject, ...]


class GraphOrganizationGateway:
    """See ports.OrganizationGateway. `base`: a cloud's root and the version, as in `@odata.id`."""

    def __init__(self, client: GraphServiceClient, sender: Sender, base: str) -> None:
        self._tenants = client.tenant_relationships
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self._base = base

    async def tenant_of(
        self, source: DomainIdentitySource | AzureActiveDirectoryTenant
    ) -> Tenant | Setback:
        lookup: Any
        if isinstance(source, DomainIdentitySource):
            find = self._tenants.find_tenant_information_by_domain_name_with_domain_name
            lookup = find(source.domain_name)
        else:
            lookup = self._tenants.find_tenant_information_by_tenant_id_with_tenant_id(
                source.tenant_id
            )
        return await self._sender.read(lookup.to_get_request_information(), Tenant)

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        ask = self._organizations.to_post_request_information(bodies.new_organization(request))
        return await self._sender.create(ask, ConnectedOrganization)

    async def find(
        self, request: OnboardingRequest, tenant: Tenant | None = None
    ) -> ConnectedOrganization | Setback | None:
        source = request.identity_source
        found = await self._first(by_source(source))
        if found is not None or not isinstance(source, DomainIdentitySource):
            return found
        # Graph stores a tenant where the domain belongs to one ("Create connectedOrganization").
        known = tenant or await self.tenant_of(source)
        match known:
            case Tenant():
                return await self._first(by_partner("azureActiveDirectoryTenant", known.tenant_id))
            case Blocked():
                return await self._namesake(request)
            case Refused():
                return None  # the domain has no tenant
            case Later():
                return known

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        item = self._organizations.by_connected_organization_id(organization_id)
        return await self._sender.read(item.to_get_request_information(), ConnectedOrganization)

    async def update(
        self, organization: ConnectedOrganization, wanted: Attributes
    ) -> ConnectedOrganization | Setback:
        changes = bodies.changes(organization.attributes, wanted)
        item = self._organizations.by_connected_organization_id(organization.id)
        setback = await self._sender.change(item.to_patch_request_information(changes))
        # 200 and 202 carry a body, 204 none: what counts is what was asked for.
        return setback or organization.model_copy(update=wanted)

    async def sponsors(
        self, organization_id: str, kind: SponsorKind
    ) -> tuple[SponsorObject, ...] | Setback:
        item = self._organizations.by_connected_organization_id(organization_id)
        ask = sponsors_of(item, kind).to_get_request_information()
        page = await self._sender.read(ask, _Sponsors)
        return page.value if isinstance(page, _Sponsors) else page

    async def add_sponsor(
        self, organization_id: str, sponsorship: Sponsorship
    ) -> SponsorSettled | Later | Blocked:
        # An object id says nothing of its type; most sponsors are users.
        is_id = GUID.fullmatch(sponsorship.sponsor)
        answer = await self._refer(organization_id, sponsorship, "users")
        if is_id and isinstance(answer, Refused) and answer.not_found:
            answer = await self._refer(organization_id, sponsorship, "groups")
        if isinstance(answer, Refused) and answer.not_found:
            answer = await self._who_is_missing(organization_id, answer)
        if isinstance(answer, Later | Blocked):
            return answer
        if answer is None or is_held_already(answer):
            return SponsorSettled()
        return SponsorSettled(_not_added(sponsorship, answer))

    async def _who_is_missing(self, organization_id: str, answer: Refused) -> Setback:
        """Tell a sponsor who does not exist from an organization that can't be seen yet."""
        organization = await self.read(organization_id)
        match organization:
            case Refused(error, not_found=True):
                return Later(error.model_copy(update={"code": ErrorCode.NOT_LISTED_YET}))
            case Later() | Blocked():
                return organization
        return answer

    async def _refer(
        self, organization_id: str, sponsorship: Sponsorship, object_type: str
    ) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        body = reference_to(self._base, object_type, sponsorship.sponsor)
        ref = sponsors_of(item, sponsorship.kind).ref
        return await self._sender.change(ref.to_post_request_information(body))

    async def _first(self, odata_filter: str) -> ConnectedOrganization | Setback | None:
        page = await self._list(odata_filter, top=1)
        if isinstance(page, _Organizations):
            return page.value[0] if page.value else None
        return page

    async def _namesake(self, request: OnboardingRequest) -> ConnectedOrganization | Setback | None:
        """Find a domain's organization without the right to look its tenant up.

        Among the organizations of the same name and description one that stands for a tenant is
        taken for it: a second organization of that name for another tenant would be a rare thing.
        """
        page = await self._list(equals("displayName", request.display_name), top=_MOST_NAMESAKES)
        if not isinstance(page, _Organizations):
            return page
        for organization in page.value:
            is_tenant = any(source.tenant_id for source in organization.identity_sources)
            if is_tenant and organization.description == request.description:
                return organization
        return None

    async def _list(self, odata_filter: str, top: int) -> _Organizations | Setback:
        parameters = _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters(
            filter=odata_filter, top=top
        )
        configuration = RequestConfiguration(query_parameters=parameters)
        ask = self._organizations.to_get_request_information(configuration)
        return await self._sender.read(ask, _Organizations)


def _not_added(sponsorship: Sponsorship, refused: Refused) -> OnboardingError:
    why = "does not exist" if refused.not_found else "was refused"
    return refused.error.model_copy(
        update={
            "code": ErrorCode.SPONSOR_NOT_ADDED,
            "message": f"{sponsorship.kind}: {sponsorship.sponsor} {why}. {refused.error.message}",
            "action": "The organization stands. Correct the sponsor, then send the request again"
            " with ifExists 'update'.",
        }
    )
