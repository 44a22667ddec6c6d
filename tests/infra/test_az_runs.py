"""The real Azure CLI runs what pages, hooks, doctor and hand-over texts say, on a loopback Azure.

It takes `az cloud register` and a sign-in with a service principal; nothing of the Azure CLI is
changed. tests/infra/az/loopback.py answers.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from infra.grant.hand_over import hand_over
from infra.grant.rights import GOVERNANCE, LOOKUP, WRITE
from infra.local.tokens import PRINCIPAL_ID
from tests.infra.app_settings import ROOT
from tests.infra.az.__main__ import COMMANDS_OF_HAND_OVER, HOOK_ENVIRONMENT, HOOKS, commands
from tests.infra.az.loopback import OPERATOR, Loopback
from tests.infra.azd import Azd
from tests.infra.recorders import Recorders
from tests.infra.shown import PLACE, SITE, Shown
from tests.infra.test_azd import MAKEFILE
from tests.infra.test_deploy_page import PAGE
from tests.infra.test_grant_hook import ADMINISTRATOR, READER

AZ = ROOT / ".local/az/bin"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (AZ / "az").exists(), reason="`make policy` installs the Azure CLI"),
]

# What is not run here but parsed (`make policy`), by how it begins.
NOT_RUN = {
    "login": "it opens a browser, or asks for a certificate",
    "keyvault secret": "a vault's own address, by a name that only Azure's DNS has",
    "storage message": "the same, of a storage account",
    "storage queue": "the same",
    "storage table": "the same",
    "bicep": "it is the compiler, which no registry has",
    "functionapp deployment": "with the deployment without azd, below",
    "rest": "with the hand-over text, below",
    "ad sp": "the same",
}


@dataclass
class Azure:
    loopback: Loopback
    tools: Recorders
    environment: dict[str, str]

    @property
    def shown(self) -> Shown:
        return self.loopback.shown

    async def run(
        self, *command: str, cwd: Path = ROOT, variables: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Return the exit code, and what was told."""
        running = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env={**self.environment, **(variables or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await running.communicate()
        return running.returncode or 0, told.decode()

    async def well(
        self, *command: str, cwd: Path = ROOT, variables: Mapping[str, str] | None = None
    ) -> str:
        code, told = await self.run(*command, cwd=cwd, variables=variables)
        assert code == 0, f"{command}: {told}"
        return told

    async def graph(self, method: str, path: str, body: Any = None) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.loopback.graph}{path}", json=body, ssl=False) as answer,
        ):
            return await answer.json() if answer.content_type == "application/json" else None


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[Azure]:
    """Signed in to the loopback Azure, in which production is deployed."""
    loopback = Loopback(tmp_path, Shown("prod"))
    await loopback.start()
    tools = Recorders(tmp_path)
    tools.tool("az", f'exec {AZ}/az "$@"')
    (tmp_path / "bicep").write_text(
        f'#!/bin/sh\ncd {ROOT}\nexec {sys.executable} -m tests.infra.az.compiler "$@"\n'
    )
    (tmp_path / "bicep").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONWARNINGS": "ignore",
        "REQUESTS_CA_BUNDLE": str(loopback.certificate),
        "SSL_CERT_FILE": str(loopback.certificate),
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
        "AZURE_BICEP_USE_BINARY_FROM_PATH": "true",
        "AZURE_BICEP_CHECK_VERSION": "false",
    }
    azure = Azure(loopback, tools, environment)
    named = ("--name", "loopback")
    where = ("--endpoint-resource-manager", loopback.root)
    await azure.well("az", "cloud", "register", *named, *where)
    await azure.well("az", "cloud", "set", *named)
    who = ("--service-principal", "--username", OPERATOR, "--password", "secret")
    await azure.well("az", "login", *who, "--tenant", PLACE.tenant_id)
    await azure.graph("PUT", "/_emulator/config", {"roles": ADMINISTRATOR})
    yield azure
    await loopback.stop()


