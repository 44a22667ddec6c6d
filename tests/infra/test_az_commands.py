"""Commands for the Azure CLI are found wherever they stand; `make policy` hears its parser."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.app_settings import ROOT
from tests.infra.az.__main__ import commands, run

PARSER = ROOT / ".local/az/bin/python"
SCRIPT = """
vault=$(az keyvault list --query '[0].name' \\
  --output tsv)
if ! az account show --output none; then exit 1; fi
no-such-tool ; az storage message put --content "$(echo "a 'b'")" # az nothing
"""


def test_every_place_is_asked() -> None:
    places = {place for place, _ in commands()}
    assert {"docs/deploy.md", "docs/operations.md", "infra/doctor", "infra/grant"} <= places
    assert {"infra/hooks/prepare.sh", "infra/hooks/register.sh"} <= places


def test_a_shell_takes_commands_apart_and_runs_nothing_else() -> None:
    told = [words for _, words in run("here", [SCRIPT])]
    assert told == [
        ["keyvault", "list", "--query", "[0].name", "--output", "tsv"],
        ["account", "show", "--output", "none"],
        ["storage", "message", "put", "--content", "a 'b'"],
    ]


@pytest.mark.slow  # each command loads its part of the Azure CLI
@pytest.mark.skipif(not PARSER.exists(), reason="`make policy` installs the Azure CLI")
def test_the_parser_takes_what_is_right_and_nothing_else(tmp_path: Path) -> None:
    lines = [
        ("right", ["group", "show", "--name", "a"]),
        ("option", ["group", "show", "--called", "a"]),
        ("value", ["functionapp", "keys", "set", "-g", "a", "-n", "b", "--key-type", "c"]),
        ("command", ["group", "sow"]),
    ]
    done = subprocess.run(
        [PARSER, "-W", "ignore", ROOT / "tests/infra/az/parse.py"],
        check=False,
        input="\n".join(map(json.dumps, lines)),
        env={**os.environ, "AZURE_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    refused = [line for line in done.stdout.splitlines() if line[:1].strip()]
    assert [line.partition(":")[0] for line in refused if ": az " in line] == [
        "option",
        "value",
        "command",
    ]
