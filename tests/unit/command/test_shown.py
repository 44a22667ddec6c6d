"""What each command shows: on the page, at two terminals, in a pipe and as JSON.

The app's answers were recorded on the local stack: `python -m tests.unit.command.record`.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from connorg.command.commands import app
from connorg.command.ending import MEANINGS
from tests.command import NARROW, WIDE, at_terminal, run_here
from tests.unit.command.record import BLOCK, FILES, PAGE, Reader
from tests.unit.command.recorded import Recorded, StandIn

TEXT = PAGE.read_text()
LINES = [block[1] for block in BLOCK.finditer(TEXT)]
ID = re.compile(
    r"[0-9a-f]{24}-[0-9a-f]{32}|batch-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
COMMANDS = {"check", "submit", "export", "watch", "results", "status", "failed", "show", "list"}
COMMANDS |= {"retry", "cancel", "reports", "forget", "health", "login"}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    recorded = Recorded.read()
    with StandIn(recorded) as stand_in:
        yield Reader(stand_in, tmp_path, recorded.names)


def is_copied(line: str) -> bool:
    """Whether a line is a command or an id, which no line end may tear apart."""
    return line.startswith("connorg ") or ID.fullmatch(line.strip()) is not None


@pytest.mark.parametrize("line", LINES)
def test_the_page_shows_what_the_command_shows_and_terminals_have_room_for_it(
    reader: Reader, line: str
) -> None:
    [page] = [block[2] for block in BLOCK.finditer(TEXT) if block[1] == line]
    assert reader.shown(line) == page, "run: python -m tests.unit.command.record"
    wide = reader.runs(line, WIDE).seen
    for text, columns in ((page, NARROW), (wide, WIDE)):
        lines = [each.rstrip() for each in text.splitlines()]
        assert not [each for each in lines if len(each) > columns and not is_copied(each)]
    for found in ID.findall(wide):
        assert found in page, "it is cut or torn apart where there is less room"


@pytest.mark.parametrize("line", LINES)
def test_in_a_pipe_it_is_plain_and_with_json_one_value(reader: Reader, line: str) -> None:
    piped = reader.runs(line, None)
    assert not re.search(r"[\u2500-\u28ff\x1b]", piped.seen), "lines of tables, bars or codes"
    told = reader.runs(f"{line} --json", None)
    assert json.loads(told.out)
    assert told.code == piped.code


def test_options_of_a_command_may_stand_before_its_name(reader: Reader) -> None:
    told = reader.runs("status --json", None)
    assert reader.runs("--json status", None) == told
    assert reader.runs(f"--url {reader.stand_in.url}/api --key other --json status", None) == told


@pytest.mark.parametrize("line", ["export", "results BATCH", "reports unrequested"])
def test_in_a_pipe_files_are_csv(reader: Reader, line: str) -> None:
    rows = list(csv.DictReader(io.StringIO(reader.runs(line, None).out)))
    assert rows
    assert all(row.get("id") or row.get("name") for row in rows)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check partners.csv", 0),
        ("check more.csv", 1),
        ("submit more.csv", 1),
        ("submit partners.csv --output new.csv", 0),
        ("watch BATCH", 0),
        ("results BATCH", 0),
        ("export", 0),
        ("status", 2),
        ("failed", 2),
        ("list", 1),
        ("show ID", 2),
        ("retry --all", 0),
        ("cancel --code GraphBusy", 0),
        ("reports", 0),
        ("forget --domain adatum.com", 2),
        ("forget --domain contoso.com --yes", 0),
        ("health", 2),
        ("health --nonsense", 1),
        ("nonsense", 1),
        ("", 1),
        ("retry", 1),
        ("retry --all --code TenantFull", 1),
        ("forget", 1),
        ("forget --domain a.example --reference REQ1", 1),
        ("submit no-such-file.csv", 1),
        ("show BATCH", 1),
        ("reports proposed --kind internalSponsors", 1),
        ("reports --output all.csv", 1),
    ],
)
def test_how_it_ends_is_in_its_exit_code(reader: Reader, line: str, code: int) -> None:
    told = reader.runs(line)
    assert told.code == code, told.seen
    assert "Traceback" not in told.err


@pytest.mark.parametrize("others", ["ID", "--dry-run", "--all", "--code TenantFull"])
@pytest.mark.parametrize("act", ["retry", "cancel"])
def test_a_batch_is_retried_or_canceled_where_it_is_named_alone(
    reader: Reader, act: str, others: str
) -> None:
    told = reader.runs(f"{act} BATCH {others}", None)
    assert told.code == 1
    assert told.err.startswith("A batch is specified together with")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("connorg re", {"results", "retry", "reports"}),
        ("connorg list --st", {"--status"}),
        ("connorg list --status Wai", {"Waiting"}),
        ("connorg reports with", {"without-sponsors"}),
    ],
)
def test_a_shell_completes_commands_options_and_values(typed: str, completed: set[str]) -> None:
    shell = {"_CONNORG_COMPLETE": "complete_bash", "COMP_WORDS": typed}
    told = run_here(env={**shell, "COMP_CWORD": str(typed.count(" "))})
    assert {*told.out.split()} == completed


def test_every_command_is_on_the_page_with_its_options_and_the_exit_codes() -> None:
    group = typer.main.get_command(app)
    commands = getattr(group, "commands")  # noqa: B009  of click, which typer keeps to itself
    assert {*commands} == COMMANDS
    shown = {line.split()[0] for line in LINES}
    assert shown == COMMANDS - {"login"}
    for name, command in commands.items():
        for option in (opt for each in command.params for opt in each.opts if opt.startswith("--")):
            assert f"{option}" in TEXT, f"{name} {option}"
    for code, meaning in MEANINGS.items():
        assert f"| {code:d} | {meaning} |" in TEXT


def test_an_answer_of_another_kind_is_no_stack_trace(tmp_path: Path) -> None:
    recorded = Recorded.read()
    for answer in recorded.answers:
        answer.body = '{"value": 7}'
    with StandIn(recorded) as stand_in:
        reader = Reader(stand_in, tmp_path, recorded.names)
        for line in ("status", "list --top 3", "health", "check partners.csv"):
            told = reader.runs(line)
            assert told.code == 1, told.seen
            assert "can't read the app's answer" in told.err


@pytest.mark.slow
@pytest.mark.parametrize("columns", [NARROW, WIDE])
@pytest.mark.parametrize("line", LINES)
async def test_a_real_terminal_shows_the_same(reader: Reader, line: str, columns: int) -> None:
    """In a process of its own, which asks the terminal for its size."""
    here = reader.runs(line, columns)
    files = {word: str(reader.folder / word) for word in (*FILES, "results.csv")}
    words = [files.get(word, word) for word in reader.words(line)]
    (reader.folder / "results.csv").unlink(missing_ok=True)
    async with at_terminal(*words, env=reader.environment(line), columns=columns) as terminal:
        if line.startswith("cancel"):
            await terminal.shows(r"Cancel 1 onboarding\? \[y/N\]: ")
            terminal.types("y\n")
        assert await terminal.ended() == here.code
    seen = [each.rstrip() for each in terminal.seen.splitlines()]
    for each in here.out.splitlines():
        assert each.rstrip() in seen
