"""Ctrl-C while a command is still being imported, which takes a second."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (["infra.local", "run"], 0, ""),
        (["infra.local.demo"], 130, "Interrupted. Everything that it started has been stopped.\n"),
    ],
)
def test_an_interrupt_during_the_import_shows_no_stack_trace(
    command: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "httpx.py").write_text("raise KeyboardInterrupt")
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", sentence)
