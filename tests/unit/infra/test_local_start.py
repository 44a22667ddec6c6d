"""The commands of the local stack before they are there: interrupted, or without their packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT

COMMANDS = (["infra.local", "run"], ["infra.local.demo"])


def ended(command: list[str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "imported", "code", "sentence"),
    [
        (COMMANDS[0], "argparse", 0, ""),
        (COMMANDS[1], "httpx", 130, "Interrupted. Everything that it started has been stopped.\n"),
    ],
)
def test_an_interrupt_during_the_import_shows_no_stack_trace(
    command: list[str], imported: str, code: int, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / f"{imported}.py").write_text("raise KeyboardInterrupt")
    told = ended(command, tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (code, "", sentence)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_python_without_the_packages_says_how_to_set_up(
    command: list[str], tmp_path: Path
) -> None:
    told = ended(command, tmp_path, "-S")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.endswith(
        "is not installed for this Python. Run infra/local/setup.sh (or make setup), then"
        f" .venv/bin/python -m {command[0]}.\n"
    )
    assert "Traceback" not in told.stderr
