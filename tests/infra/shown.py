"""What Azure Resource Manager shows of a deployment, once it is made."""

import json
from dataclasses import dataclass, field
from typing import Any

from infra.bicep.deploying import Deployment
from infra.bicep.functions import Place
from infra.bicep.values import Unknown
from tests.infra.environments import ENVIRONMENTS, deployed

type Json = Any

PLACE = Place()
SITE = "Microsoft.Web/sites"


@dataclass
class Shown:
    """By path, as `az rest` reads it. Tests change what is held as people do."""

    environment: str
    held: dict[str, Json] = field(default_factory=dict)
    deployments: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        made = deployed(self.environment)
        for resource in made.resources:
            if not resource.existing:
                self.held[str(resource.id)] = _shown(resource.as_json)
        self.site = str(made.only(SITE).id)
        config = self.held[self.site]["properties"].pop("siteConfig")
        pairs = {one["name"]: one["value"] for one in config.pop("appSettings")}
        self.held[f"{self.site}/config/web"] = {"properties": {**config, "http20Enabled": False}}
        self.held[f"{self.site}/config/appsettings/list"] = {"properties": pairs}
        self.deployments.append(_record(self.environment, made))

    @property
    def settings(self) -> dict[str, str]:
        pairs: dict[str, str] = self.held[f"{self.site}/config/appsettings/list"]["properties"]
        return pairs

    def of(self, type_name: str) -> Json:
        """What is shown of the one resource of a type."""
        return self.held[str(deployed(self.environment).only(type_name).id)]

    @property
    def scale(self) -> Json:
        return self.of(SITE)["properties"]["functionAppConfig"]["scaleAndConcurrency"]

    @property
    def group(self) -> str:
        return f"rg-connorg-{self.environment}"


def _shown(value: Json) -> Json:
    """Fill in what only Azure knows, and show what it shows in other words."""
    match value:
        case dict():
            return {key: _shown(item) for key, item in value.items()}
        case list():
            return [_shown(item) for item in value]
        case str() if value.startswith("[format('@Microsoft.KeyVault("):
            return "@Microsoft.KeyVault(SecretUri=https://kv.example/secrets/a)"
        case str() if value.startswith("["):
            return "made by Azure"
        case "Enabled" | "Disabled" | "Deny":
            return value.lower()
    return value


def _record(environment: str, made: Deployment) -> Json:
    """Azure keeps parameters and outputs, these under names of other case."""
    given = {
        name: {"type": "x", "value": value} for name, value in ENVIRONMENTS[environment].items()
    }
    outputs = {
        f"{name[0].lower()}{name[1:]}": {
            "type": "String",
            "value": "made by Azure" if isinstance(value, Unknown) else value,
        }
        for name, value in made.outputs.items()
    }
    told = {
        "parameters": json.loads(json.dumps(given)),
        "outputs": outputs,
        "provisioningState": "Succeeded",
        "timestamp": "2026-11-29T04:00:00.000000+00:00",
    }
    return {"name": f"{environment}-1", "properties": told}
