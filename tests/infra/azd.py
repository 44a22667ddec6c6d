"""azd, as far as it runs hooks: which, in what order, where, and with what environment.

Source: azd's own, Azure/azure-dev as of August 2026, cli/azd: internal/cmd/up_graph.go (`up`),
cmd/middleware/hooks.go (a command around which the project's hooks run), internal/cmd/
service_graph.go and pkg/project/service_manager.go (what is packaged, around which the service's
run), pkg/ext/hooks_runner.go and pkg/tools/bash (how one is run), pkg/project/project_utils.go
(what of a folder is uploaded).
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pathspec
import yaml

# A word in front of a dot is whose hooks are run. `up` packages beside provisioning; one after the
# other is one of the orders in which that may end.
STEPS: Mapping[str, tuple[str, ...]] = {
    "up": (
        "ask where",
        *("project.prepackage", "project.preprovision"),
        *("service.prepackage", "package", "service.postpackage", "project.postpackage"),
        *("provision", "project.postprovision"),
        *("project.predeploy", "service.predeploy", "deploy", "service.postdeploy"),
        "project.postdeploy",
    ),
    "provision": ("project.preprovision", "ask where", "provision", "project.postprovision"),
    "package": (
        "project.prepackage",
        *("service.prepackage", "package", "service.postpackage"),
        "project.postpackage",
    ),
    "deploy": (
        "project.predeploy",
        *("service.prepackage", "package", "service.postpackage"),
        *("service.predeploy", "deploy", "service.postdeploy"),
        "project.postdeploy",
    ),
}


class AzdError(Exception):
    """azd stops here; the text has what the hook told."""


def uploaded(folder: Path) -> set[str]:
    """Return the files of a Python service that azd zips."""
    ignore_file = folder / ".funcignore"
    ignored = pathspec.GitIgnoreSpec.from_lines(
        ignore_file.read_text().splitlines() if ignore_file.exists() else ["__pycache__/"]
    )
    files = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } - {".funcignore", "local.settings.json"}
    return {file for file in files if not ignored.match_file(file)}


@dataclass
class Azd:
    """One environment of a project. `chosen`: where the person deploys to when azd asks."""

    project: Path
    tools: Path
    """A folder that comes first on the path of hooks."""
    outputs: Mapping[str, str]
    """What the deployment gives back, as azd keeps it."""
    chosen: Mapping[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    told: str = ""
    deployed: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._config: dict[str, Any] = yaml.safe_load((self.project / "azure.yaml").read_text())
        [(self.service_name, self._service)] = self._config["services"].items()

    def run(self, command: str) -> None:
        """Raise AzdError."""
        for step in STEPS[command]:
            whose, _, event = step.partition(".")
            match whose:
                case "project":
                    self._hooks(self._config, event, self.project)
                case "service":
                    self._hooks(self._service, event, self.project / self._service["project"])
                case "ask where":
                    self.environment = {**self.chosen, **self.environment}
                case "provision":
                    self.environment |= self.outputs
                case "package":
                    self._see_the_package()
                case "deploy":
                    self.deployed.append(self.package)

    @property
    def package(self) -> Path:
        """The folder that is zipped."""
        return Path(self.project, self._service["project"], self._service.get("dist", ""))

    def _see_the_package(self) -> None:
        if not self.package.is_dir() or not any(self.package.iterdir()):
            raise AzdError(f"package source '{self.package}' is empty or does not exist")

    def _hooks(self, owner: Mapping[str, Any], event: str, folder: Path) -> None:
        found = owner.get("hooks", {}).get(event, [])
        for hook in found if isinstance(found, list) else [found]:
            self._hook(hook["run"], folder)
            self._reload()

    def _hook(self, run: str, folder: Path) -> None:
        """Run a file as it stands, anything else as a script for sh."""
        script = [str(folder / run)] if (folder / run).is_file() else ["sh", "-ec", run]
        done = subprocess.run(
            script,
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            env={
                "HOME": os.environ["HOME"],
                "PATH": f"{self.tools}:{os.environ['PATH']}",
                **self.environment,
            },
            capture_output=True,
            text=True,
        )
        self.told += done.stdout + done.stderr
        if done.returncode:
            raise AzdError(f"{run} ended with {done.returncode}: {done.stderr}")

    def _reload(self) -> None:
        """Take over what hooks set by `azd env set`."""
        kept = self.tools / "environment"
        for line in kept.read_text().splitlines() if kept.exists() else ():
            name, _, value = line.partition("=")
            self.environment[name] = value
