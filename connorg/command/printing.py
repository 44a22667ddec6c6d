"""What is printed: tables at a terminal, lines with tabs elsewhere, JSON if it is asked for."""

import json
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from connorg.command.ending import CommandError

type Json = dict[str, Any]

_GAP = 2  # between two columns


def print_json(console: Console, body: object) -> None:
    console.file.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")


def show_error(error: CommandError, out: Console, err: Console, *, is_json: bool) -> None:
    """Show what is wrong and what to do; with JSON on standard output too, for scripts."""
    if is_json:
        action = sentence(error.action, error.command)
        told = {"detail": str(error), "action": action, "exitCode": int(error.code)}
        print_json(out, {"error": {**error.problem, **told}})
    print_line(err, str(error), style="bold red")
    if error.action:
        print_line(err, error.action)
    if error.command:
        print_copied(err, error.command)


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a sentence. In a pipe it stays one line; a terminal folds it between words."""
    console.print(plain(text), style=style, soft_wrap=not console.is_terminal)


def print_copied(console: Console, text: str) -> None:
    """Print what is copied, such as a command: no line end is put into it."""
    console.print(plain(text), soft_wrap=True)


def print_table(
    console: Console, headers: Sequence[str], rows: Sequence[Sequence[object]], copied: str = ""
) -> None:
    """Print rows; without any nothing. Cells fold, and are never cut.

    `copied` is a column of ids. Where a terminal is too narrow, each id has a line of its own.
    """
    cells = [[plain(cell).plain for cell in row] for row in rows]
    if not console.is_terminal:
        for row in cells:
            # Not by rich, which makes spaces of tabs.
            console.file.write("\t".join(row) + "\n")
        return
    if not cells:
        return
    ids = []
    if copied and sum(_natural(headers, cells)) + _GAP * len(headers) > console.width:
        place = list(headers).index(copied)
        ids = [row.pop(place) for row in cells]
        headers = [header for header in headers if header != copied]
    widths = _widths(_natural(headers, cells), console.width)
    columns = [
        Column(header, width=width, overflow="fold", justify="right" if is_number else "left")
        for header, width, is_number in zip(headers, widths, _numbers(cells), strict=True)
    ]
    if not ids:
        console.print(_grid(columns, cells))
        return
    console.print(_grid(columns, []))
    for row, own in zip(cells, ids, strict=True):
        console.print(_grid(columns, [row], show_header=False))
        if own:
            print_copied(console, f"  {own}")


def _natural(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column would be without folds."""
    return [max(map(cell_len, column)) for column in zip(headers, *cells, strict=True)]


def _numbers(cells: Sequence[Sequence[str]]) -> list[bool]:
    """Return of each column whether it holds numbers."""
    columns = zip(*cells, strict=True)
    return [all(c.replace(",", "").isdigit() for c in column if c) for column in columns]


def _widths(natural: Sequence[int], room: int) -> list[int]:
    """Return how wide each column may be: the widest gives way, and of two that to the right."""
    widths = [*natural]
    while sum(widths) + _GAP * (len(widths) - 1) > room and max(widths) > 1:
        widths[max(range(len(widths)), key=lambda i: (widths[i], i))] -= 1
    return widths


def _grid(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], *, show_header: bool = True
) -> Table:
    table = Table(
        *(column.copy() for column in columns),
        box=None,
        pad_edge=False,
        padding=(0, _GAP, 0, 0),
        show_header=show_header,
        header_style="bold",
    )
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def plain(value: object) -> Text:
    """Return text as it is: nothing in a file or an answer commands the terminal."""
    text = "" if value is None else str(value)
    return Text("".join("\N{REPLACEMENT CHARACTER}" if _is_control(c) else c for c in text))


def _is_control(character: str) -> bool:
    return unicodedata.category(character).startswith("C")


def count_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(*texts: str | None) -> str:
    """Join what an answer says, without what it leaves out."""
    return " ".join(text for text in texts if text)


def moment(text: str | None) -> str:
    """Return an answer's time in UTC and to the second, as options take it too."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
