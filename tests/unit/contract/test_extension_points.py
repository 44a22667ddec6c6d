"""Whoever adds a field of the request, or a type of identity source, is told what is missing.

Each message begins with the file to open. CONTRIBUTING.md has the steps in their order.
"""

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest
from kiota_abstractions.serialization import Parsable
from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter
from pydantic import BaseModel, Tag
from pydantic.alias_generators import to_camel

from connorg.contract.changes import OrganizationChanges, SubjectOrganization
from connorg.contract.fields import CHANGEABLE, FIELDS, RequestField
from connorg.contract.headers import HEADERS, Spellings, folded
from connorg.contract.identity_sources import (
    SOURCE_KINDS,
    SOURCE_TYPES,
    IdentitySource,
    SourceKind,
    natural_key_of,
)
from connorg.contract.organization import ConnectedOrganization, StoredIdentitySource
from connorg.contract.requests import OnboardingRequest
from connorg.contract.versions import VERSION
from connorg.functions.openapi.operations import OPERATIONS
from connorg.graph import bodies
from infra.local.graph.calls import Call
from infra.local.graph.errors import GraphError
from infra.local.graph.handlers import create_organization, get_organization, update_organization
from infra.local.graph.model import NAMESPACE
from infra.local.graph.sources import SOURCE_PROPERTIES, key_of
from infra.local.graph.state import State
from tests.unit.partners import CONTOSO_TENANT, domain_source

ROOT = Path(__file__).parents[3]
HERE = "tests/unit/contract/test_extension_points.py"
FIELDS_PY = "connorg/contract/fields.py"
HEADERS_PY = "connorg/contract/headers.py"
REQUESTS = "connorg/contract/requests.py"
SOURCES = "connorg/contract/identity_sources.py"
STORED = "connorg/contract/organization.py"
CHANGES = "connorg/contract/changes.py"
BODIES = "connorg/graph/bodies.py"
VERSIONS = "connorg/contract/versions.py"
OPERATIONS_PY = "connorg/functions/openapi/operations.py"
EMULATOR = "infra/local/graph/model.py, drafts.py and organizations.py"
EMULATED_SOURCES = "infra/local/graph/sources.py"
BODY_PAGE = "docs/http-submit.md"
ROUTES_PAGE = "docs/http.md"
COLUMNS_PAGE = "docs/command.md"

# Of each field a value as the wire has it, and another one.
SAMPLES: Mapping[str, tuple[Any, Any]] = {
    "display_name": ("Contoso", "Fabrikam"),
    "description": ("A partner", "Another partner"),
    "identity_sources": ([domain_source()], [domain_source("fabrikam.com")]),
    "state": ("configured", "proposed"),
    "internal_sponsors": (["ada@contoso.com"], ["bob@contoso.com"]),
    "external_sponsors": (["ada@contoso.com"], ["bob@contoso.com"]),
    "reference": ("REQ0042", "REQ0043"),
    "if_exists": ("fail", "update"),
    "callback_url": ("https://contoso.example/a", "https://contoso.example/b"),
}
# Of each field of an identity source but displayName.
SOURCE_SAMPLES: Mapping[str, str] = {
    "domain_name": "contoso.com",
    "issuer_uri": "https://idp.contoso.com/saml",
    "tenant_id": CONTOSO_TENANT,
    "cloud_instance": "microsoftonline.us",
}
# What each version of messages and rows can be read to hold. An older one refuses anything else.
READ_BY: Mapping[int, frozenset[str]] = {
    1: frozenset(
        {
            "display_name",
            "description",
            "identity_sources",
            "state",
            "internal_sponsors",
            "external_sponsors",
            "reference",
            "if_exists",
            "callback_url",
            "domainIdentitySource",
            "externalDomainFederation",
            "azureActiveDirectoryTenant",
            "crossCloudAzureActiveDirectoryTenant",
        }
    )
}
MODELS: Mapping[str, type[BaseModel]] = {
    str(tag.tag): model
    for model, tag in (get_args(member) for member in get_args(get_args(IdentitySource)[0]))
    if isinstance(tag, Tag)
}

