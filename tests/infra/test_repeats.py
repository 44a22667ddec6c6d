"""What Azure refuses when it is made side by side, or made again."""

from collections import defaultdict

import pytest

from tests.infra.bicep.deploying import Resource
from tests.infra.environments import ENVIRONMENTS, deployed

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
