"""What Graph does for each call on connected organizations, sponsors and the directory."""

from dataclasses import replace
from urllib.parse import unquote

from infra.local.graph import odata
from infra.local.graph.calls import CONNECTED_ORGANIZATIONS, NO_CONTENT, Answer, Call
from infra.local.graph.directory import Group, Tenant, User
from infra.local.graph.drafts import read_changes, read_draft, read_subject
from infra.local.graph.errors import GraphError, bad_request, no_such_object
from infra.local.graph.sources import DOMAIN, TENANT, IdentitySource
from infra.local.graph.state import State

_NOT_FOUND = 404


def create_organization(state: State, call: Call) -> Answer:
    draft = read_draft(call)
    resolved = replace(draft, source=state.directory.resolve(draft.source))
    _refuse_as_observed(state, draft.source, resolved.source)
    organization = state.organizations.add(resolved, call.caller.app_id, state.config)
    # In every documented 201 the sources are empty: the resolved one is seen by reading.
    entity = organization.entity(call.version) | {"identitySources": []}
    context = call.context(CONNECTED_ORGANIZATIONS) + "/$entity"
    return Answer(201, {"@odata.context": context, **entity})


def _refuse_as_observed(state: State, asked: IdentitySource, resolved: IdentitySource) -> None:
    if resolved.type_name == DOMAIN:
        state.config.refuse("unknownDomain")
    home = state.directory.home.tenant_id.casefold()
    if resolved.type_name == TENANT and resolved.folded["tenantId"] == home:
        state.config.refuse("ownDomain" if asked.type_name == DOMAIN else "ownTenant")


def list_organizations(state: State, call: Call) -> Answer:
    return odata.page(state.organizations.listed(state.config), call, state.directory)


def get_organization(state: State, call: Call, organization_id: str) -> Answer:
    organization = state.organizations.read(organization_id, state.config)
    return odata.single(organization, call, state.directory)


def update_organization(state: State, call: Call, organization_id: str) -> Answer:
    organization = state.organizations.get(organization_id, "updateUnknown")
    organization.changed(read_changes(call), call.caller.app_id)
    status = state.config.patch_status
    if status == NO_CONTENT.status:
        return NO_CONTENT
    return Answer(status, odata.single(organization, call, state.directory).body)


def delete_organization(state: State, _: Call, organization_id: str) -> Answer:
    state.organizations.remove(organization_id)
    return NO_CONTENT


def list_sponsors(state: State, call: Call, organization_id: str, kind: str) -> Answer:
    sponsors = state.organizations.read(organization_id, state.config).sponsors[kind]
    value = [odata.reference(sponsor, state.directory) for sponsor in sponsors]
    return Answer(200, {"@odata.context": call.context("directoryObjects"), "value": value})


def list_sponsor_references(state: State, call: Call, organization_id: str, kind: str) -> Answer:
    sponsors = state.organizations.read(organization_id, state.config).sponsors[kind]
    value = [{"@odata.id": f"{call.base}/directoryObjects/{sponsor}"} for sponsor in sponsors]
    context = call.context("Collection($ref)")
    return Answer(200, {"@odata.context": context, "value": value})


def add_sponsor(state: State, call: Call, organization_id: str, kind: str) -> Answer:
    sponsors = state.organizations.get(organization_id).sponsors[kind]
    sponsor = _referenced_sponsor(state, call)
    if sponsor not in sponsors:
        sponsors.append(sponsor)
        return NO_CONTENT
    state.config.refuse("repeatedSponsor")
    if state.config.repeated_sponsor_status == NO_CONTENT.status:
        return NO_CONTENT
    raise GraphError(
        state.config.repeated_sponsor_status,
        "Request_BadRequest",
        "One or more added object references already exist for the following modified "
        f"properties: '{kind}'.",
    )


def remove_sponsor(
    state: State, _: Call, organization_id: str, kind: str, sponsor_id: str
) -> Answer:
    sponsors = state.organizations.get(organization_id).sponsors[kind]
    if sponsor_id not in sponsors:
        raise no_such_object(sponsor_id)
    sponsors.remove(sponsor_id)
    return NO_CONTENT


def add_to_subject(_: State, call: Call) -> Answer:
    """As the beta page "Add connectedOrganization" describes it. The emulator has no assignment
    requests, so any id in the path will do."""
    read_subject(call)
    return NO_CONTENT


def set_on_subject(state: State, call: Call) -> Answer:
    """The same reference in OData's own form."""
    prefix = CONNECTED_ORGANIZATIONS.split("/")
    segments = _referenced(call)
    if segments[:-1] != prefix:
        raise bad_request("The reference must be to a connected organization.")
    state.organizations.get(segments[-1])
    return NO_CONTENT


def get_user(state: State, call: Call, key: str) -> Answer:
    return _directory_object(call, state.directory.user(key))


def get_group(state: State, call: Call, key: str) -> Answer:
    return _directory_object(call, state.directory.group(key))


def find_tenant_by_domain(state: State, call: Call, domain: str) -> Answer:
    return _tenant_information(call, state.directory.tenant_of_domain(domain))


def find_tenant_by_id(state: State, call: Call, tenant_id: str) -> Answer:
    return _tenant_information(call, state.directory.tenant(tenant_id))


def _directory_object(call: Call, item: User | Group) -> Answer:
    select = odata.read_options(call, {"$select"}).select
    context = call.context(f"{item.type_name}s/$entity")
    shown = odata.selected(item.entity(), select, item.type_name)
    return Answer(200, {"@odata.context": context, **shown})


def _tenant_information(call: Call, tenant: Tenant | None) -> Answer:
    if tenant is None:
        raise GraphError(
            404,
            "Directory_ObjectNotFound",
            "Unable to read the company information from the directory.",
        )
    context = call.context("microsoft.graph.tenantInformation")
    return Answer(200, {"@odata.context": context, **tenant.information()})


def _referenced_sponsor(state: State, call: Call) -> str:
    try:
        return _sponsor_at(state, _referenced(call))
    except GraphError as error:
        if error.status == _NOT_FOUND:
            error.situation = "unknownSponsor"
        raise


def _sponsor_at(state: State, segments: list[str]) -> str:
    match segments:
        case ["users", key]:
            return state.directory.user(key).id
        case ["groups", key]:
            return state.directory.group(key).id
        case ["directoryObjects", key]:
            return state.directory.find(key).id
        case _:
            raise bad_request("A sponsor must be a user or a group.")


def _referenced(call: Call) -> list[str]:
    """The path that ``@odata.id`` points to, which must be in this cloud."""
    address = call.json_object().get("@odata.id")
    if not isinstance(address, str) or not address.startswith(f"{call.root}/"):
        raise bad_request(f"The @odata.id must be an address under {call.root}.")
    version, *segments = address.removeprefix(f"{call.root}/").split("/")
    if version not in {"v1.0", "beta"}:
        raise bad_request(f"'{version}' is not a version of Microsoft Graph.")
    return [unquote(segment) for segment in segments]
