"""A newcomer follows docs/deploy.md, command by literal command, with recorders for the tools."""

import re
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from infra.bicep.deploying import deploy
from infra.bicep.syntax import read
from infra.doctor.__main__ import parser as doctor
from infra.grant.__main__ import parser_of
from tests.infra.app_settings import ROOT
from tests.infra.azd import STEPS
from tests.infra.environments import INFRA, MAIN, parameters_in
from tests.infra.recorders import Recorders
from tests.infra.test_deploy_page import PAGE, table_under

type Call = list[str]

ID = "00000000-0000-0000-0000-000000000005"
TOOLS = ("az", "azd", "make", "python")
# What the page says in its steps, as code in a sentence or as a block of commands.
_SAID = re.compile(
    r"^ *```\w*\n(.*?)^ *```|`((?:az|azd|make|python) [^`]+)`", re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Run all of it in the order in which it is read, in one shell."""
    project = tmp_path_factory.mktemp("walk")
    recorders = Recorders(project)
    for tool in TOOLS:
        recorders.tool(tool, f"echo {ID}")
    (project / ".venv").mkdir()
    (project / ".venv/bin").symlink_to(project)
    said = [block or inline for block, inline in _SAID.findall(PAGE)]
    script = "\n".join(f"{{ {text.strip()}\n}} || exit 9" for text in said if runs_a_tool(text))
    done = subprocess.run(
        ["/bin/bash", "-uc", script],
        check=False,
        cwd=project,
        env={"PATH": str(project)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return recorders.calls


def runs_a_tool(text: str) -> bool:
    return re.search(rf"^ *(?:\w+=\$\()?(?:\.venv/bin/)?(?:{'|'.join(TOOLS)}) ", text) is not None


def of(calls: list[Call], *words: str) -> list[Call]:
    return [call for call in calls if tuple(call[: len(words)]) == words]


def options(call: Call) -> dict[str, list[str]]:
    """Return what follows each option of a call."""
    found: dict[str, list[str]] = {}
    for word, value in pairwise(call):
        if word.startswith("--") and not value.startswith("--"):
            found.setdefault(word, []).append(value)
    return found


def test_no_command_of_the_page_is_passed_over(calls: list[Call]) -> None:
    """Each line that begins with a tool, in whatever fence, has been called in these words."""
    fenced = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    text = "\n".join(fenced).replace("\\\n", " ")
    lines = re.findall(rf"^ *(?:\.venv/bin/)?((?:{'|'.join(TOOLS)}) .*)$", text, re.MULTILINE)
    assert len(lines) > 10
    begun = {" ".join(call[:3]) for call in calls}
    assert {" ".join(line.split()[:3]) for line in lines} <= begun


def test_it_comes_to_commands_of_every_tool(calls: list[Call]) -> None:
    assert {call[0] for call in calls} == set(TOOLS)


def test_azd_is_told_nothing_that_nobody_reads(calls: list[Call]) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    for hook in (INFRA / "hooks").iterdir():
        asked |= set(re.findall(r"\$\{?(\w+)", hook.read_text()))
    told = [call for call in of(calls, "azd", "env", "set") if len(call) > 3]
    assert told
    assert {call[3] for call in told} <= asked


def test_azd_is_asked_for_what_it_keeps(calls: list[Call]) -> None:
    asked = {call[3] for call in of(calls, "azd", "env", "get-value") if len(call) > 3}
    assert asked
    assert asked <= {*read(MAIN).outputs, "AZURE_SUBSCRIPTION_ID"}


def test_azd_has_the_commands_that_the_page_tells_of(calls: list[Call]) -> None:
    assert {
        row[0].strip("`").removeprefix("azd ") for row in table_under("Step by step", 2)
    } == set(STEPS)
    assert {call[1] for call in of(calls, "azd")} <= {*STEPS, "env", "auth", "down", "pipeline"}


def test_each_deployment_is_given_what_its_template_asks_for(calls: list[Call]) -> None:
    deployments = of(calls, "az", "deployment", "sub")
    assert len(deployments) > 2
    for call in deployments:
        given = options(call)
        [file] = given["--template-file"]
        parameters: dict[str, Any] = {}
        for value in given["--parameters"]:
            name, is_one, text = value.partition("=")
            parameters |= {name: text} if is_one else parameters_in(ROOT / value)
        deploy(ROOT / file, parameters)


def test_the_projects_own_commands_are_called_as_they_understand_it(calls: list[Call]) -> None:
    for call in of(calls, "python", "-m", "infra.grant"):
        if len(call) > 3 and "RIGHT" not in call:  # a mention, or a form of it
            parser_of("grant").parse_args(call[3:])
    [examined] = [call for call in of(calls, "python", "-m", "infra.doctor") if len(call) > 3]
    assert doctor().parse_args(examined[3:]).principal_id == ID
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {call[1] for call in of(calls, "make")} <= targets