each_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
each_changeable = pytest.mark.parametrize("field", CHANGEABLE, ids=lambda field: field.name)
each_kind = pytest.mark.parametrize("kind", SOURCE_KINDS.values(), ids=lambda kind: kind.type)


def sample(name: str, which: int = 0) -> Any:
    assert name in SAMPLES, f"{HERE}: give SAMPLES two values of {name}"
    return SAMPLES[name][which]


def a_request(source: Mapping[str, str] | None = None) -> OnboardingRequest:
    """A request that fills every field that has a sample."""
    content = {to_camel(name): values[0] for name, values in SAMPLES.items()}
    if source is not None:
        content["identitySources"] = [source]
    return OnboardingRequest.model_validate(content)


def model_of(kind: SourceKind) -> type[BaseModel]:
    assert kind.type in MODELS, f"{SOURCES}: the union IdentitySource has no {kind.type}"
    return MODELS[kind.type]


def a_source(kind: SourceKind) -> dict[str, str]:
    """A source of this kind, as the wire has it, that fills every field."""
    source = {"@odata.type": kind.odata_type, "displayName": "Contoso"}
    for name in model_of(kind).model_fields.keys() - {"odata_type", "display_name"}:
        assert name in SOURCE_SAMPLES, f"{HERE}: give SOURCE_SAMPLES a value of {name}"
        source[to_camel(name)] = SOURCE_SAMPLES[name]
    return source


def sent(body: Parsable) -> dict[str, Any]:
    """What the SDK would write of a body."""
    writer = JsonSerializationWriter()
    writer.write_object_value(None, body)
    return dict(json.loads(writer.get_serialized_content()))


def page(path: str) -> str:
    return (ROOT / path).read_text()


# The fields of a request


def test_the_table_has_the_fields_of_a_request_in_their_order() -> None:
    declared = [name for name in OnboardingRequest.model_fields if name != "odata_type"]
    listed = [field.name for field in FIELDS]
    for name in declared:
        assert name in listed, f"{FIELDS_PY}: FIELDS has no row for OnboardingRequest.{name}"
    for name in listed:
        assert name in declared, f"{REQUESTS}: OnboardingRequest has no field {name}, FIELDS has"
    assert listed == declared, f"{FIELDS_PY}: FIELDS has another order than OnboardingRequest"


@each_changeable
def test_a_changeable_field_is_in_each_model_of_an_organization(field: RequestField) -> None:
    name = field.name
    assert name in ConnectedOrganization.model_fields, (
        f"{STORED}: ConnectedOrganization has no field {name}, which Graph keeps"
    )
    assert name in OrganizationChanges.model_fields, (
        f"{CHANGES}: OrganizationChanges has no field {name}, which can be changed"
    )
    assert name in SubjectOrganization.model_fields, (
        f"{CHANGES}: SubjectOrganization has no field {name}, which an organization has"
    )


def test_what_a_patch_changes_is_marked_as_changeable() -> None:
    for name in OrganizationChanges.model_fields.keys() - {"odata_type"}:
        assert name in {field.name for field in CHANGEABLE}, (
            f"{FIELDS_PY}: {name} can be changed by a PATCH, and is not marked is_changeable"
        )


@each_changeable
def test_graph_is_sent_a_changeable_field(field: RequestField) -> None:
    name, wanted = field.name, sample(field.name, 1)
    request = a_request()
    try:
        created = sent(bodies.new_organization(request))
        changed = sent(bodies.changes(request.attributes, {**request.attributes, name: wanted}))
    except TypeError as error:
        pytest.fail(f"{BODIES}: the SDK can't be given all attributes: {error}")
    assert created.get(field.wire_name) == sample(name), f"{BODIES}: a create leaves {name} out"
    assert changed == {field.wire_name: wanted}, f"{BODIES}: a change of {name} is not sent alone"


