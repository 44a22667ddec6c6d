"""Every command in the documentation is taken by what it calls.

A shell takes each block of code apart, with recorders in place of the tools. What a tool was called
with is then handed to what takes it: make, a program's own parser, the table of routes, jq. A block
without a language counts as shell; drawings and outputs have the language `text`.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import function_app
from connorg.command.commands import app as connorg
from connorg.webhooks.__main__ import options_of as webhooks_options
from infra.doctor.__main__ import parser as doctor_parser
from infra.grant.__main__ import parser_of as grant_parser
from infra.local.child import ROOT
from infra.local.command import options_of as local_options
from tests.cases import each
from tests.infra.recorders import Recorders
from tests.unit.test_docs import PAGES

type Words = list[str]
type Block = tuple[Path, str, str]
"""The page, the language and the text."""

SHELL = {"", "sh", "console"}
DATA = {"json", "csv", "js", "md", "python", "text", "yaml"}
NOT_RUN = {
    "az": "`make policy` hands each command to the Azure CLI's own parser (tests/infra/az)",
    "azd": "tests/infra/test_deploy_walk.py follows the page; azd can't be installed by make",
    "func": "Azure Functions Core Tools can't be installed by make",
    "pipx": "it takes the address of a repository, which only the reader knows",
}
NOT_OURS = {
    "GET admin/host/status": "the Functions host's (tests/recorded/host)",
    "POST admin/functions/PurgeLedger": "the same (tests/end_to_end/test_operations_page.py)",
    "PUT _emulator/config": "the Graph emulator's (tests/live/test_facts.py)",
}
HELPERS = ("base64", "cut", "date", "openssl")
"""They make a signature or a secret on the way to a command, and are run as they are."""
ID = "00000000-0000-0000-0000-000000000005"
ENVIRONMENT = {
    "APP": "https://contoso.example/api",
    "CONNORG_URL": "http://127.0.0.1:7071",
    **dict.fromkeys(("CONNORG_KEY", "KEY", "MASTER_KEY", "ID", "CODE", "DOMAIN"), ID),
}

FILES = ("event.json", "more.csv", "partner.json", "partners.csv", "partners.json")
"""What a reader has, or has just made."""
CHOICES = {"RIGHT": "app-role"}

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(
    r"`((?:[A-Z_]+=\S+ )*(?:make [a-z]|(?:\.venv/bin/)?python -m |connorg -*[a-z])[^`]*)`"
)


def blocks() -> Iterator[Block]:
    """Return each block of code, and each command in a sentence where it stands first."""
    seen = set()
    for page in PAGES:
        text = page.read_text()
        yield from ((page, language, block) for _, language, block in _BLOCK.findall(text))
        for said in _INLINE.findall(_BLOCK.sub("", text)):
            if said not in seen:
                seen.add(said)
                yield page, "sh", said


def place_of(block: Block) -> str:
    page, _, text = block
    return f"{page.relative_to(ROOT)}: {text.strip().splitlines()[0][:60]}"


def typed(text: str) -> str:
    """Leave out of a recorded session what the commands answered."""
    lines = text.replace("\\\n", "").splitlines()
    return "\n".join(line.removeprefix("$ ") for line in lines if line.startswith("$ "))


@pytest.fixture(scope="module")
def recorders(tmp_path_factory: pytest.TempPathFactory) -> Recorders:
    recorders = Recorders(tmp_path_factory.mktemp("commands"))
    folder = recorders.folder
    for tool in (*CHECKS, *NOT_RUN):
        recorders.tool(tool, f"echo {ID}")
    for name in FILES:
        (folder / name).touch()
    (folder / "infra").symlink_to(ROOT / "infra")
    for helper in HELPERS:
        (folder / helper).symlink_to(str(shutil.which(helper)))
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(folder)
    return recorders


def check(script: str, recorders: Recorders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shell take a script apart, and hand what it calls to what takes it."""
    folder = recorders.folder
    monkeypatch.chdir(folder)
    (folder / "calls").unlink(missing_ok=True)
    done = subprocess.run(
        [str(shutil.which("bash")), "-euc", script],
        check=False,
        cwd=folder,
        env={**ENVIRONMENT, "PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert not done.stderr, done.stderr
    assert done.returncode == 0
    for tool, *words in recorders.calls:
        if tool not in NOT_RUN:
            CHECKS[tool](words)


# What takes a command


def make(words: Words) -> None:
    """Have make show what it would run, and check that too."""
    shown = subprocess.run(
        [str(shutil.which("make")), "--dry-run", *words],
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    for line in shown.stdout.replace("\\\n", "").splitlines():
        if line.startswith(".venv/bin/python -m "):
            python(shlex.split(line, comments=True)[1:])


def python(words: Words) -> None:
    assert words[0] == "-m", words
    module, arguments = words[1], [known(word) for word in words[2:]]
    assert find_spec(module), f"there is no module {module}"
    match module, arguments:
        case _, []:
            pass  # a sentence names the program
        case "connorg.command", _:
            command(arguments)
        case "connorg.webhooks", _:
            webhooks_options(arguments)
        case "infra.doctor", _:
            doctor_parser().parse_args(arguments)
        case "infra.grant", ["caller", *rest]:
            grant_parser("caller").parse_args(rest)
        case "infra.grant", _:
            grant_parser("grant").parse_args(arguments)
        case "infra.local", _:
            settings = local_options(arguments)[0].settings
            assert settings.keys() <= names_that_code_reads(), settings
        case "pytest", _:
            for path in (word for word in arguments if word.startswith("tests/")):
                assert (ROOT / path.partition("::")[0]).exists(), path
        case _:
            pass


def known(word: str) -> str:
    """Put a value in the place of what only the reader knows."""
    return CHOICES.get(word, ID) if re.fullmatch(r"[A-Z][A-Z_]+", word) else word


@cache
def names_that_code_reads() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "connorg").rglob("*.py")]
    texts += [(ROOT / "docs/connect/sources.json").read_text(), "PYTHON_ENABLE_OPENTELEMETRY"]
    return set(re.findall(r"\b[A-Z][A-Z_]+[A-Z]\b", " ".join(texts)))


def command(words: Words) -> None:
    """Have the command's own parser read it."""
    group = get_command(connorg)
    assert isinstance(group, TyperGroup)
    does_more = not {"--help", "--install-completion"}.isdisjoint(words)
    with group.make_context("connorg", list(words), resilient_parsing=does_more) as context:
        if rest := [*context._protected_args, *context.args]:  # noqa: SLF001  click has no other
            _, chosen, arguments = group.resolve_command(context, rest)
            assert chosen is not None
            chosen.make_context(chosen.name, arguments, parent=context).close()


def uvx(words: Words) -> None:
    command(words[words.index("connorg") + 1 :])


def curl(words: Words) -> None:
    parser = argparse.ArgumentParser("curl")
    parser.add_argument("-sS", "-s", "-i", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-d", "--data", "--data-binary", dest="body")
    parser.add_argument("-H", action="append", dest="headers", default=[])
    for option in ("-u", "-o"):
        parser.add_argument(option)
    parser.add_argument("address")
    sent = parser.parse_args(words)
    for header in sent.headers:
        assert re.fullmatch(r"[\w-]+: \S.*", header), header
    if sent.body is not None and not sent.body.startswith("@"):
        json.loads(sent.body)
    method = sent.method or ("GET" if sent.body is None else "POST")
    path = urlsplit(sent.address).path.removeprefix("GRAPH").removeprefix("/").removeprefix("api/")
    assert f"{method} {path}" in NOT_OURS or is_route(method, path), f"no route {method} {path}"


def is_route(method: str, path: str) -> bool:
    patterns = [
        re.sub(r"\{\w+\}", "[^/]+", route.path)
        for route in function_app.routes
        if route.method == method
    ]
    return any(re.fullmatch(pattern, path) for pattern in patterns)


def jq(words: Words) -> None:
    """Without an input a program is compiled, and nothing else."""
    if program := shutil.which("jq"):
        options = [word for word in words if word.startswith("-")]
        [text, *_] = [word for word in words if not word.startswith("-")]
        subprocess.run([program, *options, text, os.devnull], check=True, capture_output=True)


CHECKS: dict[str, Callable[[Words], None]] = {
    "connorg": command,
    "curl": curl,
    "jq": jq,
    "make": make,
    "python": python,
    "uvx": uvx,
}

EVERY = list(blocks())
COMMANDS = [block for block in EVERY if block[1] in SHELL]


def test_a_command_is_taken_by_what_it_calls(
    recorders: Recorders, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in each(COMMANDS):
        with block as (_, language, text):
            check(typed(text) if language == "console" else text, recorders, monkeypatch)


def test_every_block_has_a_language_that_is_known() -> None:
    unknown = [place_of(block) for block in EVERY if block[1] not in SHELL | DATA]
    assert not unknown, "commands are `sh`, what is shown is `text`"


def test_what_is_said_of_a_tool_or_an_address_is_said_of_one_that_stands_there() -> None:
    text = " ".join(block for _, _, block in COMMANDS)
    assert all(re.search(rf"\b{tool} ", text) for tool in (*CHECKS, *NOT_RUN))
    assert all(place.partition(" ")[2] in text for place in NOT_OURS)


def test_json_is_json() -> None:
    for block in EVERY:
        if block[1] == "json":
            json.loads(block[2].replace("{…}", "{}"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("make brew", "No rule to make target 'brew'"),
        ('make run ARGS="--graph sunny"', "SystemExit"),
        ('make run ARGS="--setting CONNORG_NO_SUCH=1"', "CONNORG_NO_SUCH"),
        (".venv/bin/python -m infra.nonesuch", "no module infra.nonesuch"),
        ("python -m infra.doctor --adress https://contoso.example", "SystemExit"),
        ("python -m infra.grant --principal-id 7", "SystemExit"),
        ("connorg retry --cause TenantFull", "No such option: --cause"),
        ("connorg undo", "No such command 'undo'"),
        ('curl -s "$APP/onboarding"', "no route GET onboarding"),
        ('curl -s -X PUT "$APP/onboardings/$ID"', "no route PUT onboardings/"),
        ("curl -s \"$APP/connected-organizations\" -d '{'", "JSONDecodeError"),
        ('curl --silent "$APP/health"', "SystemExit"),
        ("jq '.[' partners.json", "returned non-zero exit status 3"),
        ("brew install connorg", "brew: command not found"),
        ("echo $NO_SUCH", "NO_SUCH: unbound variable"),
        ("echo 'never closed", "unexpected EOF"),
    ],
)
def test_a_wrong_command_is_refused(
    wrong: str, told: str, recorders: Recorders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((Exception, SystemExit)) as raised:
        check(wrong, recorders, monkeypatch)
    assert told in f"{raised.type.__name__}: {raised.value}"
