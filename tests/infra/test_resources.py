"""Each resource fits the type that Azure has published for it, whatever parameters are given."""

import uuid
from dataclasses import replace

import pytest

from infra.bicep.deploying import deploy
from tests.infra.environments import ENVIRONMENTS, INFRA, deployed
from tests.infra.refresh_schemas import used
from tests.infra.resource_types import SCHEMAS, faults, file_of

CLOUDS = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_property_is_unknown_missing_read_only_or_mistyped(environment: str) -> None:
    resources = [r for r in deployed(environment).resources if not r.existing]
    assert {str(r): found for r in resources if (found := faults(r))} == {}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_takes_it(cloud: str) -> None:
    resources = [r for r in deployed("most", cloud).resources if not r.existing]
    assert {str(r): found for r in resources if (found := faults(r))} == {}


@pytest.mark.parametrize("given", [{}, {"signInAddress": "https://app.azurewebsites.net"}])
def test_entra_takes_the_registration_and_the_permission(given: dict[str, str]) -> None:
    registration, permission = (
        deploy(INFRA / "entra" / f"{name}.bicep", parameters)
        for name, parameters in (
            ("registration", {"environmentName": "prod", **given}),
            ("permission", {"principalId": str(uuid.UUID(int=5))}),
        )
    )
    made = [r for r in (*registration.resources, *permission.resources) if not r.existing]
    assert {str(r): found for r in made if (found := faults(r))} == {}


def test_every_type_that_is_used_has_its_schema_and_no_other_is_kept() -> None:
    assert sorted(SCHEMAS.glob("*.json")) == sorted(map(file_of, used()))


def test_everything_that_is_declared_is_deployed_somewhere_and_so_was_looked_at() -> None:
    looked_at = {resource.kind for resource in deployed("most").resources}
    assert looked_at == {kind for kind in used() if not kind.startswith("Microsoft.Graph/")}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"allowSharedKeys": False}, "/properties/allowSharedKeys: is unknown"),
        ({"primaryLocation": "x"}, "/properties/primaryLocation: is read-only"),
        ({"allowSharedKeyAccess": "false"}, "/properties/allowSharedKeyAccess: 'false' is no bool"),
        ({"networkAcls": {}}, "/properties/networkAcls/defaultAction: is missing"),
        ({"networkAcls": {"defaultAction": "Refuse"}}, "'Refuse' is none of Allow, Deny"),
        ({"keyPolicy": {"keyExpirationPeriodInDays": "9"}}, "'9' is no int"),
    ],
)
def test_faults_are_found(change: dict[str, object], fault: str) -> None:
    account = deployed("most").only("Microsoft.Storage/storageAccounts")
    properties = account.properties | change
    changed = replace(account, body=account.body | {"properties": properties})
    [found] = faults(changed)
    assert fault in found


def test_a_missing_location_is_found() -> None:
    account = deployed("most").only("Microsoft.Storage/storageAccounts")
    body = {key: value for key, value in account.body.items() if key != "location"}
    changed = replace(account, body=body)
    assert faults(changed) == ["/location: is missing"]
