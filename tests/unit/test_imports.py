"""The import rule: every import points down, and some packages know some things alone.

CONTRIBUTING.md draws the layers. One test lists every offender, with the rule that it breaks.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From the ground up. A module may import what lies below its layer, and its own package.
LAYERS = (
    ("connorg.standard_webhooks",),
    ("connorg.contract",),
    ("connorg.telemetry",),
    ("connorg.partner_files",),
    ("connorg.core",),
    (
        "connorg.settings",
        "connorg.graph",
        "connorg.storage",
        "connorg.callback_receiver",
        "connorg.entra_tokens",
    ),
    ("connorg.webhooks",),
    ("connorg.wiring",),
    ("connorg.functions.unattended", "connorg.functions.http"),
    ("connorg.functions.openapi",),
    ("connorg.functions.endpoints", "connorg.functions.queues", "connorg.functions.timers"),
    ("function_app",),
)
APART = ("connorg.command", "connorg.bulk")
"""Knows the app by its HTTP contract alone, and is not deployed."""

EXPORTERS = ("opentelemetry.sdk", "opentelemetry.exporter", "azure.monitor")
SDKS = ("azure", "msgraph", "kiota", "kiota_*", "msgraph_core", "httpx", "aiohttp", *EXPORTERS)
AZURE_CLIENTS = ("azure.core", "azure.data", "azure.identity", "azure.storage")
ADAPTERS = (
    "connorg.graph",
    "connorg.storage",
    "connorg.callback_receiver",
    "connorg.entra_tokens",
)
PURE = ("connorg.standard_webhooks", "connorg.contract", "connorg.partner_files", "connorg.core")
APP = ("connorg.*", "function_app")


@dataclass(frozen=True)
class Ban:
    """These modules may not import those, but for the exceptions."""

    importers: tuple[str, ...]
    banned: tuple[str, ...]
    why: str
    exempt: tuple[str, ...] = ()
    """Importers that may."""
    allowed: tuple[str, ...] = ()
    """What may be imported all the same."""


BANS = (
    Ban((*PURE, "connorg.webhooks"), SDKS, "it knows no SDK"),
    Ban(PURE, ("os", "connorg.settings"), "it knows no environment"),
    Ban(APP, ("azure.functions",), "the edge alone", ("connorg.functions", "function_app")),
    Ban(
        ("connorg.functions", "function_app"),
        (*AZURE_CLIENTS, *ADAPTERS),
        "the edge reaches outside by the core's ports, which connorg.wiring hands out",
    ),
    Ban(APP, EXPORTERS, "telemetry/export alone", ("connorg.telemetry.export",)),
    Ban(APP, ("rich", "typer"), "the command for people alone", APART),
    Ban(APP, ("infra", "tests"), "what is deployed knows neither stand-ins nor tests"),
    Ban(("infra.local",), ("connorg", "tests"), "a stand-in is not built from the real part"),
    Ban(
        ("infra.grant", "infra.doctor"),
        ("connorg", "tests"),
        "what judges the app must not share the app's opinion",
        allowed=("connorg.contract.clouds", "connorg.graph.client"),
    ),
)


@dataclass(frozen=True)
class Import:
    importer: str
    line: int
    imported: str
    name: str = ""
    """What is taken from the module; a module by itself has none."""

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def lies_in(module: str, packages: Iterable[str]) -> bool:
    return any(
        module == package
        or module.startswith(f"{package.removesuffix('*').removesuffix('.')}.")
        or (package.endswith("_*") and module.startswith(package[:-1]))
        for package in packages
    )


def imports_in(importer: str, source: str, known: frozenset[str]) -> Iterator[Import]:
    """Return every import, lazy ones and those for the type checker too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(importer, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = node.module or "."
            for alias in node.names:
                module = f"{parent}.{alias.name}"
                whole = module in known
                yield Import(
                    importer, node.lineno, module if whole else parent, "" if whole else alias.name
                )


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def project() -> dict[str, str]:
    """Return the source of each module that a rule speaks of."""
    folders = [*(ROOT / "connorg").rglob("*.py"), *(ROOT / "infra").rglob("*.py")]
    paths = [path for path in folders if "node_modules" not in path.parts]
    return {module_of(path): path.read_text() for path in (ROOT / "function_app.py", *paths)}


def imports_of(sources: dict[str, str]) -> list[Import]:
    known = frozenset(sources)
    return [one for module, source in sources.items() for one in imports_in(module, source, known)]


def layer_of(module: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if lies_in(module, layer)), None)


def package_of(module: str) -> str:
    boxes = (box for layer in (*LAYERS, APART) for box in layer)
    return next((box for box in boxes if lies_in(module, (box,))), module)


def offence_of(one: Import) -> str | None:
    """Say which rule an import breaks; None: it breaks none."""
    for ban in BANS:
        is_bound = lies_in(one.importer, ban.importers) and not lies_in(one.importer, ban.exempt)
        is_banned = lies_in(one.imported, ban.banned) and not lies_in(one.imported, ban.allowed)
        if is_bound and is_banned:
            return ban.why
    is_inner = lies_in(one.importer, APP) and lies_in(one.imported, ("connorg",))
    return misplacement_of(one) if is_inner else None


def misplacement_of(one: Import) -> str | None:
    if one.name.startswith("_"):
        return f"{one.name} is private to its module"
    if package_of(one.importer) == package_of(one.imported):
        return None
    if lies_in(one.importer, APART) and lies_in(one.imported, APART):
        return None
    if lies_in(one.importer, APART) or lies_in(one.imported, APART):
        return "the command and the app share nothing"
    upper, lower = layer_of(one.importer), layer_of(one.imported)
    if upper is None or lower is None:
        return "it is in no layer: add it to LAYERS in tests/unit/test_imports.py"
    return None if lower < upper else "imports point down, not up or across"


