"""Tables: what has to be copied is there to the last letter, however narrow the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from connorg.command.printing import print_line, print_table

LONG = "a-partner-with-a-name-that-is-longer-than-any-column-of-a-terminal.subsidiary.example"
ID = "3fa9c01122334455667788aa-fe5ddb2ae8855c2edc5ca322c4880501"
PROSE = "A sentence that says at some length what is wrong, and then what whoever reads it may do."


def printed(columns: int, rows: list[tuple[object, ...]], copied: str = "") -> list[str]:
    console = Console(file=StringIO(), force_terminal=True, width=columns, color_system=None)
    print_table(console, ("Row", "Partner", "Why", "Id"), rows, copied)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_nothing_is_cut(columns: int) -> None:
    lines = printed(columns, [(7, LONG, PROSE, "x")])
    assert max(map(len, lines)) <= columns
    assert "…" not in "".join(lines)
    start = lines[0].index("Partner")
    end = lines[0].index("Why")
    assert "".join(line[start:end].strip() for line in lines[1:]) == LONG


def test_an_id_has_its_column_or_a_line_of_its_own() -> None:
    rows: list[tuple[object, ...]] = [(7, LONG, PROSE, ID), (12, "b.example", "", "")]
    wide, narrow = printed(300, rows, "Id"), printed(80, rows, "Id")
    assert [line.split()[-1] for line in wide[:2]] == ["Id", ID]
    assert narrow[0].split() == ["Row", "Partner", "Why"]
    assert f"  {ID}" in narrow
    assert narrow[-1].startswith(" 12  b.example"), "a row without an id has no empty line for it"


def test_a_sentence_is_one_line_in_a_pipe_and_folds_at_a_terminal() -> None:
    for is_terminal, lines in ((False, 1), (True, 2)):
        console = Console(file=StringIO(), force_terminal=is_terminal, width=80, color_system=None)
        print_line(console, PROSE)
        assert isinstance(console.file, StringIO)
        assert len(console.file.getvalue().splitlines()) == lines