@each_changeable
def test_the_emulator_keeps_and_changes_a_changeable_field(field: RequestField) -> None:
    name, wanted = field.wire_name, sample(field.name, 1)
    attributes = {f.wire_name: SAMPLES[f.name][0] for f in CHANGEABLE if f.name in SAMPLES}
    state = State()

    def call(body: dict[str, Any]) -> Call:
        return Call(
            "POST",
            "https://graph.example",
            "v1.0",
            headers={"Content-Type": "application/json"},
            content=json.dumps(body).encode(),
        )

    try:
        body = {**attributes, "identitySources": [domain_source()]}
        created = create_organization(state, call(body)).body
        update_organization(state, call({name: wanted}), created["id"])
        held = get_organization(state, call({}), created["id"]).body
    except GraphError as error:
        pytest.fail(f"{EMULATOR}: the emulator does not take all attributes: {error.message}")
    assert created.get(name) == sample(field.name), f"{EMULATOR}: {name} is not kept"
    assert held.get(name) == wanted, f"{EMULATOR}: {name} is not changed"


@each_changeable
def test_the_description_of_a_change_names_the_field(field: RequestField) -> None:
    word = field.name.rpartition("_")[2]
    assert word in OPERATIONS["ChangeOrganization"].description, (
        f"{OPERATIONS_PY}: the description of ChangeOrganization does not say {word}"
    )
    [row] = [line for line in page(ROUTES_PAGE).splitlines() if "| `PATCH connected-" in line]
    assert f"`{field.wire_name}`" in row, (
        f"{ROUTES_PAGE}: PATCH connected-organizations/{{id}} leaves {field.wire_name} out"
    )


@each_field
def test_the_pages_tell_of_a_field_and_its_column(field: RequestField) -> None:
    rows = [line for line in page(BODY_PAGE).splitlines() if line.startswith("|")]
    assert any(f"`{field.wire_name}`" in row.split("|")[1] for row in rows), (
        f"{BODY_PAGE}: the table of the body's fields has no {field.wire_name}"
    )
    if field.column is not None:
        assert f"| `{field.column.header}` |" in page(COLUMNS_PAGE), (
            f"{COLUMNS_PAGE}: the table of columns has no {field.column.header}"
        )


def test_no_header_means_two_columns() -> None:
    columns = [field.column for field in FIELDS] + [kind.column for kind in SOURCE_KINDS.values()]
    known = {one.header for one in columns if one}
    for header in HEADERS:
        assert header in known | {"Domain or tenant ID", "Website"}, f"{HEADERS_PY}: no {header}"
    spelled = [
        (header, folded(word))
        for header in known | {*HEADERS}
        for told in [HEADERS.get(header, Spellings())]
        for word in (header, *told.spellings, *told.also)
    ]
    for (one, word), (other, same) in combinations(spelled, 2):
        assert word != same, f"{HEADERS_PY}: {word!r} stands for {one} and for {other}"


# The types of identity sources


def test_each_type_is_in_the_union_and_has_its_row() -> None:
    for name in SOURCE_TYPES:
        assert name in SOURCE_KINDS, f"{SOURCES}: SOURCE_KINDS has no row for {name}"
        assert name in MODELS, f"{SOURCES}: the union IdentitySource has no member tagged {name}"
    for tag, model in MODELS.items():
        assert tag in SOURCE_TYPES, f"{SOURCES}: SourceType lacks {tag}"
        declared = get_args(model.model_fields["odata_type"].annotation)
        assert declared == (SOURCE_KINDS[tag].odata_type,), (
            f"{SOURCES}: {model.__name__} is tagged {tag}, and its odata_type says {declared}"
        )


