"""`python -m connorg.bulk`: the options and exit codes of before, and the new name is said."""

import json
from pathlib import Path

import pytest

from connorg.bulk import commands
from tests.command import run
from tests.unit.command.recorded import Answer, Recorded, StandIn


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FILE", "submit FILE"),
        ("FILE --check", "check FILE"),
        ("FILE --check --all", "check FILE --all"),
        ("FILE --on-invalid skip", "submit FILE --on-invalid skip"),
        ("FILE --reference REQ1", "submit FILE --reference REQ1"),
        ("FILE --results R --overwrite", "submit FILE --output R --overwrite"),
        ("--watch B --results R", "watch B --output R"),
        ("--retry B", "retry B"),
        ("--retry B --results R", "retry B; results B --output R"),
        ("--cancel B --patience 5", "cancel B --patience 5"),
        ("FILE --scope api://x/.default", "submit FILE --scope api://x/.default"),
        ("FILE --key K --url U", "submit FILE --url U --key K"),
    ],
)
def test_each_option_of_before_has_its_command(old: str, new: str) -> None:
    assert [" ".join(words) for words in commands(old.split())] == new.split("; ")


@pytest.mark.parametrize("words", ["", "FILE --watch B", "--watch B --retry B", "FILE --nonsense"])
def test_what_was_wrong_is_wrong(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        list(commands(words.split()))
    assert ended.value.code == 2


async def test_it_says_the_new_name_and_ends_with_the_codes_of_before(tmp_path: Path) -> None:
    batch = "batch-0"
    failed = {
        "id": batch,
        "status": "Failed",
        "rows": 1,
        "counts": {"Failed": 1},
        "conclusions": {},
    }
    with StandIn(Recorded([])) as stand_in:
        stand_in.always = Answer("", 200, {}, json.dumps(failed))
        env = {"CONNORG_URL": stand_in.url, "CONNORG_KEY": "k"}
        told = await run("--watch", batch, env=env, module="connorg.bulk")
        assert told.code == 1, "some rows failed"
        assert told.err.startswith("python -m connorg.bulk is now: connorg watch batch-0\n")
        assert told.out == f"Batch {batch}: 1 failed.\n"
        results = tmp_path / "results.csv"
        words = ("--retry", batch, "--results", results)
        assert (await run(*words, env=env, module="connorg.bulk")).code == 1
        assert results.exists(), "also where rows failed"
        stand_in.always = Answer("", 401, {}, "")
        told = await run("--watch", batch, "--key", "shown nowhere", env=env, module="connorg.bulk")
        assert told.code == 2
        assert "shown nowhere" not in told.out + told.err
