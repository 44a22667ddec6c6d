"""Gets the tools that read the document, from PyPI and from npm, each in a place of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.local.child import ROOT

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs/openapi.json"
MADE = HERE / "made"
PYTHON = ROOT / ".local/clients/bin/python"
_PATIENCE = 600  # seconds; openapi-generator alone has 30 MB


def get_python_tools() -> None:
    """Install requirements-clients.txt, or skip the test and say why."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    environment = str(PYTHON.parents[1])
    _get([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, environment])
    pinned = ["--require-hashes", "--python", environment, "requirements-clients.txt"]
    _get([uv, "pip", "sync", "--quiet", *pinned])


def get_node_tools() -> None:
    """Install package-lock.json, or skip the test and say why."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("There is no Node.js, so what comes from npm is not tried.")
    if not (HERE / "node_modules/.package-lock.json").exists():
        _get([npm, "ci", "--prefix", str(HERE), "--loglevel=error"])


def need_java() -> None:
    if shutil.which("java") is None:
        pytest.skip("There is no Java, so openapi-generator is not tried.")


def _get(command: Sequence[str]) -> None:
    got = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if got.returncode != 0:
        pytest.skip(f"What requirements or the lock name can't be had: {got.stderr[-300:]}")


def run(command: Sequence[str], **environment: str) -> str:
    """Return what a tool writes to both ends. Fail with it where the tool fails."""
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = subprocess.run(
        command,
        cwd=HERE,
        env={"HOME": str(Path.home()), **path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout[-4000:]}"
    return ran.stdout
