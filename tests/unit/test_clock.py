"""One clock: whoever wants to know the time asks the services for it, and a test can set it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASKERS = {
    "connorg/wiring.py": "makes the clock",
    "connorg/telemetry/oldest_waiting.py": "is asked by the exporter, and takes another in tests",
}
CLOCKS = {"now", "utcnow", "today", "time"}


def offenders(source: str, file: str) -> list[str]:
    return [
        f"{file}, line {node.lineno}: {ast.unparse(node.func)}; take services.clock.now()"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and ast.unparse(node.func.value) in {"datetime", "date", "time", "datetime.datetime"}
    ]


def test_nobody_looks_at_the_machines_clock() -> None:
    files = [*(ROOT / "connorg").rglob("*.py"), ROOT / "function_app.py"]
    by_file = {str(path.relative_to(ROOT)): path.read_text() for path in files}
    found = {file: offenders(source, file) for file, source in by_file.items()}
    others = [one for file, several in found.items() if file not in ASKERS for one in several]
    assert not others, "\n".join(others)
    assert all(found[file] for file in ASKERS), "one of them does not ask any more"


@pytest.mark.parametrize(
    "source", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()"]
)
def test_whoever_does_is_named(source: str) -> None:
    [found] = offenders(f"\nx = {source}", "connorg/core/x.py")
    assert found.startswith("connorg/core/x.py, line 2: ")
