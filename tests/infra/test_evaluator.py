"""The evaluator makes of the templates what Azure's own engine does: tests/infra/compiled."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.bicep.deploying import Deployment, deploy
from infra.bicep.evaluating import Evaluator
from infra.bicep.functions import Place
from infra.bicep.syntax import assignments
from infra.bicep.values import as_json

COMPILED = Path(__file__).parent / "compiled"
SNAPSHOTS = sorted(COMPILED.glob("*.snapshot.json"))


def evaluated(snapshot: Path) -> Deployment:
    """Deploy where, as in a snapshot, the cloud is not known."""
    given = COMPILED / f"{snapshot.name.partition('.')[0]}.bicepparam"
    evaluator = Evaluator(given, Place(None), _no_names)
    parameters = {name: evaluator.value(node) for name, node in assignments(given).items()}
    return deploy(COMPILED / "main.bicep", parameters, Place(None))


def _no_names(name: str) -> Any:
    raise KeyError(name)


def resources(made: Deployment) -> dict[str, Any]:
    return {one.as_json["id"]: one.as_json for one in made.resources if not one.existing}


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.name.partition(".")[0])
def test_the_same_resources_with_the_same_names_properties_and_unknowns(path: Path) -> None:
    snapshot = json.loads(path.read_text())
    made = evaluated(path)
    wanted = {one["id"]: one for one in snapshot["predictedResources"]}
    found = resources(made)
    assert found.keys() == wanted.keys()
    assert {key for key in wanted if found[key] != wanted[key]} == set()
    assert as_json(made.outputs) == snapshot["outputs"]
