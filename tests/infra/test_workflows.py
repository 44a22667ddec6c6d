"""Workflows, editor and container settings: they parse, and name only what there is."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from connorg.contract.release import RELEASE
from tests.infra.app_settings import ROOT
from tests.infra.environments import INFRA
from tests.infra.recorders import Recorders

WORKFLOWS = ROOT / ".github/workflows"
MAKEFILE = (ROOT / "Makefile").read_text()
OF_AZD = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME"}


def loaded(path: Path) -> Any:
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


FILES = [
    path
    for folder in (".github", ".vscode", ".devcontainer")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".yml", ".json"}
]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_it_parses_and_calls_targets_that_there_are(path: Path) -> None:
    assert loaded(path)
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    called = re.findall(r"(?:run: |\"command\": \"|&& )make ([a-z-]+)", path.read_text())
    assert set(called) <= targets
    for script in re.findall(r"run: ((?:infra|\.ci)/\S+)", path.read_text()):
        assert (ROOT / script).stat().st_mode & 0o100, script


def steps(workflow: str) -> list[str]:
    jobs = loaded(WORKFLOWS / workflow)["jobs"].values()
    return [step.get("run", step.get("uses")) for job in jobs for step in job["steps"]]


def test_ci_does_what_is_asked_before_a_change_is_taken() -> None:
    assert ".ci/run" in steps("ci.yml")
    assert "infra/compile.sh" in steps("ci.yml")


def test_a_deployment_signs_in_without_a_secret() -> None:
    text = (WORKFLOWS / "azure-dev.yml").read_text()  # as `azd pipeline config` looks for it
    assert "secrets." not in text
    assert loaded(WORKFLOWS / "azure-dev.yml")["permissions"]["id-token"] == "write"
    assert "federated-credential-provider github" in text


def test_a_deployment_hands_on_what_parameters_and_hooks_read() -> None:
    [job] = loaded(WORKFLOWS / "azure-dev.yml")["jobs"].values()
    read = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    for hook in (INFRA / "hooks").iterdir():
        read |= set(re.findall(r"\$\{?((?:AZURE|CONNORG)_\w+)", hook.read_text()))
    computed = {"CONNORG_PRINCIPAL_ID"}
    assert set(job["env"]) - OF_AZD == read - OF_AZD - computed


def test_the_editor_and_the_container_recommend_the_same() -> None:
    container = loaded(ROOT / ".devcontainer/devcontainer.json")
    inside = container["customizations"]["vscode"]["extensions"]
    assert inside == loaded(ROOT / ".vscode/extensions.json")["recommendations"]
    version = (ROOT / ".python-version").read_text().strip()
    assert f"python:{version}" in container["image"]


def test_sample_settings_are_settings_that_there_are() -> None:
    values = loaded(ROOT / "local.settings.sample.json")["Values"]
    told = (ROOT / "docs/settings.md").read_text()
    assert {name for name in values if name != "FUNCTIONS_WORKER_RUNTIME" and name not in told} == (
        set()
    )


@pytest.mark.parametrize(("tag", "is_released"), [(f"v{RELEASE}", True), ("v0.0.0-other", False)])
def test_a_release_takes_what_was_built_where_the_tag_is_the_version(
    tag: str,
    is_released: bool,  # noqa: FBT001  a case
    tmp_path: Path,
) -> None:
    """The steps as they are written, with recorders for `make` and `gh`."""
    recorders = Recorders(tmp_path)
    for tool in ("make", "gh"):
        recorders.tool(tool, "")
    for name in (".venv", "connorg"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local/release").mkdir(parents=True)
    for name in ("connorg.zip", "SHA256SUMS"):
        (tmp_path / ".local/release" / name).touch()
    [job] = loaded(WORKFLOWS / "release.yml")["jobs"].values()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REF_NAME": tag}
    for step in job["steps"]:
        script = ["bash", "-e", "-c", step.get("run", ":")]
        if subprocess.run(script, check=False, cwd=tmp_path, env=environment).returncode:
            break
    assert recorders.calls[0] == ["make", "release"]
    files = [".local/release/SHA256SUMS", ".local/release/connorg.zip"]
    options = ["--verify-tag", "--generate-notes"]
    created = [["gh", "release", "create", tag, *options, *files]]
    assert recorders.called("gh") == (created if is_released else [])
