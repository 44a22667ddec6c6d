"""Linters of OpenAPI find no error in the document, and no warning without a reason."""

import json

import pytest

from infra.local.child import ROOT
from tests.clients.tools import DOCUMENT, get_node_tools, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]
CONNECTOR = ROOT / "infra/logic-apps/connector.json"


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    get_node_tools()


@pytest.mark.parametrize("document", [DOCUMENT, CONNECTOR], ids=lambda path: path.name)
def test_spectral_has_nothing_to_say(document: object) -> None:
    spectral = ["node_modules/.bin/spectral", "lint", "--format", "json", "--quiet"]
    told = run([*spectral, "--ruleset", "spectral.yaml", "--fail-severity", "hint", str(document)])
    assert json.loads(told or "[]") == []


def test_redocly_has_nothing_to_say() -> None:
    # The rule set is the strict one: what would be a warning is an error.
    redocly = ["node_modules/.bin/redocly", "lint", "--config", "redocly.yaml", str(DOCUMENT)]
    assert "is valid" in run(
        redocly, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true"
    )
