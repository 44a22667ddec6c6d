"""What may not be lost by a change: no keys, nothing in clear text, no right too many."""

import json
import re
from typing import Any

import pytest

from connorg.contract import storage_names as names
from function_app import routes
from infra.bicep.deploying import Deployment, Resource
from infra.bicep.values import Unknown, last_name
from tests.infra.environments import ENVIRONMENTS, INFRA, deployed

# "Azure built-in roles", by the last part of their ids.
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
}
BLOB_CONTRIBUTOR = "Storage Blob Data Contributor"
SECRETIVE = re.compile(
    r"listKeys|listAccountSas|listServiceSas|getSecret|AccountKey=|SharedAccess", re.IGNORECASE
)

everywhere = pytest.mark.parametrize("environment", ENVIRONMENTS)


def properties(environment: str, type_name: str) -> dict[str, Any]:
    return deployed(environment).only(type_name).properties


@everywhere
def test_each_identity_has_these_roles_on_these_resources_and_no_other(environment: str) -> None:
    found = deployed(environment)
    assert held(found, "id-connorg-package-") == [("container deployment", BLOB_CONTRIBUTOR)]
    assert held(found, "id-connorg-") == [
        ("Microsoft.Insights/components", "Monitoring Metrics Publisher"),
        ("Microsoft.KeyVault/vaults", "Key Vault Secrets User"),
        ("Microsoft.Storage/storageAccounts", "Storage Queue Data Contributor"),
        ("Microsoft.Storage/storageAccounts", "Storage Table Data Contributor"),
        ("container azure-webjobs-hosts", "Storage Blob Data Owner"),
        ("container azure-webjobs-secrets", "Storage Blob Data Owner"),
    ]
    site = properties(environment, "Microsoft.Web/sites")
    package = site["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert "package" in named(package["userAssignedIdentityResourceId"])
    assert "package" not in named(site["keyVaultReferenceIdentity"])


def named(value: object) -> str:
    return value.text if isinstance(value, Unknown) else str(value)


def held(found: Deployment, name: str) -> list[tuple[str, str]]:
    """Return which roles the identity has whose name begins so, and on what."""
    identities = found.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
    [identity] = [
        one for one in identities if re.fullmatch(f"{name}[0-9a-z]+", str(one.body["name"]))
    ]
    principal = f"reference('{identity.id}', '{identity.kind.partition('@')[2]}').principalId"
    return sorted(
        (scope_of(assignment), role_of(assignment))
        for assignment in found.of_type("Microsoft.Authorization/roleAssignments")
        if assignment.properties["principalId"].text == principal
    )


def scope_of(assignment: Resource) -> str:
    scope = assignment.body["scope"]
    kind = scope.kind.partition("@")[0]
    return f"container {last_name(scope.name)}" if kind.endswith("/containers") else kind


def role_of(assignment: Resource) -> str:
    return ROLES[assignment.properties["roleDefinitionId"].rpartition("/")[2]]


@everywhere
def test_no_door_opens_by_a_key(environment: str) -> None:
    assert (
        properties(environment, "Microsoft.Storage/storageAccounts")["allowSharedKeyAccess"]
        is False
    )
    assert properties(environment, "Microsoft.Insights/components")["DisableLocalAuth"] is True
    [workspace] = [
        r
        for r in deployed(environment).of_type("Microsoft.OperationalInsights/workspaces")
        if not r.existing
    ]
    assert workspace.properties["features"]["disableLocalAuth"] is True
    assert properties(environment, "Microsoft.KeyVault/vaults")["enableRbacAuthorization"] is True
    publishing = deployed(environment).of_type(
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
    )
    assert {p.body["name"]: p.properties["allow"] for p in publishing} == {
        "scm": False,
        "ftp": False,
    }
    deployment = properties(environment, "Microsoft.Web/sites")["functionAppConfig"]["deployment"]
    assert deployment["storage"]["authentication"]["type"] == "UserAssignedIdentity"


def test_no_file_asks_for_a_key_or_takes_a_secret() -> None:
    files = [*INFRA.rglob("*.bicep"), *INFRA.rglob("*.parameters.json"), *INFRA.glob("hooks/*")]
    assert [path.name for path in files if SECRETIVE.search(path.read_text())] == []
    assert [path.name for path in files if "@secure" in path.read_text()] == []


@everywhere
def test_no_secret_is_deployed(environment: str) -> None:
    kinds = {resource.type_name for resource in deployed(environment).resources}
    assert "Microsoft.KeyVault/vaults/secrets" not in kinds
    assert not SECRETIVE.search(everything_in(deployed(environment)))


def everything_in(found: Deployment) -> str:
    def shown(value: object) -> str:
        return value.text if isinstance(value, Unknown) else str(value)

    return json.dumps([resource.body for resource in found.resources], default=shown)


@everywhere
def test_everything_is_encrypted_on_its_way(environment: str) -> None:
    site = properties(environment, "Microsoft.Web/sites")
    assert site["httpsOnly"] is True
    assert site["siteConfig"]["minTlsVersion"] == "1.2"
    assert site["siteConfig"]["scmMinTlsVersion"] == "1.2"
    account = properties(environment, "Microsoft.Storage/storageAccounts")
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"


@everywhere
def test_nothing_stored_is_public(environment: str) -> None:
    account = properties(environment, "Microsoft.Storage/storageAccounts")
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    kind = "Microsoft.Storage/storageAccounts/blobServices/containers"
    containers = deployed(environment).of_type(kind)
    assert {one.properties["publicAccess"] for one in containers} == {"None"}


@everywhere
def test_the_vault_keeps_what_is_deleted(environment: str) -> None:
    vault = properties(environment, "Microsoft.KeyVault/vaults")
    assert vault["enablePurgeProtection"] is True
    assert vault["enableSoftDelete"] is True
    assert vault["softDeleteRetentionInDays"] == 90


@pytest.mark.parametrize("environment", ["most", "test", "prod"])
def test_a_private_network_closes_storage_and_vault(environment: str) -> None:
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        closed = properties(environment, kind)
        assert closed["publicNetworkAccess"] == "Disabled"
        assert closed["networkAcls"] == {"bypass": "None", "defaultAction": "Deny"}
    endpoints = deployed(environment).of_type("Microsoft.Network/privateEndpoints")
    connections = [
        e.properties["privateLinkServiceConnections"][0]["properties"] for e in endpoints
    ]
    assert [c["groupIds"] for c in connections] == [["blob"], ["queue"], ["table"], ["vault"]]
    subnet = properties(environment, "Microsoft.Web/sites")["virtualNetworkSubnetId"]
    assert subnet.endswith("/app")


def test_without_a_private_network_there_is_none() -> None:
    kinds = {resource.type_name for resource in deployed("least").resources}
    assert [kind for kind in kinds if kind.startswith("Microsoft.Network/")] == []


@pytest.mark.parametrize(
    ("environment", "sku"), [("dev", "Standard_LRS"), ("prod", "Standard_ZRS")]
)
def test_zones_are_used_where_asked_for(environment: str, sku: str) -> None:
    assert deployed(environment).only("Microsoft.Storage/storageAccounts").body["sku"] == {
        "name": sku
    }
    zoned = properties(environment, "Microsoft.Web/serverfarms")["zoneRedundant"]
    assert zoned is (sku == "Standard_ZRS")


@everywhere
def test_storage_has_the_queues_and_the_table_that_the_code_names(environment: str) -> None:
    found = deployed(environment)
    queues = found.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")
    tables = found.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")
    code = {name: value for name, value in vars(names).items() if name.isupper()}
    assert {q.body["name"] for q in queues} == {v for n, v in code.items() if n.endswith("QUEUE")}
    assert {t.body["name"] for t in tables} == {v for n, v in code.items() if n.endswith("TABLE")}


@everywhere
def test_it_is_a_flex_consumption_app_within_bounds(environment: str) -> None:
    plan = deployed(environment).only("Microsoft.Web/serverfarms")
    assert plan.body["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    config = properties(environment, "Microsoft.Web/sites")["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    scale = config["scaleAndConcurrency"]
    assert scale["triggers"]["http"]["perInstanceConcurrency"] > 1
    assert scale["maximumInstanceCount"] <= 100


@everywhere
def test_everything_that_takes_tags_has_those_of_the_environment(environment: str) -> None:
    untagged = {
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Insights/diagnosticSettings",
    }
    for resource in deployed(environment).resources:
        own = resource.body.get("tags", {})
        top_level = resource.type_name.count("/") == 1 and resource.type_name not in untagged
        if top_level and not resource.existing:
            assert own["azd-env-name"] == environment, resource


@everywhere
def test_storage_vault_and_app_are_watched(environment: str) -> None:
    settings = deployed(environment).of_type("Microsoft.Insights/diagnosticSettings")
    assert {s.body["scope"].kind.partition("@")[0] for s in settings} == {
        "Microsoft.KeyVault/vaults",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/queueServices",
        "Microsoft.Storage/storageAccounts/tableServices",
        "Microsoft.Web/sites",
    }


def test_with_entra_tokens_are_checked_and_the_code_asks_for_roles() -> None:
    authentication = properties("most", "Microsoft.Web/sites/config")
    assert authentication["platform"]["enabled"] is True
    provider = authentication["identityProviders"]["azureActiveDirectory"]
    assert provider["enabled"] is True
    assert provider["registration"]["clientId"] == ENVIRONMENTS["most"]["entraClientId"]
    assert provider["registration"]["openIdIssuer"].endswith("/v2.0")


def test_paths_that_app_service_leaves_out_are_those_of_routes_without_a_role() -> None:
    """On such a path a caller could write the headers of somebody signed in."""
    excluded = properties("most", "Microsoft.Web/sites/config")["globalValidation"]["excludedPaths"]
    for route in routes:
        path = f"/api/{route.path}"
        if any(covers(pattern, path) for pattern in excluded):
            assert route.role is None, path
    open_to_all = {f"/api/{route.path}" for route in routes if route.role is None}
    assert all(any(covers(pattern, path) for path in open_to_all) for pattern in excluded)


def covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def test_without_entra_there_is_no_authentication_but_keys() -> None:
    assert deployed("least").of_type("Microsoft.Web/sites/config") == []
