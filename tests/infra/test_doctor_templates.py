"""The doctor compares what is deployed with what the templates say, and tells each difference."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.doctor import templates
from infra.doctor.azure_cli import AzureCli
from infra.doctor.findings import Finding, Level
from tests.infra.environments import ENVIRONMENTS, deployed
from tests.infra.recorders import Recorders
from tests.infra.shown import PLACE, SITE, Shown

type Json = Any
type Change = Callable[[Shown], object]

SECRET = "hunter2-hunter2-hunter2"
NOT_THERE = 'ERROR: Not Found({"error":{"code":"ResourceNotFound"}})'
FORBIDDEN = 'ERROR: Forbidden({"error":{"code":"AuthorizationFailed"}})'
ACCOUNT = {
    "environmentName": "AzureCloud",
    "id": PLACE.subscription_id,
    "tenantId": PLACE.tenant_id,
}


@pytest.fixture
def recorders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorders:
    """An `az` that answers from a folder of answers."""
    recorders = Recorders(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return recorders


async def examined(shown: Shown, recorders: Recorders, error: str = NOT_THERE) -> list[Finding]:
    """What is found; `error`: what `az` tells of what it has no answer to."""
    answers: dict[str, Json] = {"account show": ACCOUNT, "deployment sub list": shown.deployments}
    versions = {
        str(one.id): one.kind.partition("@")[2] for one in deployed(shown.environment).resources
    }
    for path, held in shown.held.items():
        version = versions.get(path) or versions[shown.site]
        method = "post" if path.endswith("/list") else "get"
        answers[f"rest --method {method} --url {path}?api-version={version}"] = held
    for words, answer in answers.items():
        name = hashlib.md5(f"{words} --output json".encode(), usedforsecurity=False).hexdigest()
        (recorders.folder / name).write_text(json.dumps(answer))
    answer = f"""
        name=$(printf %s "$*" | md5sum | cut -c1-32)
        cat "{recorders.folder}/$name" 2>/dev/null || {{ echo '{error}' >&2; exit 1; }}"""
    recorders.tool("az", answer)
    found = templates.examine(shown.group, AzureCli(None))
    return [finding async for finding in found]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
async def test_what_is_as_the_templates_say_is_well(environment: str, recorders: Recorders) -> None:
    """With the parameters of the last deployment: what they decide is no difference."""
    [found] = await examined(Shown(environment), recorders)
    assert found.level is Level.OK, found


# What somebody did by hand, what is told of it, and in which words.
CHANGES: list[tuple[Change, str, list[str]]] = [
    (
        lambda s: s.settings.update(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="104857600"),
        "setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
        ['Azure has "104857600"; the templates say "4100000"', "azd provision", "on purpose"],
    ),
    (
        lambda s: s.settings.update(CONNORG_TENANT_LOOKUP="FALSE"),
        "setting CONNORG_TENANT_LOOKUP",
        ['Azure has "FALSE"; the templates say ""', "let a parameter say so"],
    ),
    (
        lambda s: s.settings.pop("CONNORG_UPDATES_FROM"),
        "setting CONNORG_UPDATES_FROM",
        ["The templates set it; the app does not have it", "azd provision"],
    ),
    (
        lambda s: s.settings.update(AZURE_CLIENT_ID=""),
        "setting AZURE_CLIENT_ID",
        ["The templates fill it; in Azure it is blank"],
    ),
    (
        lambda s: s.settings.update(SOMETHING="else"),
        "setting SOMETHING",
        ["The app has it; the templates do not set it", "The next deployment takes it away"],
    ),
    (
        lambda s: s.settings.update(AzureFunctionsJobHost__extensions__queues__batchSize="1"),
        "setting AzureFunctionsJobHost__extensions__queues__batchSize",
        ["overrides host.json, which says 16"],
    ),
    (
        lambda s: s.settings.update({"AzureWebJobs.CallBack.Disabled": "true"}),
        "setting AzureWebJobs.CallBack.Disabled",
        ["switch the function CallBack off"],
    ),
    (
        lambda s: s.scale.update(maximumInstanceCount=1000),
        "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount",
        ["Azure has 1000; the templates say 40", "let a parameter say so"],
    ),
    (
        lambda s: s.scale.update(alwaysReady=None),
        "properties.functionAppConfig.scaleAndConcurrency.alwaysReady",
        ['Azure has null; the templates say [{"name": "http", "instanceCount": 2}]'],
    ),
    (
        lambda s: s.of(SITE)["properties"].update(httpsOnly=False),
        "properties.httpsOnly",
        ["Azure has false; the templates say true"],
    ),
    (
        lambda s: s.held[f"{s.site}/config/web"]["properties"].update(minTlsVersion="1.0"),
        "minTlsVersion",
        ['Azure has "1.0"; the templates say "1.2"'],
    ),
    (
        lambda s: s.of("Microsoft.Web/serverfarms")["properties"].update(zoneRedundant=False),
        "properties.zoneRedundant",
        ["Azure has false; the templates say true"],
    ),
    (
        lambda s: s.of("Microsoft.Storage/storageAccounts")["properties"].update(
            allowSharedKeyAccess=True
        ),
        "properties.allowSharedKeyAccess",
        ["Azure has true; the templates say false"],
    ),
    (
        lambda s: s.of("Microsoft.Web/sites/config")["properties"]["platform"].update(
            enabled=False
        ),
        "authsettingsV2 properties.platform.enabled",
        ["Azure has false; the templates say true"],
    ),
    (
        lambda s: s.held.pop(f"{s.site}/basicPublishingCredentialsPolicies/scm"),
        "basicPublishingCredentialsPolicies/scm",
        ["Azure has no such resource", "azd provision"],
    ),
]


async def test_each_difference_is_told_with_what_to_do(recorders: Recorders) -> None:
    shown = Shown("most")
    for change, _, _ in CHANGES:
        change(shown)
    found = await examined(shown, recorders)
    assert {one.level for one in found} == {Level.NOTE}
    assert len(found) == len(CHANGES)
    for _, where, words in CHANGES:
        [told] = [one for one in found if one.check.endswith(where)]
        assert told.check.startswith("templates: ")
        for word in words:
            assert word in f"{told.detail} {told.mend}"


@pytest.mark.parametrize(
    "change",
    [
        {"CONNORG_CALLBACK_SECRETS": SECRET},
        {"CONNORG_RESULT_SECRETS": SECRET},
        {"JIRA_WEBHOOK_SECRET": SECRET},
        {"SOME_TOKEN": SECRET},
        {"CONNORG_TICKET_LINK": f"https://tickets.example/{{reference}}?token={SECRET}"},
        {"CONNORG_GRAPH_ROOT": f"https://blob.example/?sv=1&sig={SECRET}"},
        {"CONNORG_WEBHOOK_SOURCES": json.dumps({"jira": {"secrets": [SECRET]}})},
        {"CONNORG_WEBHOOK_SOURCES": json.dumps({"other": {"secrets": [SECRET]}})},
    ],
    ids=str,
)
@pytest.mark.parametrize("environment", ["least", "most"])
def test_a_secret_is_never_shown(environment: str, change: dict[str, str]) -> None:
    config = deployed(environment).only(SITE).properties["siteConfig"]
    wanted = {one["name"]: one["value"] for one in config["appSettings"]}
    settings = Shown(environment).settings | change
    [found] = templates.settings_compared(wanted, settings)
    assert SECRET not in f"{found.check} {found.detail} {found.mend}"
    assert found.check.endswith(tuple(change))


def test_a_webhook_source_that_differs_is_named() -> None:
    wanted = {"CONNORG_WEBHOOK_SOURCES": json.dumps({"jira": {"secrets": ["A"]}, "same": {}})}
    settings = {"CONNORG_WEBHOOK_SOURCES": json.dumps({"other": {"secrets": ["B"]}, "same": {}})}
    [found] = templates.settings_compared(wanted, settings)
    assert "for jira, other." in found.detail


async def test_the_last_deployment_that_succeeded_counts(recorders: Recorders) -> None:
    """What came later failed, or is of another group."""
    shown = Shown("prod")
    for name, value in (("provisioningState", "Failed"), ("outputs", None)):
        later = json.loads(json.dumps(shown.deployments[0]))
        later["properties"] |= {name: value, "timestamp": "2027"}
        later["properties"]["parameters"]["zoneRedundant"]["value"] = False
        shown.deployments.append(later)
    [found] = await examined(shown, recorders)
    assert found.level is Level.OK, found


async def test_a_parameter_that_there_was_is_no_hindrance(recorders: Recorders) -> None:
    shown = Shown("least")
    shown.deployments[0]["properties"]["parameters"]["was"] = {"type": "String", "value": "there"}
    [found] = await examined(shown, recorders)
    assert found.level is Level.OK, found


async def test_where_nothing_was_deployed_nothing_is_compared(recorders: Recorders) -> None:
    shown = Shown("least")
    shown.deployments.clear()
    [found] = await examined(shown, recorders)
    assert found.level is Level.NOTE
    assert "keeps no deployment of main.bicep that made rg-connorg-least" in found.detail


async def test_who_may_not_read_app_settings_is_told_so(recorders: Recorders) -> None:
    shown = Shown("least")
    del shown.held[f"{shown.site}/config/appsettings/list"]
    found = await examined(shown, recorders, FORBIDDEN)
    assert "AuthorizationFailed" in found[-1].detail
    assert "az login" in found[-1].mend


async def test_where_no_azure_cli_is_nothing_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    [found] = [finding async for finding in templates.examine("rg", AzureCli(None))]
    assert (found.level, "not installed" in found.detail) == (Level.NOTE, True)
