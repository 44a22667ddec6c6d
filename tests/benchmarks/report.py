"""The figures: medians over the rounds, ratios, goals; for the terminal and for a file."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks.host import Json

_NONE = "-"


@dataclass(frozen=True)
class Line:
    """A figure of each side. `goal`: the ratio wanted; `more`: more is better."""

    name: str
    connorg: float | None
    obvious: float | None
    others: str = ""
    goal: float | None = None
    more: bool = False

    @property
    def ratio(self) -> float | None:
        if self.connorg is None or not self.obvious:
            return None
        return self.connorg / self.obvious

    @property
    def verdict(self) -> str:
        if self.goal is None or self.ratio is None:
            return ""
        met = self.ratio >= self.goal if self.more else self.ratio <= self.goal
        return f"{'≥' if self.more else '≤'} {self.goal:g} {'met' if met else 'missed'}"


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
        of = _medians(samples["cold"], key)
        empty = f"empty {of('empty'):.0f}"
        goal = 0.35 if key == "total_ms" else None
        yield Line(name, of("connorg"), of("obvious"), empty, goal)
        if key in {"total_ms", "cpu_ms"}:
            ours, theirs = (of(app) - of("empty") for app in ("connorg", "obvious"))
            yield Line("  the same without the empty function's", ours, theirs)


def _stages(samples: Json) -> Iterable[Line]:
    for stage in samples["stages"][0]["connorg"]:
        of = _medians(samples["stages"], stage, "ms")
        cpu = _medians(samples["stages"], stage, "cpu_ms")
        told = f"CPU {cpu('connorg'):.0f} and {cpu('obvious'):.0f}"
        yield Line(f"  part: {stage}, ms", of("connorg"), of("obvious"), told)


def _warm(samples: Json) -> Iterable[Line]:
    names = {
        "creates_per_second": "creates/s",
        "cpu_ms": "CPU ms per create",
        "p50_ms": "p50, ms",
        "p99_ms": "p99, ms",
    }
    for level in samples["warm"][0]["connorg"]["levels"]:
        for key, name in names.items():
            of = _medians(samples["warm"], "levels", level, key)
            floor = _medians(samples["floors"], level, key)
            others = ", ".join(
                [f"empty {of('empty'):.3g}", *(f"{c} {floor(c):.3g}" for c in ("httpx", "aiohttp"))]
            )
            is_goal = (level, key) == ("16", "creates_per_second")
            goal = 1.5 if is_goal else None
            title = f"{name} at {level}"
            more = key == "creates_per_second"
            yield Line(title, of("connorg"), of("obvious"), others, goal, more)
    for kind in ("rss", "pss", "uss"):
        of = _medians(samples["warm"], "memory_mb", kind)
        goal = 0.9 if kind == "pss" else None
        name = f"memory after the creates, {kind.upper()} MB"
        yield Line(name, of("connorg"), of("obvious"), f"empty {of('empty'):.0f}", goal)


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
        goal = 1 if key == "graph_calls" else None
        yield Line(name, trips["connorg"][key], trips["obvious"][key], lookup, goal)


def _package(samples: Json) -> Iterable[Line]:
    found = samples["package"]
    names = {
        "files": "package, files",
        "unpacked_mb": "  unpacked, MB",
        "zipped_mb": "  zipped, MB",
    }
    for key, name in names.items():
        ours, theirs = ((found[app] or {}).get(key) for app in ("connorg", "obvious"))
        missing = "" if found["connorg"] else "connorg's is not built: make package"
        yield Line(name, ours, theirs, missing, 0.1 if key != "zipped_mb" else None)


def _medians(rounds: Sequence[Json], *path: str) -> Callable[[str], float]:
    """Give the function that takes an app's median of the figure at the path."""
    return lambda app: median(reduce(getitem, path, each[app]) for each in rounds)


def as_json(samples: Json) -> Json:
    told = [
        {
            "name": line.name.strip(),
            "connorg": line.connorg,
            "obvious": line.obvious,
            "ratio": line.ratio,
            "others": line.others,
            "goal": line.verdict,
        }
        for line in lines(samples)
    ]
    return {"figures": told, "samples": samples}


def show(samples: Json, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("connorg", "obvious", "ratio"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("beside them")
    for line in lines(samples):
        table.add_row(line.name, *_cells(line))
    console.print(table)


def markdown(samples: Json) -> str:
    head = ["| | connorg | obvious | ratio | goal | beside them |", "|---|---:|---:|---:|---|---|"]
    rows = ["| " + " | ".join([_indented(n.name), *_cells(n)]) + " |" for n in lines(samples)]
    return "\n".join([*head, *rows])


def _indented(name: str) -> str:
    return "… " + name.strip() if name.startswith(" ") else name


def _cells(line: Line) -> tuple[str, ...]:
    return _number(line.connorg), _number(line.obvious), _ratio(line), line.verdict, line.others


def _number(figure: float | None) -> str:
    if figure is None:
        return _NONE
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def _ratio(line: Line) -> str:
    return _NONE if line.ratio is None else f"{line.ratio:.2f}"
