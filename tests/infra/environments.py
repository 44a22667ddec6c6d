"""What is deployed where: the parameter files, and everything switched on or off at once."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from infra.bicep.deploying import Deployment, deploy
from infra.bicep.functions import Place
from tests import senders

INFRA = Path(__file__).parents[2] / "infra"
MAIN = INFRA / "main.bicep"
ENTRA = sorted((INFRA / "entra").glob("*.bicep"))
FILES = sorted((INFRA / "environments").glob("*.parameters.json"))

_LEAST = {"environmentName": "least", "location": "westeurope"}
_MOST = {
    "environmentName": "most",
    "location": "westeurope",
    "entraClientId": "00000000-0000-0000-0000-000000000003",
    "alertEmail": "identity@contoso.com",
    "actionGroupIds": ["/subscriptions/other"],
    "zoneRedundant": True,
    "privateNetwork": True,
    "alwaysReady": [{"name": "http", "instanceCount": 2}],
    "webhookSources": {"jira": senders.DOCUMENTED["jira"]},
    "secretSettings": [
        "CONNORG_CALLBACK_SECRETS",
        "CONNORG_RESULT_SECRETS",
        "JIRA_WEBHOOK_SECRET",
    ],
}


def parameters_in(path: Path) -> dict[str, Any]:
    return {
        name: given["value"] for name, given in json.loads(path.read_text())["parameters"].items()
    }


ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "least": _LEAST,
    "most": _MOST,
    **{path.name.partition(".")[0]: parameters_in(path) for path in FILES},
}


@cache
def deployed(environment: str, cloud: str = "AzureCloud") -> Deployment:
    return deploy(MAIN, ENVIRONMENTS[environment], Place(cloud))
