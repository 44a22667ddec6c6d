"""The Bicep files themselves: they parse, name only what there is, and are wired to each other."""

import json
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connorg.contract.effects import Role
from connorg.webhooks.senders import Sender
from infra.bicep.deploying import deploy, modules_of
from infra.bicep.syntax import BicepError, plain_text, read, text_of
from infra.bicep.types import properties_of
from tests import senders
from tests.infra.environments import ENVIRONMENTS, FILES, INFRA, MAIN, deployed, parameters_in

LEAST = {"environmentName": "a", "location": "westeurope"}
# Providers under one name that have versions of their own.
SERVED_APART = {
    kind: kind
    for kind in (
        "Microsoft.Insights/actionGroups",
        "Microsoft.Insights/components",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/workbooks",
    )
} | dict.fromkeys(
    (
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    ),
    "Microsoft.Network/privateDnsZones",
)
CHECKOV = INFRA / "checkov.yaml"
BICEP = sorted(INFRA.rglob("*.bicep"))
ENTRA = INFRA / "entra"
# They need the Microsoft Graph extension, which a compiler fetches.
PLAIN = [path for path in BICEP if path.parent != ENTRA]


def named(path: Path) -> str:
    return str(path.relative_to(INFRA))


def ready(count: int) -> dict[str, object]:
    return {"name": "http", "instanceCount": count}


def source(**changes: object) -> dict[str, object]:
    return {**senders.DOCUMENTED["jira"], **changes}


@pytest.mark.parametrize("path", BICEP, ids=named)
def test_a_file_parses_and_uses_all_that_it_declares(path: Path) -> None:
    template = read(path)
    times = Counter(template.identifiers)
    declared = [*template.parameters, *template.variables]
    assert [name for name in declared if times[name] < 2] == []


def test_every_file_belongs_to_the_deployment_or_to_entra() -> None:
    assert set(PLAIN) == set(modules_of(MAIN))
    assert {path.name for path in ENTRA.glob("*.bicep")} == {
        "registration.bicep",
        "permission.bicep",
    }


def test_a_plain_compile_needs_no_extension() -> None:
    assert [path for path in PLAIN if read(path).extensions] == []
    configured = comments_out(ENTRA)["extensions"]
    assert {e for path in BICEP for e in read(path).extensions} == set(configured)


@pytest.mark.parametrize("name", read(MAIN).parameters)
def test_a_parameter_says_what_it_is_for(name: str) -> None:
    [text] = read(MAIN).parameters[name].decorators["description"]
    assert plain_text(text).endswith(".")


def test_azd_offers_the_regions_of_the_subscription() -> None:
    [told] = read(MAIN).parameters["location"].decorators["metadata"]
    assert "type: 'location'" in text_of(told)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_deploys(environment: str) -> None:
    assert deployed(environment).outputs["AZURE_RESOURCE_GROUP"] == f"rg-connorg-{environment}"


def test_there_is_a_file_for_each_environment() -> None:
    assert [path.name.partition(".")[0] for path in FILES] == ["dev", "prod", "test"]


