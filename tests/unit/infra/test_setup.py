"""`make setup` where it does not come to its end: what is said, and how it ends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT
from tests.terminal import heed_interrupts

pytestmark = pytest.mark.slow

SETUP = "infra/local/setup.py"
PINS = (
    *("requirements-dev.txt", "requirements-node.txt"),
    *(
        f"infra/{folder}/{name}"
        for folder in ("local/azurite", "console")
        for name in ("package.json", "package-lock.json")
    ),
)
# In place of those that download.
TOOLS = {"node": "echo v22.0.0", "npm": "exit 0", "uv": ""}


@pytest.mark.parametrize(
    ("uv", "code", "last"),
    [
        ("kill -INT $PPID; sleep 1", 130, "interrupted. Run it again: what is finished stays."),
        ("echo dns error; exit 2", 1, "A package index could not be reached. Set-up downloads "),
    ],
    ids=["interrupted", "no network"],
)
def test_what_keeps_set_up_from_its_end_is_said_in_its_last_line(
    uv: str, code: int, last: str, tmp_path: Path
) -> None:
    for name in (SETUP, *PINS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "infra/console/vendor.py").write_text("")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in {**TOOLS, "uv": uv}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    ended = subprocess.run(
        [sys.executable, tmp_path / SETUP],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        preexec_fn=heed_interrupts,
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stderr.splitlines()
    assert "Traceback" not in ended.stderr
    assert said[-1].startswith(f"setup: {last}")
    assert ended.returncode == code
