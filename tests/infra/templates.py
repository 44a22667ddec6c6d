"""python -m tests.infra.templates FOLDER: write what is deployed as ARM templates, for scanners.

They read neither Bicep's types nor its conditions: here each is decided, as in an environment.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.infra.environments import deployed

# Everything switched on, and what the page says of production.
SCANNED = ("most", "prod")
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def template(environment: str) -> dict[str, Any]:
    made = [one for one in deployed(environment).resources if not one.existing]
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "resources": [
            {key: value for key, value in resource.as_json.items() if key != "id"}
            for resource in made
        ],
    }


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for environment in SCANNED:
        path = Path(folder) / f"{environment}.json"
        path.write_text(json.dumps(template(environment), indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