def test_azd_gives_parameters_that_there_are() -> None:
    given = parameters_in(INFRA / "main.parameters.json")
    assert set(given) <= set(read(MAIN).parameters)
    required = {name for name, p in read(MAIN).parameters.items() if p.default is None}
    assert required <= set(given)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"location": "x"}, "environmentName is not given"),
        ({"environmentName": "", "location": "x"}, "environmentName may not be ''"),
        ({"environmentName": 1, "location": "x"}, "environmentName is no string"),
        ({"environmentName": "a", "location": "x", "zones": True}, "no parameter zones"),
        ({"environmentName": "a", "location": "x", "instanceMemoryMB": 1024}, "may not be 1024"),
        ({"environmentName": "a", "location": "x", "logRetentionDays": 7}, "may not be 7"),
        ({**LEAST, "maximumInstanceCount": 39}, "may not be 39"),
        ({**LEAST, "tags": {"team": 1}}, "tags/team is no string"),
        ({**LEAST, "settings": {"CONNORG_GIVE_UP_HOURS": 1}}, "CONNORG_GIVE_UP_HOURS is no string"),
        ({**LEAST, "settings": ["CONNORG_GIVE_UP_HOURS"]}, "settings is no object"),
        ({**LEAST, "secretSettings": "CONNORG_RESULT_SECRETS"}, "secretSettings is no array"),
        ({**LEAST, "actionGroupIds": [{"id": "x"}]}, "actionGroupIds/0 is no string"),
        ({**LEAST, "alwaysReady": [{"name": "http"}]}, "alwaysReady/0/instanceCount is not given"),
        ({**LEAST, "alwaysReady": [ready(0)]}, "instanceCount may not be 0"),
        ({**LEAST, "alwaysReady": [{**ready(1), "name": "ResumeOnboarding"}]}, "name may not be"),
        ({**LEAST, "alwaysReady": [{**ready(1), "name": "function:Observe"}]}, "name may not be"),
        ({**LEAST, "alwaysReady": [{**ready(1), "count": 1}]}, "alwaysReady/0 has no count"),
        ({**LEAST, "alwaysReady": [ready(2), ready(1)], "zoneRedundant": True}, "2 or more"),
        ({**LEAST, "webhookSources": {"jira": {"profile": "jira"}}}, "jira/secrets is not given"),
        ({**LEAST, "webhookSources": {"jira": source(secrets=[])}}, "secrets may not be"),
        ({**LEAST, "webhookSources": {"jira": source(secret="A")}}, "jira has no secret"),
        ({**LEAST, "webhookSources": {"jira": source(counts=True)}}, "counts is no string"),
        ({**LEAST, "webhookSources": {"jira": source(deliveryId={"at": "x"})}}, "has no at"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    with pytest.raises(BicepError, match=fault):
        deploy(MAIN, parameters)


def test_zones_alone_need_two_of_what_is_kept_ready() -> None:
    assert deployed("prod").only("Microsoft.Web/serverfarms").properties["zoneRedundant"]
    deploy(MAIN, {**LEAST, "alwaysReady": [ready(1)]})


def test_every_declared_sender_of_webhooks_is_taken() -> None:
    deploy(MAIN, {**LEAST, "webhookSources": {**senders.DOCUMENTED, **senders.MORE}})


def test_a_webhook_source_has_the_fields_that_the_code_reads() -> None:
    """The type is sealed: a field that it lacks would be refused."""
    declared = read(MAIN).types["webhookSource"].value
    assert set(properties_of(declared)[0]) == {
        "profile",
        *(field.alias for field in Sender.model_fields.values()),
    }


def test_a_linter_rule_is_on_or_says_why_not() -> None:
    configured = [comments_out(path) for path in (INFRA, ENTRA)]
    assert configured[0]["analyzers"] == configured[1]["analyzers"]
    rules = configured[0]["analyzers"]["core"]["rules"]
    off = {name for name, rule in rules.items() if rule["level"] != "error"}
    assert {name.startswith("use-description-") for name in off} == {True}
    for path in BICEP:
        for line in path.read_text().splitlines():
            if "#disable" in line:
                assert " // " in line, f"{path.name}: {line}"


def test_each_rule_of_the_scanner_that_is_passed_over_says_why() -> None:
    skipped = re.findall(r"^  - (CKV\w+)(?: # (.+))?$", CHECKOV.read_text(), re.MULTILINE)
    assert skipped
    assert [rule for rule, why in skipped if not why] == []
    assert CHECKOV.read_text().count("CKV") == len(skipped)


def comments_out(folder: Path) -> Any:
    text = (folder / "bicepconfig.json").read_text()
    return json.loads(re.sub(r"^ *//.*\n", "", text, flags=re.MULTILINE))


def test_a_provider_has_one_version_but_where_it_is_said_why() -> None:
    """Types of one provider at different versions are refused now and then, and puzzle always."""
    versions: dict[str, set[str]] = defaultdict(set)
    for path in PLAIN:
        for declaration in read(path).resources.values():
            kind, _, version = declaration.kind.partition("@")
            versions[SERVED_APART.get(kind, kind.partition("/")[0])].add(version)
    assert {provider: found for provider, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: t.replace("    bound: bound\n", ""), "bound is not given"),
        (lambda t: t.replace("    bound: bound\n", "    bund: bound\n"), "no parameter bund"),
        (lambda t: t.replace("    bound: bound\n", "    bound: 'x'\n"), "bound is no int"),
        (lambda t: t.replace("outputs.twice", "outputs.thrice"), "has no thrice"),
        (lambda t: t.replace("bound: bound", "bound: bond"), "no such name"),
        (lambda t: t.replace("= inner.outputs", "= toUpper(inner.outputs"), "is no Bicep"),
    ],
)
def test_wrong_wiring_is_found(tmp_path: Path, change: Callable[[str], str], fault: str) -> None:
    (tmp_path / "inner.bicep").write_text("param bound int\noutput twice int = bound * 2\n")
    outer = """param bound int = 3
module inner 'inner.bicep' = {
  name: 'inner'
  params: {
    bound: bound
  }
}
output all int = inner.outputs.twice
"""
    path = tmp_path / "outer.bicep"
    path.write_text(outer)
    assert deploy(path, {}).outputs == {"all": 6}
    path.write_text(change(outer))
    with pytest.raises(BicepError, match=fault):
        deploy(path, {})


