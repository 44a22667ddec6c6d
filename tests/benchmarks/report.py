"""The figures: medians over the rounds with their spread, ratios, goals; for people and files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks.host import Json

_NONE = "-"
_SIDES = ("connorg", "obvious", "minimum")
_BESIDE = ("obvious", "minimum")
_TITLES = (*_SIDES, *(f"to {side}" for side in _BESIDE))


@dataclass(frozen=True)
class Line:
    """A figure of each side that has it, in each round.

    `goals`: the ratio wanted to another side; `more`: more is better.
    """

    name: str
    sides: Mapping[str, Sequence[float]]
    others: str = ""
    goals: Mapping[str, float] = field(default_factory=dict)
    more: bool = False

    def figure(self, side: str) -> float | None:
        rounds = self.sides.get(side)
        return median(rounds) if rounds else None

    def ratio(self, side: str) -> float | None:
        """Return the ratio of connorg's median to a side's."""
        ours, theirs = self.figure("connorg"), self.figure(side)
        return ours / theirs if ours is not None and theirs else None

    def ratios(self, side: str) -> Sequence[float]:
        """Return the ratios of the rounds in which both sides were measured one after the other."""
        pairs = zip(self.sides.get("connorg", ()), self.sides.get(side, ()), strict=False)
        return [ours / theirs for ours, theirs in pairs if theirs]

    @property
    def verdict(self) -> str:
        return ", ".join(
            f"{side} {'≥' if self.more else '≤'} {goal:g} {'met' if met else 'missed'}"
            for side, goal in self.goals.items()
            if (ratio := self.ratio(side)) is not None
            for met in [ratio >= goal if self.more else ratio <= goal]
        )


def lines(samples: Json) -> list[Line]:
    return [
        *_cold(samples),
        *_stages(samples),
        *_warm(samples),
        *_trips(samples),
        *_package(samples),
    ]


def _cold(samples: Json) -> Iterable[Line]:
    names = {
        "total_ms": "cold start to the first 201, ms",
        "ready_ms": "  until the host serves, ms",
        "first_create_ms": "  the first create, ms",
        "cpu_ms": "  CPU of it all, ms",
    }
    for key, name in names.items():
        of = _rounds(samples["cold"], key)
        goals = {"obvious": 0.4} if key == "total_ms" else {}
        yield Line(
            name, {side: of(side) for side in _SIDES}, f"empty {median(of('empty')):.0f}", goals
        )
        if key in {"total_ms", "cpu_ms"}:
            more = {
                side: [own - empty for own, empty in zip(of(side), of("empty"), strict=True)]
                for side in _SIDES
            }
            yield Line("  the same without the empty function's", more)


def _stages(samples: Json) -> Iterable[Line]:
    for stage in samples["stages"][0]["connorg"]:
        of = _rounds(samples["stages"], stage, "ms")
        cpu = _rounds(samples["stages"], stage, "cpu_ms")
        told = f"CPU {median(cpu('connorg')):.0f} and {median(cpu('obvious')):.0f}"
        yield Line(f"  part: {stage}, ms", {side: of(side) for side in _SIDES[:2]}, told)


_WARM_GOALS: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("16", "creates_per_second"): {"obvious": 0.75, "minimum": 0.9},
    ("16", "cpu_ms"): {"obvious": 1.35, "minimum": 1.1},
    ("1", "p50_ms"): {"obvious": 1.7, "minimum": 1.1},
}


def _warm(samples: Json) -> Iterable[Line]:
    names = {
        "creates_per_second": "creates/s",
        "cpu_ms": "CPU ms per create",
        "p50_ms": "p50, ms",
        "p99_ms": "p99, ms",
    }
    for level in samples["warm"][0]["connorg"]["levels"]:
        for key, name in names.items():
            of = _rounds(samples["warm"], "levels", level, key)
            floor = _rounds(samples["floors"], level, key)
            floors = [f"{client} {median(floor(client)):.3g}" for client in ("httpx", "aiohttp")]
            yield Line(
                f"{name} at {level}",
                {side: of(side) for side in _SIDES},
                ", ".join([f"empty {median(of('empty')):.3g}", *floors]),
                _WARM_GOALS.get((level, key), {}),
                more=key == "creates_per_second",
            )
    for kind in ("rss", "pss", "uss"):
        of = _rounds(samples["warm"], "memory_mb", kind)
        yield Line(
            f"memory after the creates, {kind.upper()} MB",
            {side: of(side) for side in _SIDES},
            f"empty {median(of('empty')):.0f}",
            {"obvious": 0.8} if kind == "pss" else {},
        )


def _trips(samples: Json) -> Iterable[Line]:
    names = {
        "graph_calls": "Graph calls per create",
        "storage_calls": "storage calls per create",
        "graph_bytes": "bytes to and from Graph per create",
        "storage_bytes": "bytes to and from storage per create",
    }
    trips = samples["trips"]
    for key, name in names.items():
        lookup = f"with tenant lookup {trips['connorg, tenant lookup'][key]:g}"
        goals = {"obvious": 1.0} if key == "graph_calls" else {}
        yield Line(name, {side: [trips[side][key]] for side in _SIDES}, lookup, goals)


def _package(samples: Json) -> Iterable[Line]:
    found = samples["package"]
    names = {
        "files": "package, files",
        "unpacked_mb": "  unpacked, MB",
        "zipped_mb": "  zipped, MB",
    }
    for key, name in names.items():
        sides = {side: [found[side][key]] for side in _SIDES[:2] if found[side]}
        missing = "" if found["connorg"] else "connorg's is not built: make package"
        yield Line(name, sides, missing, {"obvious": 0.1} if key != "zipped_mb" else {})


def _rounds(rounds: Sequence[Json], *path: str) -> Callable[[str], list[float]]:
    """Return the function that takes an app's figure at the path, of each round."""
    return lambda app: [reduce(getitem, path, each[app]) for each in rounds]


