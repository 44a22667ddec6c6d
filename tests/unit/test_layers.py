"""Imports run one way: functions → core → ports ← graph, storage; wiring alone knows everybody."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPORTING = ("opentelemetry.sdk", "opentelemetry.exporter", "azure.monitor")
SDKS = ("azure", "msgraph", "kiota", "httpx", "aiohttp", *EXPORTING)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def modules(folder: str = "connorg", pattern: str = "**/*.py") -> list[Path]:
    return sorted((ROOT / folder).glob(pattern))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


CORE = [p for p in modules(pattern="*.py") if p.name not in {"wiring.py", "settings.py"}]


INNER = [*CORE, *modules("connorg/contract"), *modules("connorg/webhooks")]


@pytest.mark.parametrize("path", INNER, ids=named)
def test_core_contract_and_intake_know_no_sdk_and_no_adapter(path: Path) -> None:
    outer = ("graph", "storage", "callbacks", "monitoring", "functions", "wiring")
    foreign = (*SDKS, *(f"connorg.{name}" for name in outer))
    assert [name for name in imports_of(path) if name.startswith(foreign)] == []


@pytest.mark.parametrize("path", modules(), ids=named)
def test_only_the_edge_knows_azure_functions(path: Path) -> None:
    if "functions" not in path.parts:
        assert [name for name in imports_of(path) if name.startswith("azure.functions")] == []


@pytest.mark.parametrize("path", modules(), ids=named)
def test_only_monitoring_knows_what_telemetry_is_exported_with(path: Path) -> None:
    if "monitoring" not in path.parts:
        assert [name for name in imports_of(path) if name.startswith(EXPORTING)] == []


@pytest.mark.parametrize("path", [ROOT / "function_app.py", *modules()], ids=named)
def test_what_is_deployed_knows_neither_the_stand_ins_nor_the_tests(path: Path) -> None:
    assert [n for n in imports_of(path) if n.split(".")[0] in {"infra", "tests"}] == []


COMMAND = modules("connorg/command")
APP = [ROOT / "function_app.py", *(path for path in modules() if path not in COMMAND)]


@pytest.mark.parametrize("path", APP, ids=named)
def test_the_app_knows_nothing_of_the_command_for_people(path: Path) -> None:
    foreign = ("connorg.command", "rich", "typer")
    assert [name for name in imports_of(path) if name.startswith(foreign)] == []


@pytest.mark.parametrize("path", COMMAND, ids=named)
def test_the_command_for_people_knows_the_app_by_http_alone(path: Path) -> None:
    known = [name for name in imports_of(path) if name.split(".")[0] in {"connorg", "infra"}]
    assert [name for name in known if not name.startswith("connorg.command")] == []


def test_the_command_for_people_is_not_deployed() -> None:
    assert "connorg/command/" in (ROOT / ".funcignore").read_text().splitlines()
    deployed = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"^(typer|rich)==", deployed, re.MULTILINE)


@pytest.mark.parametrize("path", modules("infra/local"), ids=named)
def test_the_stand_ins_are_not_built_from_what_they_stand_in_for(path: Path) -> None:
    if "node_modules" not in path.parts:
        assert [n for n in imports_of(path) if n.split(".")[0] in {"connorg", "tests"}] == []


@pytest.mark.parametrize("path", [*modules("infra/grant"), *modules("infra/doctor")], ids=named)
def test_the_tools_know_of_the_app_only_how_graph_is_reached(path: Path) -> None:
    """What they judge the app by must not be the app's own opinion."""
    inner = [n for n in imports_of(path) if n.split(".")[0] in {"connorg", "tests"}]
    assert set(inner) <= {"connorg.contract.clouds", "connorg.graph.client"}


def test_the_start_of_the_app_does_not_pay_for_webhooks_and_its_description() -> None:
    """A cold start is waited for; what few calls need is imported by the first of them."""
    code = "import function_app, sys; print(*sys.modules)"
    run = [sys.executable, "-c", code]
    imported = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "connorg.functions.endpoints.webhooks" in imported
    late = ("jmespath", "connorg.webhooks", "connorg.functions.openapi")
    assert [n for n in imported.split() if n.startswith(late)] == []
