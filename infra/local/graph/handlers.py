"""What Graph does for each call on connected organizations, sponsors and the directory."""

from collections.abc import Mapping
from typing import Any

from infra.local.graph.bodies import read_reference
from infra.local.graph.calls import CONNECTED_ORGANIZATIONS, NO_CONTENT, Answer, Call
from infra.local.graph.directory import DirectoryObject, Tenant
from infra.local.graph.drafts import judge_changes, judge_new, read_organization, read_subject
from infra.local.graph.errors import (
    GraphError,
    bad_request,
    no_such_object,
    not_emulated,
    not_found_segment,
)
from infra.local.graph.model import DIRECTORY_OBJECT, MODELS, NAMESPACE, ORGANIZATION
from infra.local.graph.organizations import Organization, hidden_in
from infra.local.graph.pages import Collection, View, entity_answer, options_of
from infra.local.graph.paths import read_key, read_path
from infra.local.graph.sources import DOMAIN, TENANT, Source, type_of
from infra.local.graph.state import State

_NOT_FOUND = 404


def create_organization(state: State, call: Call) -> Answer:
    kept = read_organization(call)
    if state.config.judges:
        kept, source = judge_new(kept)
        resolved = state.directory.resolve(source)
        _refuse_as_observed(state, source, resolved)
        kept["identitySources"] = [resolved]
    organization = state.organizations.add(kept, call.caller.app_id, state.config)
    if call.prefers("return=minimal"):
        return Answer(204, headers={"OData-EntityId": _address(call, organization)})
    # In every documented 201 the sources are empty: the resolved one is seen by reading.
    entity = organization.shown(call.version) | {"identitySources": []}
    context = call.context(CONNECTED_ORGANIZATIONS) + "/$entity"
    return Answer(201, {"@odata.context": context, **entity})


def _address(call: Call, organization: Organization) -> str:
    return f"{call.base}/{CONNECTED_ORGANIZATIONS}('{organization.id}')"


def _refuse_as_observed(state: State, asked: Source, resolved: Source) -> None:
    if type_of(resolved) == DOMAIN:
        state.config.refuse("unknownDomain")
    home = state.directory.home.tenant_id.casefold()
    if type_of(resolved) == TENANT and resolved["tenantId"].casefold() == home:
        state.config.refuse("ownDomain" if type_of(asked) == DOMAIN else "ownTenant")


def list_organizations(state: State, call: Call) -> Answer:
    return _organizations(state, call).page()


def count_organizations(state: State, call: Call) -> Answer:
    return _organizations(state, call).count()


def _organizations(state: State, call: Call) -> View:
    listed = state.organizations.listed(state.config)
    return _view(state, call, [organization.entity for organization in listed])


