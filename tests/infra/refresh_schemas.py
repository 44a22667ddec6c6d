"""Writes tests/infra/schemas anew, from clones of the published types: see the README there."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from infra.bicep.deploying import modules_of
from infra.bicep.syntax import read
from tests.infra.environments import ENTRA, MAIN
from tests.infra.resource_types import SCHEMAS, file_of

# Of the extension, as infra/entra/bicepconfig.json has it.
GRAPH_RELEASE = "1.0.0"

type Types = list[dict[str, Any]]


def main(azure: str, graph: str) -> None:
    for kind in used():
        clone = graph if kind.startswith("Microsoft.Graph/") else azure
        types = next(
            found for found in _candidates(clone, kind) if _position(found, kind) is not None
        )
        first = _position(types, kind)
        assert first is not None
        lines = ",\n".join(json.dumps(part) for part in _cut(types, first))
        file_of(kind).write_text(f"[\n{lines}\n]\n")
    for path in SCHEMAS.glob("*.json"):
        if path not in {file_of(kind) for kind in used()}:
            path.unlink()


def used() -> list[str]:
    """Every resource type, with its version, that main.bicep, its modules and entra/ declare."""
    files = {*modules_of(MAIN), *ENTRA}
    return sorted({d.kind for file in files for d in read(file).resources.values()})


def _candidates(clone: str, kind: str) -> Iterator[Types]:
    """Return the files that may have the type; a namespace is spread over several."""
    namespace, version = kind.split("/", maxsplit=1)[0].lower(), kind.split("@")[1]
    if namespace == "microsoft.graph":
        version = f"{version}/{GRAPH_RELEASE}"
    listed = _git(clone, "ls-tree", "-r", "--name-only", "HEAD", "generated")
    for path in re.findall(
        rf"^generated/.*/{namespace}/{version}/types\.json$", listed, re.MULTILINE
    ):
        yield json.loads(_git(clone, "show", f"HEAD:{path}"))


def _git(clone: str, *command: str) -> str:
    done = subprocess.run(
        ["git", "-C", clone, *command], check=True, capture_output=True, text=True
    )
    return done.stdout


def _position(types: Types, kind: str) -> int | None:
    names = (t.get("name", "").lower() if t["$type"] == "ResourceType" else "" for t in types)
    return next((i for i, name in enumerate(names) if name == kind.lower()), None)


def _cut(types: Types, first: int) -> Types:
    """Keep one type and all that it is made of, and number them anew."""
    kept = [first]
    for position in kept:
        kept += [p for p in _references(types[position]) if p not in kept]
    return [_renumbered(types[position], kept) for position in kept]


def _references(part: Any) -> list[int]:
    found: dict[int, None] = {}
    if isinstance(part, dict):
        if "$ref" in part:
            return [int(part["$ref"].removeprefix("#/"))]
        for value in part.values():
            found |= dict.fromkeys(_references(value))
    elif isinstance(part, list):
        for value in part:
            found |= dict.fromkeys(_references(value))
    return list(found)


def _renumbered(part: Any, kept: list[int]) -> Any:
    if isinstance(part, list):
        return [_renumbered(value, kept) for value in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": f"#/{kept.index(int(part['$ref'].removeprefix('#/')))}"}
    return {
        key: _renumbered(value, kept)
        for key, value in part.items()
        if key != "description" or not isinstance(value, str)
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
