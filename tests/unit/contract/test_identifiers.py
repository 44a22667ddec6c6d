"""Ids that must not be guessed: what they are made of."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from random import Random, SystemRandom

import pytest

from connorg import wiring
from connorg.contract.identifiers import (
    countdown,
    is_batch_id,
    is_onboarding_id,
    new_batch_id,
    new_onboarding_id,
    new_replay,
    row_onboarding_id,
)
from connorg.contract.messages import CallbackMessage
from infra.local.azurite import connection_string
from infra.local.child import ROOT
from tests.unit.once_per_process import made_anew

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
KEY = "domain:contoso.com"
RANDOMNESS = {"random", "secrets", "uuid"}
MAKERS = {
    ("connorg/contract/identifiers.py", "token_urlsafe"),  # keys of result addresses
    ("connorg/wiring.py", "SystemRandom"),  # what all others are given
    ("connorg/command/files.py", "uuid4"),  # Idempotency-Keys
    ("connorg/storage/transactions.py", "uuid4"),  # boundaries of multipart bodies
    ("connorg/telemetry/export/exporters.py", "uuid4"),  # processes
}


class Counted(SystemRandom):
    """Counts the bits that are drawn."""

    bits = 0

    def getrandbits(self, k: int, /) -> int:
        self.bits += k
        return super().getrandbits(k)


def ids(make: Callable[[Random], str], random: Random) -> Iterator[str]:
    while True:
        yield make(random)


def bits_that_vary(made: list[str]) -> int:
    numbers = [int(one.rpartition("-")[2], 16) for one in made]
    varied = 0
    for number in numbers:
        varied |= number ^ numbers[0]
    return varied.bit_count()


@pytest.mark.parametrize(
    ("make", "bits"),
    [
        (lambda random: new_onboarding_id(KEY, NOW, random), 80),
        (lambda random: new_batch_id(NOW, random), 80),
        (lambda random: row_onboarding_id(new_batch_id(NOW, random), 7, KEY), 80),
        (lambda random: new_replay(NOW, random), 32),  # no secret: it tells replays apart
    ],
    ids=["onboarding", "batch", "onboarding of a row", "replay"],
)
def test_an_id_holds_as_much_chance_as_is_promised(
    make: Callable[[Random], str], bits: int
) -> None:
    """Made in one moment of one partner: nothing else in it can vary."""
    random = Counted()
    made = [*islice(ids(make, random), 200)]
    assert bits_that_vary(made) == bits
    assert random.bits == bits * len(made), "not the same few bits, spread"
    assert len(set(made)) == len(made)


def test_the_onboardings_of_a_batch_are_as_many_as_its_rows() -> None:
    batch = new_batch_id(NOW, SystemRandom())
    made = [row_onboarding_id(batch, row, KEY) for row in range(2_500)]
    assert len(set(made)) == len(made)
    assert bits_that_vary(made) == 80
    assert made[7] == row_onboarding_id(batch, 7, KEY), "however often it is sent"
    assert countdown(NOW) in made[0]


def test_ids_are_known_by_their_form() -> None:
    random = SystemRandom()
    onboarding, batch = new_onboarding_id(KEY, NOW, random), new_batch_id(NOW, random)
    assert is_onboarding_id(onboarding)
    assert is_batch_id(batch)
    for known, one in ((is_onboarding_id, onboarding), (is_batch_id, batch)):
        assert not any(map(known, (one[:-1], f"{one}0", f"{one}\n", one.upper(), f" {one}", "")))


def test_a_callback_is_named_by_a_hash_that_no_other_has() -> None:
    names = [
        CallbackMessage(
            onboarding_id=new_onboarding_id(KEY, NOW, SystemRandom()),
            callback_url=f"https://contoso.com/{number}",
            asked_date_time=NOW,
        ).name
        for number in range(200)
    ]
    assert len(set(names)) == len(names)
    assert bits_that_vary(names) == 160


def makers(path: str, source: str) -> Iterator[tuple[str, str]]:
    """Find whatever randomness a module makes. A type that is only named makes none."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = {name.asname or name.name for name in names if name.name in RANDOMNESS}
                for call in calls:
                    if isinstance(call, ast.Attribute) and ast.unparse(call.value) in modules:
                        yield path, call.attr
            case ast.ImportFrom(module=module, names=names) if module in RANDOMNESS | {"os"}:
                called = {ast.unparse(call) for call in calls}
                for one in names:
                    if (one.asname or one.name) in called:
                        yield path, one.name
            case ast.Attribute(attr="urandom"):
                yield path, "urandom"


def test_all_chance_comes_from_the_operating_system() -> None:
    """No generator that a seed decides, and no UUID of a clock."""
    found = set()
    for module in (*(ROOT / "connorg").rglob("*.py"), ROOT / "function_app.py"):
        source = module.read_text()
        if re.search("random|secrets|uuid", source):
            found |= {*makers(module.relative_to(ROOT).as_posix(), source)}
    assert found == MAKERS


@pytest.mark.parametrize(
    "source",
    [
        "from random import Random\nr = Random(7)",
        "from random import Random as R\nr = R()",
        "import random\nr = random.Random()",
        "import random as r\nr.getrandbits(16)",
        "import uuid\nuuid.uuid1()",
        "from os import urandom\nurandom(2)",
        "import os\nos.urandom(2)",
    ],
)
def test_a_maker_is_found(source: str) -> None:
    assert list(makers("x.py", source))


def test_the_app_is_wired_with_the_operating_systems_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", connection_string(1))
    with made_anew():
        assert type(wiring.services().random) is SystemRandom
