"""The local Functions host answers as the real one was recorded to (tests/recorded/host/http)."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from infra.local.child import ROOT
from tests.contract.functions_host_replay import RECORDED

FILES = sorted(file.name for file in RECORDED.glob("*.json") if "queue.json" not in file.name)


@dataclass(frozen=True)
class Row:
    """What differs on purpose: in this file, each case whose "start | name" has the pattern."""

    file: str
    pattern: str
    reason: str

    def holds(self, file: str, case: str) -> bool:
        return bool(re.search(self.file, file) and re.search(self.pattern, case))


PARSER = "aiohttp reads the request, not Kestrel: it has a sentence or a status of its own"
PAGE = "the start page is Microsoft's: here it is a line"
STATUS = "the status page names no version, uptime and machine of a host that it is not"
NOT_EMULATED = "501 NotEmulated: a page of the host that nothing here asks for"
PYTHON = "Python's worker fails such a return value, or azure-functions cannot make it"
CONTENT_TYPE = "azure-functions adds a Content-Type to what has none"

DIFFERS = [
    Row("a-routing", r"HEAD on an any", "the recordings' handler added a header of its own"),
    Row("a-routing", r"lower-case method on the wire|unknown method FOO", PARSER),
    Row("b-keys|e-pages", r"(?i)/admin/host/status/?(:.*master key|, key)", STATUS),
    Row("b-keys", r"/admin/(functions|host/(system)?keys).*: master key", NOT_EMULATED),
    Row(
        "c-requests", r"Host (missing|twice)|Content-Length (twice|not a n)|bad header name", PARSER
    ),
    Row("c-requests", r"chunked and Content-Length|Expect: (some|100.*unknown)", PARSER),
    Row("c-requests", r"too long for the body", "no least rate of data: here the request hangs"),
    Row("e-pages", r"^(pages|prefix(?!Slashes)\w+) \| (root.*|/)$", PAGE),
    Row("f-throttle", r"3: /$", PAGE),
    Row("f-host-json-rest", r"GET /$", PAGE),
    Row("e-pages", r"/admin/(host/(config|processes|keys|ext)|instance|vfs).*, key", NOT_EMULATED),
    Row("e-pages", r"/admin/functions(/[aA]ny|/Any/status|/Fn/keys.*)?, key", NOT_EMULATED),
    Row("e-pages", r"admin list|add a function key|remove it: DELETE", NOT_EMULATED),
    Row(
        "e-pages",
        r"run by admin: POST /admin/functions/(Any|Q), key(, input absent)?$",
        NOT_EMULATED,
    ),
    Row(
        "f-functions", r"unknown (trigger|binding) type", "refused: an extension may know the type"
    ),
    Row("h-grpc", r"no return_value|return_value (json|int|bytes)|named res: none", PYTHON),
    Row("h-grpc", r"answer: (no body|no status_code|status_code|X-A: 1|json body)", PYTHON),
    Row("h-grpc", r"Set-Cookie header", "azure-functions takes a Set-Cookie header for cookies"),
    Row("h-grpc", r"bytes body, no headers|X-Empty", CONTENT_TYPE),
    Row(
        "h-grpc", r"Content-Length 9 of 5|Transfer-Encoding, Conn", "501: an answer cut on the wire"
    ),
]


def replayed(*arguments: str) -> dict[str, dict[str, str]]:
    """In a process of its own, as the worker library can be used once in a process."""
    command = [sys.executable, "-m", "tests.contract.functions_host_replay", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def faults(file: str, found: Iterable[tuple[str, str]]) -> list[str]:
    """Cases that began to differ, and rows of the table that no longer hold."""
    wrong = []
    for case, difference in found:
        on_purpose = any(row.holds(file, case) for row in DIFFERS)
        if on_purpose != bool(difference):
            wrong.append(f"{file}: {case}: {difference or 'differs no longer'}")
    return wrong


@pytest.fixture(scope="module")
def quick() -> dict[str, dict[str, str]]:
    return replayed(*FILES)


@pytest.mark.parametrize("file", FILES)
def test_the_host_answers_as_recorded_but_for_what_differs_on_purpose(
    quick: dict[str, dict[str, str]], file: str
) -> None:
    assert faults(file, quick[file].items()) == []


def test_each_row_of_what_differs_is_about_some_case(quick: dict[str, dict[str, str]]) -> None:
    cases = [(file, case) for file, several in quick.items() for case in several]
    idle = [row for row in DIFFERS if not any(row.holds(*case) for case in cases)]
    assert idle == []


@pytest.mark.slow
def test_large_bodies_are_taken_and_refused_as_recorded() -> None:
    for file, found in replayed("--large", "c-requests.json", "h-grpc.json").items():
        assert faults(file, found.items()) == []