def as_json(samples: Json) -> Json:
    told = [
        {
            "name": line.name.strip(),
            **{side: line.figure(side) for side in _SIDES},
            **{f"to {side}": line.ratio(side) for side in _BESIDE},
            "others": line.others,
            "goal": line.verdict,
        }
        for line in lines(samples)
    ]
    return {"figures": told, "samples": samples}


def show(samples: Json, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in _TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("goal")
    table.add_column("beside them")
    for line in lines(samples):
        table.add_row(line.name, *_cells(line))
    console.print(table)
    tried = Table(*_TOOLS, box=None, pad_edge=False)
    for cells in _instead(samples):
        tried.add_row(*cells)
    console.print(tried)


def _instead(samples: Json) -> list[tuple[str, ...]]:
    """Return a row for each situation and a cell for each tool."""
    return [
        (
            title,
            *(
                f"{tried['seconds']:.3g} s, {tried['created']} created,"
                f" {tried['calls']} calls, {tried['refused']} refused"
                for tried in by_tool.values()
            ),
        )
        for title, by_tool in samples["instead"].items()
    ]


_TOOLS = ("", "a requests script", "a loop of the SDK", "connorg, a create or a batch")


def markdown(samples: Json) -> str:
    head = [
        f"| | {' | '.join(_TITLES)} | goal | beside them |",
        f"|---|{'---:|' * len(_TITLES)}---|---|",
    ]
    rows = ["| " + " | ".join([_indented(n.name), *_cells(n)]) + " |" for n in lines(samples)]
    tools = [f"| {' | '.join(_TOOLS)} |", f"|{'---|' * len(_TOOLS)}"]
    tried = [f"| {' | '.join(cells)} |" for cells in _instead(samples)]
    return "\n".join([*head, *rows, "", *tools, *tried])


def _indented(name: str) -> str:
    return "… " + name.strip() if name.startswith(" ") else name


def _cells(line: Line) -> tuple[str, ...]:
    figures = [_spread(line.figure(side), line.sides.get(side, ()), _number) for side in _SIDES]
    ratios = [_spread(line.ratio(side), line.ratios(side), "{:.2f}".format) for side in _BESIDE]
    return (*figures, *ratios, line.verdict, line.others)


def _spread(middle: float | None, rounds: Sequence[float], written: Callable[[float], str]) -> str:
    """Write a median with the least and the greatest of the rounds, where there are several."""
    if middle is None:
        return _NONE
    ends = [written(end) for end in (min(rounds), max(rounds))]
    return written(middle) + (f" ({ends[0]} to {ends[1]})" if len(rounds) > 1 else "")


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
