"""The app settings of the deployed app, and those that its code reads."""

import ast
import re
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from connorg.settings import Settings
from infra.bicep.values import Value, is_known
from tests.infra.environments import deployed

ROOT = Path(__file__).parents[2]

# Whatever in the code is called like an app setting is one.
_SETTING = re.compile(
    r"(CONNORG|AZURE|WEBSITE|APPLICATIONINSIGHTS|OTEL|PYTHON|FUNCTIONS)_[A-Z0-9_]+"
    r"|AzureWebJobsStorage(__\w+)?"
)


def that_are_set(environment: str) -> dict[str, Value]:
    config = deployed(environment).only("Microsoft.Web/sites").properties["siteConfig"]
    names = [setting["name"] for setting in config["appSettings"]]
    assert len(names) == len(set(names)), "a setting is set twice"
    return {setting["name"]: setting["value"] for setting in config["appSettings"]}


@cache
def that_are_read() -> frozenset[str]:
    declared = {field.alias for field in Settings.model_fields.values() if field.alias}
    return frozenset(declared | set(_named_in_code()))


def _named_in_code() -> Iterator[str]:
    command = ROOT / "connorg" / "command"  # for people, not deployed
    for path in [ROOT / "function_app.py", *(ROOT / "connorg").rglob("*.py")]:
        if path.is_relative_to(command):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and _SETTING.fullmatch(text):
                yield text


# On this machine storage has an address and a key, there is no telemetry, and Graph and the company
# are stand-ins: the local stack names those parts itself.
_OF_THE_STACK = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "CONNORG_GRAPH_ROOT",
    "CONNORG_HOME_TENANT",
}


def on_this_machine(environment: str, secrets: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the app settings of a deployed app to the local stack; `secrets` are the vault's."""
    found = {
        name: value
        for name, value in that_are_set(environment).items()
        if name not in _OF_THE_STACK
    }
    filled = {**found, "AZURE_CLIENT_ID": str(uuid.UUID(int=4)), **(secrets or {})}
    unknown = [name for name, value in filled.items() if not is_known(value)]
    assert not unknown, f"only Azure knows {unknown}"
    return filled
