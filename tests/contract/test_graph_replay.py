"""The Graph emulator answers as a real OData service did, or says that it does not.

`DIFFERING` is the list of the rows in which it differs, each with why. A row that begins to differ
fails, and so does one that no longer differs.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contract.graph_replay import Outcome, replay_bodies, replay_queries

DOCS = Path(__file__).parents[2] / "docs" / "local-stack.md"


class Why(NamedTuple):
    """`status` is the emulator's, where it is one for all of the rows."""

    reason: str
    rows: tuple[int, ...]
    status: int | None = None


DIFFERING: Mapping[str, tuple[Why, ...]] = {
    "queries": (
        Why("not emulated: functions of text, casts to text, arithmetic", (108, 109, 110), 501),
        Why("not emulated: .NET's regular expressions", (111,), 501),
        Why("not emulated: casts to text, arithmetic, fractions", (180, 204, 205), 501),
        Why("not emulated: $select of a part of a property, or with options", (323, 334), 501),
        Why("not emulated: a path in $expand", (353, 354), 501),
        Why("not emulated: $search, $apply, $compute", (389, 391, 392, 393), 501),
        Why("not emulated: full metadata, numbers as text, OData 4.01", (416, 430, 435), 501),
        Why("not emulated: OData 4.01", (449, 454), 501),
        Why("not emulated: $count behind one organization", (508,), 501),
        Why("not emulated: an exception escaped the library", (53, 355, 398), 501),
        Why("not emulated: the recording's own code knew every tenant, none too", (565,), 501),
        Why("the web servers differ in how they refuse a long address", (261,), 400),
        Why(
            "the recording's second routing, which knows fewer addresses than Graph: keys by name,"
            " doubled slashes, $count",
            (636, 640, 641, 647),
        ),
        Why("the recording's second routing has an address of its own", (648, 650, 651), 404),
    ),
    "bodies": (
        Why(
            "the library's plain reader takes it; the hosted one fails of an address that it makes",
            (8, 169, 173),
            201,
        ),
        Why("a value that .NET gives a property that was not sent", (74,), 201),
        Why(
            "not emulated: sponsors in the body; what Graph makes of them is not published",
            (*range(96, 104), *range(105, 115), 116, 117, 120, 121, 294, 295, 296),
            501,
        ),
        Why("not emulated: an annotation that no client sends", (119, 168), 501),
        Why("not emulated: values of an enumeration that it has not", (135, 136), 501),
        Why("not emulated: packed bodies", (230, 232, 233), 501),
        Why("not emulated: forms", (257,), 501),
        Why("not emulated: OData 4.01", (261, 262), 501),
        Why(
            "the recording's own code looked nothing up; Graph does not find what is not there",
            (314, 316, 345, 347, 358, 374),
            404,
        ),
        Why("Graph is known to want a user or a group of its own cloud", (315, 317, 318, 348), 400),
        Why("not emulated: $ref behind what has no references", (360,), 501),
        Why("not emulated: PUT and DELETE of references", (364, 369, 370, 371, 372, 375), 501),
    ),
}
REPLAYS: Mapping[str, Callable[[], Awaitable[list[Outcome]]]] = {
    "queries": replay_queries,
    "bodies": replay_bodies,
}


@pytest.mark.parametrize("name", REPLAYS)
async def test_the_emulator_answers_as_the_service_did(name: str) -> None:
    outcomes = await REPLAYS[name]()
    why = {row: reason for reason in DIFFERING[name] for row in reason.rows}
    begun = [outcome for outcome in outcomes if outcome.difference and outcome.number not in why]
    assert not begun, "\n".join(f"{begins.number}: {begins.difference}" for begins in begun)
    still = {outcome.number: outcome.status for outcome in outcomes if outcome.difference}
    assert not why.keys() - still.keys(), "these rows no longer differ"
    for number, reason in why.items():
        assert reason.status in {None, still[number]}, f"{number}: {reason.reason}"
    assert _counted(outcomes) in DOCS.read_text(), "the page's table of counts is another"


def _counted(outcomes: list[Outcome]) -> str:
    """Of each group: rows, equal, 501, differing otherwise."""
    groups = dict.fromkeys(outcome.group for outcome in outcomes)
    lines = [_line(group, [o for o in outcomes if o.group == group]) for group in groups]
    return "\n".join([*lines, _line("together", outcomes)])


def _line(group: str, outcomes: list[Outcome]) -> str:
    kinds = Counter(
        "equal" if not outcome.difference else "501" if outcome.status == 501 else "otherwise"
        for outcome in outcomes
    )
    counts = (len(outcomes), kinds["equal"], kinds["501"], kinds["otherwise"])
    return f"| {group} | {' | '.join(map(str, counts))} |"
