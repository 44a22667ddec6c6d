"""How the emulated Graph behaves, by plain words, for people who try connorg by hand."""

from dataclasses import dataclass, field
from typing import Any

CALM = "calm"
ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Mood:
    means: str
    config: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()


def _sometimes(probability: float, fault: str, seed: int, **more: Any) -> dict[str, Any]:
    return {"fault": fault, "probability": probability, "seed": seed, **more}


MOODS = {
    CALM: Mood("answers everything"),
    "throttling": Mood(
        "answers 429 to every third call, with Retry-After: 3",
        faults=(_sometimes(0.34, "throttle", 1, retryAfter=3),),
    ),
    "flaky": Mood(
        "loses answers, resets connections and answers 503, in half of all calls",
        faults=(
            _sometimes(0.2, "commit_then_reset", 1, method="POST"),
            _sometimes(0.2, "reset", 2),
            _sometimes(0.2, "status", 3, status=503),
        ),
    ),
    "outage": Mood("answers 503 to every call", faults=({"fault": "status", "status": 503},)),
    "slow": Mood("takes 5 seconds for each call", {"latencySeconds": 5}),
    "late": Mood("lists a new organization 20 seconds later", {"consistencyDelaySeconds": 20}),
    "no-permission": Mood("answers 403: the app role is missing", {"roles": []}),
    ADMINISTRATOR: Mood(
        "answers as to an administrator, who may run infra.grant",
        {
            "roles": [
                "Application.Read.All",
                "AppRoleAssignment.ReadWrite.All",
                "RoleManagement.ReadWrite.Directory",
            ]
        },
    ),
    "no-licence": Mood("answers 403: the tenant has no licence", {"licensed": False}),
}
_USUAL = {"latencySeconds": 0, "consistencyDelaySeconds": 0, "roles": None, "licensed": True}


async def set_mood(graph: str, name: str) -> None:
    """Let the emulator at this address behave so. What it holds stays as it is."""
    import httpx  # noqa: PLC0415  a part that is started again needs none of it

    mood = MOODS[name]
    async with httpx.AsyncClient(base_url=f"{graph}/_emulator") as http:
        for control, value in (("config", _USUAL | mood.config), ("faults", mood.faults)):
            (await http.put(control, json=value)).raise_for_status()