def offenders(sources: dict[str, str]) -> list[str]:
    imports = imports_of(sources)
    found = [f"{one}: {why}" for one in imports if (why := offence_of(one)) is not None]
    return [*found, *circles(sources, imports)]


def circles(sources: dict[str, str], imports: list[Import]) -> Iterator[str]:
    inner: dict[str, set[str]] = {module: set() for module in sources}
    for one in imports:
        if one.imported in sources and one.imported != one.importer:
            inner[one.importer].add(one.imported)
    while circle := _circle(inner):
        yield f"a circle of imports: {' <- '.join(circle)}"
        inner[circle[1]].discard(circle[0])  # and look for others


def _circle(inner: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(inner).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_import_points_down() -> None:
    found = offenders(project())
    assert not found, "\n".join(found)


BROKEN = {
    "up": ("connorg.contract.model", "from connorg.core.ports import Clock", "down"),
    "private": ("connorg.wiring", "from connorg.core.ports import _x", "_x is private"),
    "across": ("connorg.graph.sender", "import connorg.storage.ledger", "across"),
    "lazy": ("connorg.core.services", "def f():\n    from connorg import wiring", "down"),
    "no layer": ("connorg.novelty", "from connorg.contract import model", "in no layer"),
    "SDK": ("connorg.core.services", "from kiota_http import x", "no SDK"),
    "SDK in the contract": ("connorg.contract.model", "import httpx", "no SDK"),
    "environment": ("connorg.core.services", "import os", "no environment"),
    "edge": ("connorg.core.services", "import azure.functions as func", "no SDK"),
    "edge in storage": ("connorg.storage.ledger", "import azure.functions", "edge alone"),
    "SDK at the edge": (
        "connorg.functions.endpoints.health",
        "from azure.core.exceptions import AzureError",
        "core's ports",
    ),
    "adapter at the edge": (
        "connorg.functions.queues.batch",
        "def f():\n    from connorg.storage.queues import x",
        "core's ports",
    ),
    "exporter": ("connorg.telemetry.hooks", "import opentelemetry.sdk.trace", "export alone"),
    "rich": ("connorg.wiring", "import rich.table", "for people alone"),
    "stand-in": ("connorg.wiring", "from infra.local import x", "neither stand-ins"),
    "stand-in of it": ("infra.local.stack", "import connorg.contract.model", "not built from"),
    "judge": ("infra.doctor.findings", "import connorg.core.services", "opinion"),
    "command": ("connorg.command.client", "import connorg.contract.model", "share nothing"),
    "of the command": ("connorg.wiring", "import connorg.command.client", "share nothing"),
}


@pytest.mark.parametrize(("module", "source", "why"), BROKEN.values(), ids=BROKEN)
def test_the_rule_names_who_breaks_it(module: str, source: str, why: str) -> None:
    [found] = offenders({"connorg.wiring": "", module: source})
    assert found.startswith(f"{module}, line ")
    assert why in found


def test_the_rule_names_a_circle() -> None:
    sources = {
        "connorg.core.a": "from connorg.core import b",
        "connorg.core.b": "import connorg.core.a",
    }
    [found] = offenders(sources)
    assert "circle" in found
    assert "connorg.core.a" in found


def test_each_package_says_what_it_is_for_and_lists_its_modules() -> None:
    """No code in it either: what it handed on would have two addresses."""
    wrong: list[str] = []
    for package in (ROOT / "connorg").rglob("__init__.py"):
        tree = ast.parse(package.read_text())
        told = ast.get_docstring(tree) or ""
        paths = [*package.parent.glob("*.py"), *(p.parent for p in package.parent.glob("*/*.py"))]
        names = {path.stem for path in paths} - {"__init__", "__main__"}
        listed = set(re.findall(r"^\s*(\w+) {2,}\S", told, re.MULTILINE))
        where = package.relative_to(ROOT)
        wrong += [f"{where} does not list {name}" for name in sorted(names - listed)]
        wrong += [f"{where} lists {name}, which is gone" for name in sorted(listed - names)]
        wrong += [f"{where} holds code"] if len(tree.body) != 1 else []
    assert not wrong, "\n".join(wrong)


def test_the_command_for_people_is_not_deployed() -> None:
    ignored = (ROOT / ".funcignore").read_text().splitlines()
    assert {"connorg/command/", "connorg/bulk.py"} <= {*ignored}
    deployed = (ROOT / "requirements.txt").read_text().splitlines()
    assert not [line for line in deployed if line.startswith(("typer==", "rich=="))]


def test_the_start_of_the_app_does_not_pay_for_what_few_calls_need() -> None:
    """A cold start is waited for; what few calls need is imported by the first of them."""
    code = """if True:
        import sys
        opened = []
        sys.addaudithook(lambda event, told: opened.append(told[0]) if event == "open" else None)
        import function_app
        print(*sys.modules)
        print(*opened, sep="\\n")
    """
    run = [sys.executable, "-c", code]
    told = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    imported, _, opened = told.partition("\n")
    assert "connorg.functions.endpoints.webhooks" in imported
    late = ("jmespath", "connorg.webhooks", "connorg.partner_files", "connorg.functions.openapi")
    assert [n for n in imported.split() if n.startswith(late)] == []
    assert "endpoints" in opened
    assert [path for path in opened.splitlines() if "functions/console/" in path] == []
