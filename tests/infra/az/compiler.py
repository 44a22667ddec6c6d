"""In place of the Bicep compiler, which no registry has: the parameters of a file, as a template.

It is called as the Azure CLI calls the compiler: `bicep --version`, `bicep build --stdout FILE`.
The template names its file, which tests/infra/az/loopback.py evaluates.
"""

import json
import sys
from pathlib import Path
from typing import Any

from infra.bicep.syntax import Parameter, read, text_of

_SCHEMAS = {
    "subscription": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
    "resourceGroup": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
}
_PLAIN = {"string", "int", "bool"}


def template(path: Path) -> dict[str, Any]:
    found = read(path)
    return {
        "$schema": _SCHEMAS[found.scope],
        "contentVersion": "1.0.0.0",
        "metadata": {"file": str(path.resolve())},
        "parameters": {name: _parameter(one) for name, one in found.parameters.items()},
        "resources": [],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    name = text_of(parameter.type)
    kind = name if name in _PLAIN else "array" if name.endswith("[]") else "object"
    # The Azure CLI asks for what has no default, and reads no more of one.
    return {"type": kind} if parameter.default is None else {"type": kind, "defaultValue": None}


def main(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        sys.stdout.write("Bicep CLI version 0.49.2 (0000000000)\n")
        return 0
    sys.stdout.write(json.dumps(template(Path(arguments[-1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