def test_the_registration_has_the_roles_that_the_code_asks_for() -> None:
    made = deploy(ENTRA / "registration.bicep", {"environmentName": "prod"})
    roles = made.only("Microsoft.Graph/applications").body["appRoles"]
    assert [role["value"] for role in roles] == list(Role)
    assert len({role["id"] for role in roles}) == len(roles)


def test_people_sign_in_where_the_app_is_and_nowhere_else() -> None:
    parameters = {"environmentName": "prod", "signInAddress": "https://app.azurewebsites.net"}
    for given, addresses in (
        (parameters, ["https://app.azurewebsites.net/.auth/login/aad/callback"]),
        ({"environmentName": "prod"}, []),
    ):
        body = deploy(ENTRA / "registration.bicep", given).only("Microsoft.Graph/applications").body
        assert body["web"]["redirectUris"] == addresses
        assert body["web"]["implicitGrantSettings"]["enableIdTokenIssuance"] is bool(addresses)
        [scope] = body["api"]["oauth2PermissionScopes"]
        [client] = body["api"]["preAuthorizedApplications"]
        assert client["delegatedPermissionIds"] == [scope["id"]]
        assert all("User" in role["allowedMemberTypes"] for role in body["appRoles"])


def test_callers_may_ask_for_tokens_by_the_address_that_is_registered() -> None:
    registration = deploy(ENTRA / "registration.bicep", {"environmentName": "most"})
    [address] = registration.only("Microsoft.Graph/applications").body["identifierUris"]
    authentication = deployed("most").only("Microsoft.Web/sites/config").properties
    provider = authentication["identityProviders"]["azureActiveDirectory"]
    assert address in provider["validation"]["allowedAudiences"]


@pytest.mark.parametrize("tenant_lookup", [False, True])
def test_the_permission_is_what_the_readme_names_and_no_more(tenant_lookup: bool) -> None:  # noqa: FBT001  a case
    given = {"principalId": "p", "tenantLookup": tenant_lookup}
    made = deploy(ENTRA / "permission.bicep", given)
    lookup = ["CrossTenantInformation.ReadBasic.All"] if tenant_lookup else []
    assert made.outputs["granted"] == ["EntitlementManagement.ReadWrite.All", *lookup]
    assert len(made.of_type("Microsoft.Graph/appRoleAssignedTo")) == len(made.outputs["granted"])
    graph = made.only("Microsoft.Graph/servicePrincipals")
    assert graph.existing
    assert graph.body["appId"] == "00000003-0000-0000-c000-000000000000"


def _compiler() -> list[str] | None:
    if bicep := shutil.which("bicep"):
        return [bicep]
    azure = shutil.which("az")
    if azure and subprocess.run([azure, "bicep", "version"], check=False).returncode == 0:
        return [azure, "bicep"]
    return None


@pytest.mark.skipif(_compiler() is None, reason="no Bicep compiler on this machine")
@pytest.mark.parametrize("path", PLAIN, ids=named)
def test_the_compiler_takes_it(path: Path) -> None:
    compiler = _compiler()
    assert compiler
    file = [str(path)] if len(compiler) == 1 else ["--file", str(path)]
    for command in ("build", "lint"):
        extra = ["--stdout"] if command == "build" else []
        done = subprocess.run(
            [*compiler, command, *file, *extra], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