async def test_each_command_runs(azure: Azure) -> None:
    """What stands in capitals, and the ids of examples, become what there is."""
    shown = azure.shown
    account = str(shown.of("Microsoft.Storage/storageAccounts")["name"])
    platform = {"enabled": False}  # of authentication, which the doctor's command turns on
    shown.held[f"{shown.site}/config/authsettingsV2"] = {"properties": {"platform": platform}}
    names = {
        "APP_ID": shown.site,
        "APP": shown.site.rpartition("/")[2],
        "ACCOUNT": account,
        "GROUP": shown.group,
        "ID": PRINCIPAL_ID,
        "PRINCIPAL_ID": PRINCIPAL_ID,
        "STORAGE_ACCOUNT_ID": next(key for key in shown.held if key.endswith(f"/{account}")),
        HOOK_ENVIRONMENT["AZURE_SUBSCRIPTION_ID"]: PLACE.subscription_id,
    }
    run: set[tuple[str, ...]] = set()
    for place, said in commands():
        if " ".join(said).startswith(tuple(NOT_RUN)) or tuple(said) in run:
            continue
        run.add(tuple(said))
        words = [
            re.sub(r"[\w-]+", lambda found: names.get(found[0], found[0]), word) for word in said
        ]
        agreed = ["--yes"] if "migration" in words else []
        code, told = await azure.run("az", *words, *agreed)
        assert code == 0, f"{place}: az {' '.join(words)}: {told}"
    assert len(run) > 20
    assert azure.shown.settings["AzureWebJobs.SubmitBatch.Disabled"] == "true"
    assert ("POST", f"{shown.site}/restart") in azure.loopback.calls
    authentication = shown.held[f"{shown.site}/config/authsettingsV2"]
    assert authentication["properties"]["platform"] == {"enabled": True}


