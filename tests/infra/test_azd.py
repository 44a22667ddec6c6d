"""azure.yaml and its hooks: they name what there is, and the hooks do no more than they should."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.infra.app_settings import ROOT
from tests.infra.bicep.syntax import read
from tests.infra.environments import INFRA, MAIN, deployed, parameters_in

AZURE_YAML = (ROOT / "azure.yaml").read_text()
HOOKS = INFRA / "hooks"
# What azd tells its hooks.
AZD = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "westeurope",
    "CONNORG_PRINCIPAL_ID": "00000000-0000-0000-0000-000000000005",
}


def test_the_service_is_found_by_its_tag() -> None:
    [service] = re.findall(r"^services:\n  (\w+):$", AZURE_YAML, re.MULTILINE)
    tags = deployed("least").only("Microsoft.Web/sites").body["tags"]
    assert tags["azd-service-name"] == service


def test_every_hook_is_there_and_may_be_run() -> None:
    named = {ROOT / path for path in re.findall(r"run: (infra/\S+)", AZURE_YAML)}
    assert named == set(HOOKS.iterdir())
    assert all(path.stat().st_mode & stat.S_IXUSR for path in named)


def test_what_azd_keeps_is_what_parameters_and_hooks_ask_for() -> None:
    asked = " ".join(str(v) for v in parameters_in(INFRA / "main.parameters.json").values())
    from_hooks = re.findall(r"\$(CONNORG_\w+)", (HOOKS / "grant.sh").read_text())
    assert set(from_hooks) <= set(read(MAIN).outputs)
    [set_by_hook] = re.findall(r"azd env set (\w+) \"", (HOOKS / "register.sh").read_text())
    assert f"${{{set_by_hook}}}" in asked


def test_the_registration_is_called_as_it_is_declared() -> None:
    hook = (HOOKS / "register.sh").read_text()
    [path] = re.findall(r"--template-file (\S+)", hook)
    template = read(ROOT / path)
    assert set(re.findall(r"--parameters (\w+)=", hook)) == set(template.parameters)
    [output] = re.findall(r"properties\.outputs\.(\w+)\.value", hook)
    assert output in template.outputs
    assert re.findall(r"az deployment (\w+) create", hook) == ["sub"]
    assert template.scope == "subscription"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """`az`, `azd` and `make` that write down how they are called; az gives an id."""
    for name, answer in (("az", "the-client-id"), ("azd", ""), ("make", "")):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\necho {answer}\n')
        path.chmod(0o755)
    (tmp_path / "calls").touch()
    return tmp_path


def run(hook: str, tools: Path, folder: Path = ROOT, **environment: str) -> tuple[int, str]:
    """Give the exit code, and what was called or told."""
    path = f"{tools}:{os.environ['PATH']}"
    done = subprocess.run(
        [HOOKS / hook],
        check=False,
        cwd=folder,
        env={**AZD, **environment, "PATH": path},
        capture_output=True,
        text=True,
    )
    return done.returncode, (tools / "calls").read_text() + done.stderr


def test_a_registration_is_made_and_remembered(tools: Path) -> None:
    code, calls = run("register.sh", tools)
    assert code == 0
    registered, remembered = calls.splitlines()
    assert "infra/entra/registration.bicep --parameters environmentName=prod" in registered
    assert remembered == "azd env set CONNORG_ENTRA_CLIENT_ID the-client-id"


@pytest.mark.parametrize(
    "known", [{"CONNORG_ENTRA_CLIENT_ID": "id"}, {"CONNORG_CALLERS": "keys"}], ids=["id", "keys"]
)
def test_no_registration_is_made_where_none_is_wanted(tools: Path, known: dict[str, str]) -> None:
    assert run("register.sh", tools, ROOT, **known) == (0, "")


def test_who_may_not_register_is_told_what_to_do(tools: Path) -> None:
    (tools / "az").write_text("#!/bin/sh\nexit 1\n")
    code, told = run("register.sh", tools)
    assert code == 1
    assert "azd env set CONNORG_ENTRA_CLIENT_ID" in told
    assert "azd env set CONNORG_CALLERS keys" in told


@pytest.mark.parametrize(
    ("chosen", "role"), [({}, "directory"), ({"CONNORG_GRAPH_ROLE": "app"}, "app")]
)
def test_the_right_is_granted_to_the_apps_identity(
    tools: Path, tmp_path: Path, chosen: dict[str, str], role: str
) -> None:
    granted, folder = granting(tmp_path, code=0)
    assert run("grant.sh", tools, folder, **chosen)[0] == 0
    identity = AZD["CONNORG_PRINCIPAL_ID"]
    assert granted.read_text() == f"-m infra.grant --principal-id {identity} --role {role}\n"


def test_who_may_not_grant_is_told_whom_to_ask_and_the_deployment_goes_on(
    tools: Path, tmp_path: Path
) -> None:
    _, folder = granting(tmp_path, code=1)
    code, told = run("grant.sh", tools, folder)
    assert code == 0
    assert f"python -m infra.grant --principal-id {AZD['CONNORG_PRINCIPAL_ID']}" in told


def granting(tmp_path: Path, code: int) -> tuple[Path, Path]:
    """A folder whose Python writes down what it is asked to run, and ends with a code."""
    granted = tmp_path / "granted"
    python = tmp_path / "app/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$*" >"{granted}"\nexit {code}\n')
    python.chmod(0o755)
    return granted, tmp_path / "app"
