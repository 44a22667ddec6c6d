"""python -m infra.connector: print the definition of the custom connector."""

import json

import function_app
from infra.connector.definition import connector

if __name__ == "__main__":
    print(json.dumps(connector(function_app.routes), indent=2))  # noqa: T201
