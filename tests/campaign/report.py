"""The figures of a campaign, for a person and for docs/reliability.md."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Self

from rich.console import Console
from rich.table import Table

from tests.campaign.evidence import Evidence, domain_of
from tests.campaign.outages import Strike
from tests.end_to_end.client import Json

CREATE = re.compile(r"/connectedOrganizations$")
DUPLICATE_STATUS = 400  # the emulator's, see its config
THROTTLED, FIRST_SERVER_ERROR = 429, 500


@dataclass(frozen=True)
class Spread:
    """The middle and the most of some numbers."""

    median: float
    most: int

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        sure = list(numbers) or [0]
        return cls(median(sure), max(sure))

    def __str__(self) -> str:
        return f"median {self.median:g}, at most {self.most}"


def show(evidence: Evidence, console: Console) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, figure in figures(evidence).items():
        table.add_row(name, figure)
    console.print(table)
    console.print(f"\nFor docs/reliability.md:\n{markdown(evidence)}", markup=False)


def figures(evidence: Evidence) -> Mapping[str, str]:
    plan, tally, calls = evidence.plan, evidence.tally, evidence.calls
    creates = _creates(calls)
    return {
        "Seed": str(plan.seed),
        "Partners": f"{len(plan.partners)}, with {plan.duplicates} duplicates",
        "Accepted": f"{len(tally.accepted)} over HTTP, {tally.queued} on the queue",
        "Sent again": f"{tally.answers_503} after a 503, {tally.lost} after no answer",
        **_struck(evidence.strikes),
        "Onboardings": _counted(map(_became, evidence.onboardings)),
        "Attempts": f"{_attempts(evidence)} for each onboarding",
        "Organizations": str(len(evidence.organizations)),
        "Calls to Graph": f"{len(calls)}: {_counted(_outcome(call) for call in calls)}",
        "Creates": f"{sum(creates.values())}: {Spread.of(creates.values())} for each organization",
        "Duplicates refused": f"{_duplicates_refused(calls)} by Graph",
        "Time": f"{evidence.seconds:.0f} s",
    }


def markdown(evidence: Evidence) -> str:
    """Return a table of one row."""
    creates = Spread.of(_creates(evidence.calls).values())
    attempts = _attempts(evidence)
    kills = len(evidence.plan.kills)
    row = {
        "Seed": evidence.plan.seed,
        "Partners": len(evidence.plan.partners),
        "Duplicates": evidence.plan.duplicates,
        "Kills": f"{kills}, {len(evidence.strikes) - kills} of storage",
        "Calls to Graph": len(evidence.calls),
        "of these 429, 5xx or cut": sum(map(_failed, evidence.calls)),
        "Attempts (median, most)": f"{attempts.median:g}, {attempts.most}",
        "Creates sent (median, most)": f"{creates.median:g}, {creates.most}",
        "Duplicates refused": _duplicates_refused(evidence.calls),
        "Organizations": len(evidence.organizations),
        "Seconds": f"{evidence.seconds:.0f}",
    }
    lines = (row, ["---"] * len(row), row.values())
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _struck(strikes: Iterable[Strike]) -> Mapping[str, str]:
    """Return the moments of each kind of strike, and the longest that it took to come back."""
    kinds: dict[str, list[Strike]] = {}
    for strike in strikes:
        kinds.setdefault(strike.what.capitalize(), []).append(strike)
    return {
        what: f"{len(kind)} times: at {', '.join(f'{strike.at:.1f}' for strike in kind)} s;"
        f" back after {max(strike.back_at - strike.at for strike in kind):.1f} s at most"
        for what, kind in kinds.items()
    }


def _attempts(evidence: Evidence) -> Spread:
    return Spread.of(onboarding["attempts"] for onboarding in evidence.onboardings)


def _became(onboarding: Json) -> str:
    return " ".join([onboarding["status"], onboarding.get("conclusion", "")]).rstrip()


def _creates(calls: Iterable[Json]) -> Counter[str]:
    """How many creates Graph was sent, by domain."""
    return Counter(
        domain_of({"request": call["body"]}) for call in calls if _is_create(call) and call["body"]
    )


def _duplicates_refused(calls: Iterable[Json]) -> int:
    return sum(_is_create(call) and call["status"] == DUPLICATE_STATUS for call in calls)


def _is_create(call: Json) -> bool:
    return call["method"] == "POST" and CREATE.search(call["path"]) is not None


def _failed(call: Json) -> bool:
    """Faults with status 200 (HTML, an answer too late) can't be told from calls that went well."""
    status = call["status"]
    return status is None or status == THROTTLED or status >= FIRST_SERVER_ERROR


def _outcome(call: Json) -> str:
    return "no answer" if call["status"] is None else str(call["status"])


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(names).items()))
