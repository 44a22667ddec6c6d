"""The organization gateway on the official SDK: its builders make the requests from its models."""

from datetime import datetime
from typing import Any

from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.fields import Attributes
from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.model import GUID
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, SponsorObject, Sponsorship
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Blocked,
    Later,
    Namesake,
    Refused,
    Setback,
    SponsorSettled,
)
from connorg.graph import bodies
from connorg.graph.meanings import Call
from connorg.graph.objects import GraphObjects
from connorg.graph.search import Search
from connorg.graph.sender import Sender, read_if_whole
from connorg.graph.sponsors import is_held_already, reference_to, sponsors_of


class GraphOrganizationGateway:
    """See ports.OrganizationGateway. `base`: a cloud's root and the version, as in `@odata.id`."""

    def __init__(self, client: GraphServiceClient, sender: Sender, base: str) -> None:
        self._tenants = client.tenant_relationships
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self._base = base
        self._objects = GraphObjects(client, sender, base)
        self._search = Search(self._objects, sender.clock)

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
        return await self._sender.read(Call.LOOKUP, lookup.to_get_request_information(), Tenant)

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        ask = self._organizations.to_post_request_information(bodies.new_organization(request))
        return await self._sender.create(ask, ConnectedOrganization)

    async def find(
        self,
        request: OnboardingRequest,
        tenant: Tenant | None = None,
        *,
        tenant_unknown: bool = False,
        since: datetime | None = None,
        quick: bool = False,
    ) -> ConnectedOrganization | Namesake | Later | Blocked | None:
        return await self._search.find(
            request, tenant, tenant_unknown=tenant_unknown, since=since, quick=quick
        )

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        return await self._objects.read(organization_id)

    async def update(
        self, organization: ConnectedOrganization, wanted: Attributes
    ) -> ConnectedOrganization | Setback:
        changes = bodies.changes(organization.attributes, wanted)
        item = self._organizations.by_connected_organization_id(organization.id)
        ask = item.to_patch_request_information(changes)
        answer = await self._objects.judged(await self._sender.change(Call.CHANGE, ask))
        if not isinstance(answer, bytes):
            return answer
        # 200 and 202 carry a body, 204 none.
        told = read_if_whole(answer, ConnectedOrganization)
        if told is None or told.id.lower() != organization.id.lower():
            read = await self.read(organization.id)
            told = read if isinstance(read, ConnectedOrganization) else organization
        kept = {} if told.identity_sources else {"identity_sources": organization.identity_sources}
        # What was asked for was taken, though a read may show it a little later.
        return told.model_copy(update={**kept, **wanted})

    async def sponsors(
        self, organization_id: str, kind: SponsorKind
    ) -> tuple[SponsorObject, ...] | Setback:
        item = self._organizations.by_connected_organization_id(organization_id)
        ask = sponsors_of(item, kind).to_get_request_information()
        return await self._objects.judged(await self._objects.pages.sponsors(ask))

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
        if isinstance(answer, bytes) or is_held_already(answer):
            return SponsorSettled()
        return SponsorSettled(_not_added(sponsorship, answer))

    async def _who_is_missing(self, organization_id: str, answer: Refused) -> Setback:
        """Distinguish a sponsor that does not exist from an organization that can't be seen yet."""
        organization = await self.read(organization_id)
        match organization:
            case Refused(error, not_found=True):
                return Later(error.model_copy(update={"code": ErrorCode.NOT_LISTED_YET}))
            case Later() | Blocked():
                return organization
        return answer

    async def _refer(
        self, organization_id: str, sponsorship: Sponsorship, object_type: str
    ) -> bytes | Setback:
        item = self._organizations.by_connected_organization_id(organization_id)
        body = reference_to(self._base, object_type, sponsorship.sponsor)
        ref = sponsors_of(item, sponsorship.kind).ref
        ask = ref.to_post_request_information(body)
        return await self._objects.judged(await self._sender.change(Call.REFER, ask))


def _not_added(sponsorship: Sponsorship, refused: Refused) -> OnboardingError:
    why = "does not exist" if refused.not_found else "was refused"
    return refused.error.model_copy(
        update={
            "code": ErrorCode.SPONSOR_NOT_ADDED,
            "message": f"{sponsorship.kind}: {sponsorship.sponsor} {why}. {refused.error.message}",
            "action": "The organization exists. Correct the sponsor, then send the request again"
            " with ifExists 'update'.",
        }
    )