@each_kind
def test_the_key_of_a_kind_is_of_fields_that_there_are(kind: SourceKind) -> None:
    for name in (*kind.key, *kind.hints):
        field = model_of(kind).model_fields.get(name)
        assert field is not None, f"{SOURCES}: {kind.type} has no field {name}, its row has"
        assert field.is_required() or name in kind.hints, (
            f"{SOURCES}: {name} of {kind.type} is in its key, and can be left out"
        )
    for name in kind.key:
        assert name in StoredIdentitySource.model_fields, (
            f"{STORED}: StoredIdentitySource has no field {name}, by which Graph names {kind.type}"
        )


@each_kind
def test_a_kind_has_one_natural_key_as_it_is_asked_for_and_as_it_is_stored(
    kind: SourceKind,
) -> None:
    asked = a_request(a_source(kind)).identity_source
    upper = {name: asked.model_dump()[to_camel(name)].upper() for name in kind.key}
    stored = StoredIdentitySource(odata_type=asked.odata_type, **upper)
    assert natural_key_of(stored) == asked.natural_key
    assert asked.natural_key.startswith(f"{kind.prefix}:")


def test_what_can_not_be_asked_for_has_no_natural_key() -> None:
    social = "#microsoft.graph.socialIdentitySource"
    domain = "#microsoft.graph.domainIdentitySource"
    for source in (
        StoredIdentitySource(),
        StoredIdentitySource(odata_type=social, domain_name="contoso.com"),
        StoredIdentitySource(odata_type=domain),
    ):
        assert natural_key_of(source) is None


def test_no_kind_is_taken_for_another() -> None:
    for above, below in combinations(SOURCE_KINDS.values(), 2):
        assert above.prefix != below.prefix, (
            f"{SOURCES}: {above.type} and {below.type} have the same prefix"
        )
        assert not below.named_by <= above.named_by, (
            f"{SOURCES}: a webhook that names {above.type} would be taken for {below.type};"
            " give that hints, or move its row up"
        )


@each_kind
def test_graph_is_sent_all_of_a_source(kind: SourceKind) -> None:
    source = a_source(kind)
    body = sent(bodies.new_organization(a_request(source)))
    assert body["identitySources"] == [source], f"{BODIES}: _source leaves out some of {kind.type}"


@each_kind
def test_the_emulator_knows_a_kind(kind: SourceKind) -> None:
    assert kind.type in SOURCE_PROPERTIES, (
        f"{EMULATED_SOURCES}: SOURCE_PROPERTIES has no {kind.type}"
    )
    assert {*SOURCE_PROPERTIES[kind.type]} >= {*map(to_camel, kind.key)}, (
        f"{EMULATED_SOURCES}: SOURCE_PROPERTIES does not know the key of {kind.type}"
    )
    for name in map(to_camel, kind.key):
        named = {"@odata.type": f"#{NAMESPACE}{kind.type}"}
        one, other = (key_of({**named, name: value}) for value in ("a", "b"))
        assert one != other, f"{EMULATED_SOURCES}: key_of leaves {name} of {kind.type} out"


@each_kind
def test_the_pages_tell_of_a_kind_and_its_column(kind: SourceKind) -> None:
    assert f"`{kind.odata_type}`" in page(BODY_PAGE), (
        f"{BODY_PAGE}: the identity sources leave {kind.type} out"
    )
    if kind.column is not None:
        assert f"| `{kind.column.header}` |" in page(COLUMNS_PAGE), (
            f"{COLUMNS_PAGE}: the table of columns has no {kind.column.header}"
        )


# Both


def test_an_older_version_is_not_given_what_it_refuses() -> None:
    assert VERSION in READ_BY, f"{HERE}: say in READ_BY what version {VERSION} can be read to hold"
    written = {*(field.name for field in FIELDS), *SOURCE_TYPES}
    assert not (new := written - READ_BY[VERSION]), (
        f"{VERSIONS}: where version {VERSION} runs, messages with {', '.join(sorted(new))} are"
        " refused. Raise VERSION, and say in READ_BY what it can be read to hold"
    )
