"""The hook that grants, with the command that it calls and the Graph that this calls.

Of the Azure CLI there is what signs the operator in.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.tokens import HOME_TENANT_ID, PRINCIPAL_ID
from tests.contract.graph_emulator import EmulatedGraph, emulated_graph
from tests.infra.app_settings import ROOT
from tests.infra.recorders import Recorders, token

READER = ["Application.Read.All", "RoleManagement.Read.Directory"]
ADMINISTRATOR = [*READER, "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"]


@dataclass
class Operator:
    graph: EmulatedGraph
    recorders: Recorders

    async def runs(self, *command: str, **environment: str) -> tuple[int, str]:
        """Return the exit code, and what was told."""
        self.recorders.az(
            account_get=token(self.graph.authorization["Authorization"].partition(" ")[2])
        )
        running = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "PATH": f"{self.recorders.folder}:{os.environ['PATH']}",
                "HOME": os.environ["HOME"],
                "CONNORG_GRAPH_ROOT": self.graph.root,
                "CONNORG_PRINCIPAL_ID": PRINCIPAL_ID,
                "AZURE_TENANT_ID": HOME_TENANT_ID,
                "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
                **environment,
            },
        )
        told, _ = await running.communicate()
        return running.returncode or 0, told.decode()


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with emulated_graph() as graph:
        yield Operator(graph, Recorders(tmp_path))


@pytest.mark.slow  # each run loads the SDK
@pytest.mark.parametrize("shell", ["dash", "bash"])
async def test_it_grants_hands_on_and_grants_nothing_twice(operator: Operator, shell: str) -> None:
    hook = (shell, "infra/hooks/grant.sh")
    code, told = await operator.runs(*hook, CONNORG_GRANT_WITH="directory")
    assert code == 2, told
    assert "invalid choice" in told

    await operator.graph.configure(roles=READER)
    code, told = await operator.runs(*hook)
    assert code == 0, told
    assert "send this on" in told
    [line] = re.findall(r"run: python (-m infra\.grant .*)", told)

    await operator.graph.configure(roles=ADMINISTRATOR)
    code, told = await operator.runs(str(ROOT / ".venv/bin/python"), *line.split(), "--yes")
    assert code == 0, told
    assert "Given and verified" in told

    code, told = await operator.runs(*hook)
    assert code == 0, told
    assert "Nothing to do" in told
    for call in operator.recorders.called("az"):
        assert call[call.index("--tenant") + 1] == HOME_TENANT_ID, call