async def test_up_works_for_who_may_not_grant_and_again_for_who_may(
    azure: Azure, tmp_path: Path
) -> None:
    """All hooks with the real Azure CLI, the real grant and what it hands over."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("azure.yaml", "infra", "connorg", ".venv"):
        (project / name).symlink_to(ROOT / name)
    (project / "Makefile").write_text(MAKEFILE)
    environment = {
        **azure.environment,
        "AZURE_ENV_NAME": "prod",
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
        "CONNORG_GRAPH_ROOT": azure.loopback.graph,
        "CONNORG_PRIVATE_NETWORK": "true",
    }
    outputs = {"AZURE_TENANT_ID": PLACE.tenant_id, "CONNORG_PRINCIPAL_ID": PRINCIPAL_ID}
    where = {"AZURE_SUBSCRIPTION_ID": PLACE.subscription_id, "AZURE_LOCATION": "westeurope"}
    azd = Azd(project, tmp_path, outputs, where, environment)

    await azure.graph("PUT", "/_emulator/config", {"roles": READER})
    await asyncio.to_thread(azd.run, "up")
    assert len(azd.deployed) == 1
    assert "Let a Privileged Role Administrator run" in azd.told
    assert azure.loopback.registered == {"Microsoft.App"}
    assert azd.environment["CONNORG_ENTRA_CLIENT_ID"] == "made-by-azure"

    await azure.graph("PUT", "/_emulator/config", {"roles": ADMINISTRATOR})
    [script] = re.findall(COMMANDS_OF_HAND_OVER, azd.told, re.DOTALL)
    await azure.well("bash", "-euc", script)
    azd.told = ""
    await asyncio.to_thread(azd.run, "up")
    assert "Nothing to do" in azd.told
    assert len(azd.deployed) == 2
    made = [call for call in azure.loopback.calls if call[0] == "PUT"]
    assert len(made) == 1, "one registration in all"


async def test_the_hooks_run_the_first_time_and_the_second(azure: Azure) -> None:
    environment = {
        **HOOK_ENVIRONMENT,
        "AZURE_SUBSCRIPTION_ID": PLACE.subscription_id,
        "AZURE_TENANT_ID": PLACE.tenant_id,
    }
    for _ in range(2):
        for hook in ("prepare.sh", "register.sh"):
            await azure.well("sh", str(HOOKS / hook), variables=environment)
        assert azure.loopback.registered == {"Microsoft.App"}
    asked = [call for call in azure.loopback.calls if call[1].endswith("/register")]
    assert len(asked) == 1
    kept = azure.tools.called("azd", "env", "set", "CONNORG_ENTRA_CLIENT_ID")
    assert kept[0][4] == "made-by-azure", "the output of the deployment"

    environment["AZURE_SUBSCRIPTION_ID"] = "00000000-0000-0000-0000-00000000000f"
    code, told = await azure.run("sh", str(HOOKS / "prepare.sh"), variables=environment)
    assert (code, "az login --tenant" in told) == (1, True)


async def test_the_deployment_without_azd_runs_as_it_is_written(
    azure: Azure, tmp_path: Path
) -> None:
    """With recorders for `make` and for this project's Python alone."""
    [block] = re.findall(r"^```\n(az provider register .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    project = tmp_path / "project"
    (project / ".local/package").mkdir(parents=True)
    (project / ".local/package/connorg.zip").write_bytes(b"the package")
    (project / "infra").symlink_to(ROOT / "infra")
    (project / ".venv/bin").mkdir(parents=True)
    for tool in ("make", "python"):
        azure.tools.tool(tool, "")
    (project / ".venv/bin/python").symlink_to(tmp_path / "python")
    await azure.well("bash", "-euc", block, cwd=project)
    names = [one["name"] for one in azure.shown.deployments]
    assert names[-2:] == ["connorg-registration", "connorg"]
    assert azure.shown.deployments[-1]["properties"]["parameters"]["entraClientId"] == {
        "value": "made-by-azure"
    }
    [(query, content)] = azure.loopback.uploaded
    assert "RemoteBuild=false" in query, "Azure would build the package again"
    assert content == b"the package"
    [granted] = azure.tools.called("python", "-m", "infra.grant")
    principal = granted[granted.index("--principal-id") + 1]
    assert re.fullmatch(r"principal of id-connorg-[0-9a-z]+", principal), "not the package's"


async def test_wrong_parameters_are_told(azure: Azure) -> None:
    """As Azure does it, before anything is made: the Azure CLI passes on what the template says."""
    given = ("--location", "westeurope", "--template-file", "infra/main.bicep")
    file = "infra/environments/prod.parameters.json"
    wrong = ("--parameters", file, "--parameters", "maximumInstanceCount=9")
    code, told = await azure.run("az", "deployment", "sub", "create", *given, *wrong)
    assert (code, "maximumInstanceCount may not be 9" in told) == (1, True), told
    assert not [call for call in azure.loopback.calls if call[0] == "PUT"]


async def test_what_is_handed_over_grants_and_says_so_the_second_time(azure: Azure) -> None:
    text = hand_over(PRINCIPAL_ID, "connorg", (GOVERNANCE, WRITE, LOOKUP), azure.loopback.graph)
    [script] = re.findall(COMMANDS_OF_HAND_OVER, text, re.DOTALL)
    await azure.well("bash", "-euc", script)
    granted = f"/v1.0/servicePrincipals/{PRINCIPAL_ID}/appRoleAssignments"
    authorization = await azure.well("az", "rest", "--url", f"{azure.loopback.graph}{granted}")
    assert len(json.loads(authorization)["value"]) == 2
    _, told = await azure.run("bash", "-uc", script)
    assert "onflicting object" in told
    assert "already exists" in told
    assert "already exists" in text
    assert "conflicting object" in text


async def test_the_grant_signs_in_by_the_azure_cli_in_the_tenant_that_is_named(
    azure: Azure,
) -> None:
    options = ("--principal-id", PRINCIPAL_ID, "--tenant", PLACE.tenant_id, "--yes")
    variables = {
        "CONNORG_GRAPH_ROOT": azure.loopback.graph,
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
    }
    grant = (str(ROOT / ".venv/bin/python"), "-m", "infra.grant")
    assert "Given and verified" in await azure.well(*grant, *options, variables=variables)
    assert "Nothing to do" in await azure.well(*grant, *options, variables=variables)


async def test_the_doctor_compares_what_is_deployed_by_the_azure_cli(azure: Azure) -> None:
    doctor = (str(ROOT / ".venv/bin/python"), "-m", "infra.doctor", "--json")
    where = ("--resource-group", azure.shown.group, "--subscription", PLACE.subscription_id)

    async def compared() -> list[dict[str, str]]:
        _, told = await azure.run(*doctor, "--url", azure.loopback.root, *where)
        findings = json.loads(told)["findings"]
        return [one for one in findings if one["check"].startswith("templates")]

    [well] = await compared()
    assert well["level"] == "ok", well
    azure.shown.of(SITE)["properties"]["httpsOnly"] = False
    azure.shown.settings["CONNORG_TENANT_LOOKUP"] = "false"
    del azure.shown.held[f"{azure.shown.site}/basicPublishingCredentialsPolicies/ftp"]
    found = {one["check"].rpartition(" ")[2]: one["detail"] for one in await compared()}
    assert found["properties.httpsOnly"] == "Azure has false; the templates say true."
    assert found["CONNORG_TENANT_LOOKUP"] == 'Azure has "false"; the templates say "".'
    assert "Azure has no such resource." in found.values()
    assert len(found) == 3
