"""The app settings of the deployed app, and those that its code reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from connorg.settings import Settings
from tests.infra.bicep.values import Value
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


def that_are_read() -> set[str]:
    declared = {field.alias for field in Settings.model_fields.values() if field.alias}
    return declared | set(_named_in_code())


def _named_in_code() -> Iterator[str]:
    for path in [ROOT / "function_app.py", *(ROOT / "connorg").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if _SETTING.fullmatch(node.value):
                    yield node.value