def _view(state: State, call: Call, entities: list[dict[str, Any]]) -> View:
    def sponsors(entity: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
        held = state.organizations.get(entity["id"]).sponsors[kind]
        return [state.directory.typed(sponsor) for sponsor in held]

    hidden = hidden_in(call.version)
    collection = Collection(
        ORGANIZATION, CONNECTED_ORGANIZATIONS, entities, sponsors, hidden=hidden
    )
    return View(call, state.config, collection, options_of(call, ORGANIZATION))


def get_organization(state: State, call: Call, organization_id: str) -> Answer:
    organization = state.organizations.read(organization_id, state.config)
    return _single(state, call, organization)


def _single(state: State, call: Call, organization: Organization, status: int = 200) -> Answer:
    view = _view(state, call, [])
    return entity_answer(view, organization.entity, CONNECTED_ORGANIZATIONS, status)


def get_organization_as(state: State, call: Call, organization_id: str, type_name: str) -> Answer:
    model = MODELS[call.version]
    found = model.find(type_name)
    if found is None or not model.is_a(ORGANIZATION, found.name):
        raise _unrelated(type_name, ORGANIZATION)
    return get_organization(state, call, organization_id)


def get_property(state: State, call: Call, organization_id: str, name: str) -> Answer:
    organization = state.organizations.read(organization_id, state.config)
    known = MODELS[call.version].property(ORGANIZATION, name)
    call.query.refuse_options()
    if known is None:
        raise not_found_segment(name)
    value = organization.shown(call.version)[known.name]
    if value is None:
        return NO_CONTENT
    context = call.context(f"{CONNECTED_ORGANIZATIONS}('{organization.id}')/{known.name}")
    return Answer(200, {"@odata.context": context, "value": value})


def update_organization(state: State, call: Call, organization_id: str) -> Answer:
    organization = state.organizations.get(organization_id, "updateUnknown")
    changes = read_organization(call)
    if state.config.judges:
        changes = judge_changes(changes, organization)
    organization.change(changes, call.caller.app_id)
    if call.prefers("return=representation"):
        return _single(state, call, organization)
    if state.config.patch_status == NO_CONTENT.status:
        return NO_CONTENT
    return _single(state, call, organization, state.config.patch_status)


def delete_organization(state: State, _: Call, organization_id: str) -> Answer:
    state.organizations.remove(organization_id, state.config)
    return NO_CONTENT


# Sponsors


def list_sponsors(
    state: State, call: Call, organization_id: str, kind: str, type_name: str | None = None
) -> Answer:
    return _sponsors(state, call, organization_id, kind, type_name).page()


def count_sponsors(state: State, call: Call, organization_id: str, kind: str) -> Answer:
    return _sponsors(state, call, organization_id, kind).count()


def _sponsors(
    state: State, call: Call, organization_id: str, kind: str, type_name: str | None = None
) -> View:
    organization = state.organizations.read(organization_id, state.config)
    held = [state.directory.typed(sponsor) for sponsor in organization.sponsors[kind]]
    context = f"{CONNECTED_ORGANIZATIONS}('{organization.id}')/{kind}"
    shown_type = DIRECTORY_OBJECT
    if type_name is not None:
        model = MODELS[call.version]
        found = model.find(type_name)
        if found is None or not model.is_a(found.name, DIRECTORY_OBJECT):
            raise _unrelated(type_name, DIRECTORY_OBJECT)
        shown_type = found.name
        context += f"/{shown_type}"
        held = [_untyped(item) for item in held if item["@odata.type"] == f"#{shown_type}"]
    collection = Collection(shown_type, context, held, _no_sponsors, is_ordered=False)
    return View(call, state.config, collection, options_of(call, shown_type))


def _untyped(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name != "@odata.type"}


def _no_sponsors(_: Mapping[str, Any], __: str) -> list[dict[str, Any]]:
    return []


def _unrelated(type_name: str, to: str) -> GraphError:
    return bad_request(
        f"The type '{type_name}' specified in the URI is neither a base type nor a sub-type of the "
        f"previously-specified type '{to}'."
    )


def get_sponsor(
    state: State, call: Call, organization_id: str, kind: str, sponsor_id: str
) -> Answer:
    view = _sponsors(state, call, organization_id, kind)
    for sponsor in view.collection.entities:
        if sponsor["id"] == sponsor_id:
            type_name = sponsor["@odata.type"].removeprefix("#")
            return entity_answer(view, sponsor, f"{view.collection.context}/{type_name}")
    raise no_such_object(sponsor_id)


def list_sponsor_references(state: State, call: Call, organization_id: str, kind: str) -> Answer:
    call.query.refuse_options()
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


def not_served(_: State, call: Call, *__: str) -> Answer:
    raise not_emulated(f"{call.method} of a reference")


def add_to_subject(_: State, call: Call, *__: str) -> Answer:
    """As the beta page "Add connectedOrganization" describes it. The emulator has no assignment
    requests, so any id in the path will do."""
    read_subject(call)
    return NO_CONTENT


def set_on_subject(state: State, call: Call, *_: str) -> Answer:
    """The same reference in OData's own form."""
    *prefix, organization_id = _referenced(call)
    if [name.lower() for name in prefix] != CONNECTED_ORGANIZATIONS.lower().split("/"):
        raise bad_request("The reference must be to a connected organization.")
    state.organizations.get(organization_id)
    return NO_CONTENT


def get_user(state: State, call: Call, key: str) -> Answer:
    return _directory_object(call, state, "users", state.directory.find_as("user", key))


def get_group(state: State, call: Call, key: str) -> Answer:
    return _directory_object(call, state, "groups", state.directory.find_as("group", key))


def get_directory_object(state: State, call: Call, key: str) -> Answer:
    item = state.directory.find(key)
    context = f"directoryObjects/{NAMESPACE}{item.type_name}"
    return _directory_object(call, state, context, item)


def _directory_object(call: Call, state: State, context: str, item: DirectoryObject) -> Answer:
    type_name = NAMESPACE + item.type_name
    options = options_of(call, type_name)
    for name in options.select or ():
        if name != "*" and name not in item.properties:
            raise not_emulated(f"The property '{name}' of a {item.type_name}")
    view = View(call, state.config, Collection(type_name, context, (), _no_sponsors), options)
    is_any = context.startswith("directoryObjects")
    return entity_answer(view, item.typed() if is_any else item.properties, context)


def find_tenant_by_domain(state: State, call: Call, domain: str) -> Answer:
    return _tenant_information(call, state.directory.tenant_of_domain(domain))


def find_tenant_by_id(state: State, call: Call, tenant_id: str) -> Answer:
    return _tenant_information(call, state.directory.tenant(tenant_id))


def _tenant_information(call: Call, tenant: Tenant | None) -> Answer:
    call.query.refuse_options()
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
    match [segments[0].lower(), *segments[1:]]:
        case ["users", key]:
            return state.directory.find_as("user", key).id
        case ["groups", key]:
            return state.directory.find_as("group", key).id
        case ["directoryobjects", key]:
            return state.directory.find(key).id
        case _:
            raise bad_request("A sponsor must be a user or a group.")


def _referenced(call: Call) -> list[str]:
    """The path that ``@odata.id`` points to, which must be in this cloud."""
    address = read_reference(call.json())
    if not address.startswith(f"{call.root}/"):
        raise bad_request(f"The @odata.id must be an address under {call.root}.")
    version, path = read_path(address.removeprefix(call.root))
    if version not in MODELS:
        raise bad_request(f"'{version}' is not a version of Microsoft Graph.")
    found = []
    for segment in path:
        found.append(segment.name)
        if segment.arguments is not None:
            found.append(read_key(segment.arguments, segment.name) or "")
    return found or [""]
