"""The benchmark itself still works. Nothing here depends on how fast the machine is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT, tethered
from tests.benchmarks.growth import markdown, measure


@pytest.mark.slow
def test_every_figure_is_there_and_a_create_is_one_call_to_graph(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", f"--json={path}"]
    done = subprocess.run(tethered(command), cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure for figure in json.loads(path.read_text())["figures"]}
    measured = {
        n: f for n, f in figures.items() if not n.startswith(("package", "unpacked", "zip"))
    }
    lacking = [n for n, f in measured.items() if f["connorg"] is None or f["obvious"] is None]
    assert lacking == []
    for app in ("connorg", "obvious", "minimum"):
        assert figures["Graph calls per create"][app] == 1
    assert figures["storage calls per create"]["minimum"] == 4
    # A create that follows another within 50 ms shares its look at the gate.
    assert 4 <= figures["storage calls per create"]["connorg"] <= 5
    assert figures["storage calls per create"]["obvious"] == 0
    told = json.loads(path.read_text())["samples"]["instead"]
    assert len(told) == 3
    for by_tool in told.values():
        assert by_tool["connorg"]["created"] == by_tool["sdk_script"]["created"] > 0
    parts = ("creates/s at 4", "CPU ms per create at 4", "memory after the creates, PSS MB")
    assert set(parts) <= measured.keys()
    assert "httpx" in figures["creates/s at 4"]["others"]


@pytest.mark.slow
def test_each_operation_is_measured_as_the_ledger_grows() -> None:
    found = measure((300, 1200))
    small, large = found[300], found[1200]
    assert small["read one"]["calls"] == large["read one"]["calls"] == 1
    assert all(cost["in_a_row"] <= 10 for name, cost in large.items() if "are due" not in name)
    assert "| read one | 1, " in markdown(found)
