"""What a person sees: tables at a terminal, lines of text elsewhere."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connorg.command.ending import CommandError

type Json = dict[str, Any]

_OUTLOOKS = {
    "create": "would be created",
    "exists": "exists already",
    "update": "would be changed",
    "underWay": "is under way already",
    "refused": "would be refused",
    "duplicate": "says the same as an earlier row",
    "invalid": "has faults",
}
_STATUSES = {
    "NotStarted": "not begun",
    "Waiting": "waiting",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Canceled": "cancelled",
    "Invalid": "with faults",
}


def show_error(console: Console, error: CommandError) -> None:
    console.print(plain(str(error)), style="bold red", soft_wrap=True)
    for line in error.action.splitlines():
        console.print(plain(line), soft_wrap=True)


def show_faults(console: Console, faults: Sequence[Json]) -> None:
    rows = [
        (fault.get("row"), fault.get("column") or fault.get("pointer"), fault.get("detail"))
        for fault in faults
    ]
    if not rows:
        return
    _show(console, ("Row", "Column", "What is wrong"), rows)
    console.print(
        f"{count_of(len(faults), 'fault')} in {count_of(len({r[0] for r in rows}), 'row')}."
    )


def show_forecast(console: Console, forecast: Json, *, everything: bool) -> None:
    """Show every row that is not simply created, or all; and the counts."""
    rows = [
        row
        for row in forecast["rows"]
        if everything or row["prospect"] != "create" or row.get("note")
    ]
    _show(
        console,
        ("Row", "Partner", "What would happen", "Why"),
        [(r["row"], r["name"], _outlook(r), why) for r in rows for why in _reasons(r)],
    )
    counts = [(n, _OUTLOOKS.get(name, name)) for name, n in forecast["counts"].items() if n]
    for count, outlook in counts:
        console.print(plain(f"{count:>7,}  {outlook}"))
    show_ignored(console, forecast)
    console.print("Nothing was started. Tenants behind domains were not looked up.")


def show_ignored(console: Console, body: Json) -> None:
    if ignored := body.get("ignoredColumns"):
        names = ", ".join(ignored)
        console.print(plain(f"Columns that are not read: {names}."), soft_wrap=True)


def show_end(console: Console, status: Json) -> None:
    _show(
        console,
        ("Row", "Partner", "Error", "What to do"),
        [
            (e["row"], e["name"], e["error"].get("message"), e["error"].get("action"))
            for e in status.get("firstErrors", ())
        ],
    )
    console.print(plain(f"Batch {status['id']}: {_summary(status)}."), soft_wrap=True)


def _summary(status: Json) -> str:
    counts = [f"{n:,} {_STATUSES.get(name, name)}" for name, n in status["counts"].items() if n]
    conclusions = [f"{n:,} {name}" for name, n in status["conclusions"].items() if n]
    of_them = f" ({', '.join(conclusions)})" if conclusions else ""
    return ", ".join(counts) + of_them


def _outlook(row: Json) -> str:
    prospect = str(row["prospect"])
    if prospect == "duplicate":
        return f"says the same as row {row.get('duplicateOf')}"
    return _OUTLOOKS.get(prospect, prospect)


def _reasons(row: Json) -> Iterable[str]:
    """Give a line for each fault; for an error what to do too."""
    if faults := row.get("errors"):
        return [_placed(fault) for fault in faults]
    error = row.get("error") or {}
    told = (error.get("message"), error.get("action"), row.get("note"))
    return [" ".join(filter(None, told))]


def _placed(fault: Json) -> str:
    place = fault.get("column") or fault.get("pointer")
    return f"{place}: {fault.get('detail')}" if place else str(fault.get("detail"))


def count_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _show(console: Console, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    if not console.is_terminal:
        for row in rows:
            # Not by rich, which makes blanks of tabs.
            console.file.write("\t".join(plain(cell).plain for cell in row) + "\n")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, justify="right" if header == "Row" else "left")
    for row in rows:
        table.add_row(*map(plain, row))
    console.print(table)


def plain(value: object) -> Text:
    """Show text as it is: nothing in a file or an answer commands the terminal."""
    text = "" if value is None else str(value)
    return Text("".join("\N{REPLACEMENT CHARACTER}" if _is_control(c) else c for c in text))


def _is_control(character: str) -> bool:
    return unicodedata.category(character).startswith("C")
