"""What Azure refuses when it is made side by side, or made again."""

import re
from collections import defaultdict
from typing import Any

import pytest

from infra.bicep.deploying import Resource, deploy
from infra.bicep.syntax import read
from tests.infra.azure import GLOBAL, IDENTITY, Azure
from tests.infra.environments import ENVIRONMENTS, MAIN, deployed
from tests.infra.test_deploy_page import table_under

everywhere = pytest.mark.parametrize("environment", ENVIRONMENTS)


def made_at(resource: Resource) -> str | None:
    """Say where Azure makes one at a time of such resources; None: nowhere."""
    match resource.type_name:
        case "Microsoft.Network/privateEndpoints":
            # On one account: StorageAccountOperationInProgress.
            [connection] = resource.properties["privateLinkServiceConnections"]
            return str(connection["properties"]["privateLinkServiceId"])
        case "Microsoft.OperationalInsights/workspaces/savedSearches":
            return str(resource.body["parent"].id)  # a conflict, now and then
    return None


@everywhere
def test_what_azure_makes_one_at_a_time_is_asked_for_one_at_a_time(environment: str) -> None:
    rivals: dict[str, list[Resource]] = defaultdict(list)
    for resource in deployed(environment).resources:
        if place := made_at(resource):
            rivals[f"{resource.type_name} at {place}"].append(resource)
    for place, resources in rivals.items():
        assert len({str(resource) for resource in resources}) == 1, f"{place}: from several loops"
        assert {resource.batch_size for resource in resources} == {1}, place


@everywhere
def test_what_azure_overwrites_by_its_etag_alone_says_any(environment: str) -> None:
    """A second deployment puts the same again. Without an etag a saved search answers 409."""
    found = deployed(environment).of_type("Microsoft.OperationalInsights/workspaces/savedSearches")
    assert found
    for resource in found:
        assert resource.body["etag"] == "*", resource


# A value that differs from that of the environment in which everything is switched on.
OTHER: dict[str, Any] = {
    "environmentName": "other",
    "location": "northeurope",
    "tags": {"team": "identity"},
    "entraClientId": "",
    "settings": {"CONNORG_GIVE_UP_HOURS": "1"},
    "webhookSources": {},
    "secretSettings": [],
    "instanceMemoryMB": 4096,
    "httpConcurrency": 10,
    "maximumInstanceCount": 100,
    "alwaysReady": [],
    "zoneRedundant": False,
    "privateNetwork": False,
    "addressSpace": "10.61.0.0/24",
    "appSubnet": "10.60.0.0/26",
    "endpointSubnet": "10.60.0.160/27",
    "logRetentionDays": 60,
    "alertEmail": "other@contoso.com",
    "actionGroupIds": [],
    "oldestWaitingMinutes": 10,
}


@everywhere
def test_the_first_deployment_and_the_second_pass(environment: str) -> None:
    azure = Azure()
    assert azure.deploy(deployed(environment)) == []
    held = dict(azure.held)
    assert azure.deploy(deployed(environment)) == []
    assert azure.held == held


def test_a_parameter_can_be_changed_later_but_where_the_page_says_how() -> None:
    assert OTHER.keys() == read(MAIN).parameters.keys()
    refused = {}
    for name, value in OTHER.items():
        azure = Azure()
        azure.deploy(deployed("most"))
        if codes := azure.deploy(deploy(MAIN, {**ENVIRONMENTS["most"], name: value})):
            refused[name] = {code.partition(":")[0] for code in codes}
    told = {
        name: set(re.findall(r"`(\w+)`", row[1]))
        for row in table_under("Change it later")
        for name in re.findall(r"`(\w+)`", row[0])
    }
    assert refused == told


def test_an_identity_that_is_made_again_gets_its_roles() -> None:
    azure = Azure()
    azure.deploy(deployed("least"))
    azure.delete(IDENTITY)
    assert azure.deploy(deployed("least")) == []


def test_a_vault_that_was_deleted_keeps_its_name() -> None:
    azure = Azure()
    azure.deploy(deployed("least"))
    azure.delete("Microsoft.KeyVault/vaults")
    assert [code.partition(":")[0] for code in azure.deploy(deployed("least"))] == ["ConflictError"]


@pytest.mark.parametrize("changed", ["environmentName", "location"])
def test_names_that_all_of_azure_shares_differ_by_environment_and_region(changed: str) -> None:
    here = deployed("least")
    there = deploy(MAIN, {**ENVIRONMENTS["least"], changed: OTHER[changed]})
    for type_name in GLOBAL:
        assert here.only(type_name).name != there.only(type_name).name


def test_names_are_as_azure_takes_them_however_long_the_environments_is() -> None:
    made = deploy(MAIN, {"environmentName": "e" * 40, "location": "germanywestcentral"})
    account, vault, site = (made.only(type_name).name for type_name in GLOBAL)
    assert re.fullmatch(r"[a-z0-9]{3,24}", account)
    assert re.fullmatch(r"[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]", vault)
    assert re.fullmatch(r"[a-z0-9-]{2,32}", site), "the host tells apps apart by 32 characters"
