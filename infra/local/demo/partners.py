"""The partners of the demonstration, and the way that each takes in."""

import csv
import json
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
FILE = _HERE / "partners.csv"
HTTP, QUEUE = "http", "queue"


@dataclass(frozen=True)
class Partner:
    way_in: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["displayName"])

    @property
    def identity(self) -> str:
        """Return its domain, or else the id of its tenant."""
        [source] = self.body["identitySources"]
        return str(source.get("domainName") or source.get("tenantId"))


def read_partners() -> list[Partner]:
    """Return the examples of the three Graph documents, then a file of partners, then doubles."""
    documents = json.loads((_HERE / "documents.json").read_text(encoding="utf-8"))
    examples = [Partner(HTTP, body) for body in documents]
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = zip(cycle((HTTP, QUEUE)), csv.DictReader(file), strict=False)
        partners = [Partner(way_in, _body(row)) for way_in, row in rows]
    return [*examples, *partners, examples[0], Partner(QUEUE, partners[0].body)]


def _body(row: dict[str, str]) -> dict[str, Any]:
    domain = row["Domain"]
    return {
        "displayName": row["Organization name"],
        "description": row["Description"],
        "identitySources": [
            {
                "@odata.type": "#microsoft.graph.domainIdentitySource",
                "domainName": domain,
                "displayName": domain,
            }
        ],
        "state": "configured",
    }
