"""Clients that are generated from the document call the app: each does what it is there for.

A create that Graph refuses is a problem with its type, by which it is retried; another is created;
both are listed.
"""

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.tools import (
    DOCUMENT,
    HERE,
    MADE,
    PYTHON,
    get_node_tools,
    get_python_tools,
    need_java,
    run,
)
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]


@pytest.fixture(scope="module")
def target() -> Iterator[Stack]:
    with Stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def made() -> Path:
    """Return an empty folder for what is generated."""
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir()
    return MADE


def outcome(target: Stack, command: list[str], **environment: str) -> None:
    """Let a client make its calls, and hold what it says of them."""
    reference = f"client-{uuid.uuid4().hex}"
    created, refused = (f"{name}-{uuid.uuid4().hex[:12]}.com" for name in ("created", "refused"))
    once = {"method": "POST", "path": "connectedOrganizations", "fault": "status", "status": 400}
    faults = f"{target.graph}/_emulator/faults"
    # Not the retry of the client before, which may be under way.
    rule = {**once, "code": "Refused", "body": re.escape(refused), "times": 1}
    httpx.put(faults, json=[rule]).raise_for_status()
    arguments = [f"{target.functions}/api", target.key, reference, created, refused]
    told = json.loads(run([*command, *arguments], **environment).splitlines()[-1])
    assert told == {
        "refused": [422, "RefusedByGraph"],
        "retried": True,
        "created": ["Succeeded", "created"],
        "listed": [created, refused],
    }


def generate(generator: str, folder: Path, properties: str) -> None:
    command = [str(PYTHON.parent / "openapi-generator-cli"), "generate", "-g", generator]
    told = run(
        [*command, "-i", str(DOCUMENT), "-o", str(folder), f"--additional-properties={properties}"]
    )
    assert "ERROR" not in told


def test_a_client_of_openapi_generator_for_python_works(target: Stack, made: Path) -> None:
    need_java()
    get_python_tools()
    generate("python", made / "python", "packageName=connorg_client")
    call = [str(PYTHON), "calls/by_openapi_generator.py"]
    outcome(target, call, PYTHONPATH=str(made / "python"))


def test_a_client_of_openapi_python_client_works(target: Stack, made: Path) -> None:
    get_python_tools()
    maker = [str(PYTHON.parent / "openapi-python-client"), "generate", "--path", str(DOCUMENT)]
    told = run(
        [*maker, "--output-path", str(made / "attrs"), "--config", "openapi-python-client.yaml"]
    )
    assert "WARNING" not in told
    call = [str(PYTHON), "calls/by_openapi_python_client.py"]
    outcome(target, call, PYTHONPATH=str(made / "attrs"))


def test_clients_for_typescript_compile_and_work(target: Stack, made: Path) -> None:
    """By openapi-typescript with openapi-fetch, and by openapi-generator."""
    need_java()
    get_python_tools()
    get_node_tools()
    run(["node_modules/.bin/openapi-typescript", str(DOCUMENT), "-o", str(made / "types.ts")])
    generate("typescript-fetch", made / "typescript-fetch", "importFileExtension=.js")
    run(["node_modules/.bin/tsc", "--project", str(HERE)])
    for client in ("by_openapi_typescript", "by_typescript_fetch"):
        outcome(target, ["node", f"made/js/calls/{client}.js"])
