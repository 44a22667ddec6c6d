"""Each named break is applied to a copy of the checkout, and its test must fail there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.child import ROOT
from tests.cases import each
from tests.mutations import MUTATIONS
from tests.mutations.mutation import Mutation

_PATIENCE = 600  # seconds; most take five
_TESTS_FAILED = 1  # as pytest ends; 2 and more: it could not run them
_NOT_COPIED = shutil.ignore_patterns(".?*", "__pycache__", "node_modules")
_NODE_MODULES = "infra/local/azurite/node_modules"


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout. There is no git in it, so that samples are always the same."""
    copy = tmp_path_factory.mktemp("mutations") / "checkout"
    shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
    (copy / _NODE_MODULES).symlink_to(ROOT / _NODE_MODULES)
    return copy


def run_tests(checkout: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names],
        cwd=checkout,
        # Bytecode of a module is found by its time of change, in seconds: a break may come sooner.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


def test_what_a_mutation_replaces_stands_there_once() -> None:
    for case in each(MUTATIONS):
        with case as mutation:
            assert (ROOT / mutation.path).read_text().count(mutation.old) == 1


def test_each_mutation_has_a_name_of_its_own() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.slow
def test_the_tests_that_kill_pass_where_nothing_is_broken(checkout: Path) -> None:
    tests = run_tests(checkout, *sorted({mutation.killed_by for mutation in MUTATIONS}))
    assert tests.returncode == 0, tests.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(mutation, id=mutation.name, marks=pytest.mark.xdist_group(mutation.name))
        for mutation in MUTATIONS
    ],
)
def test_a_mutation_is_killed(mutation: Mutation, checkout: Path) -> None:
    module = checkout / mutation.path
    whole = module.read_text()
    module.write_text(whole.replace(mutation.old, mutation.new))
    try:
        tests = run_tests(checkout, "-x", mutation.killed_by)
    finally:
        module.write_text(whole)
    assert tests.returncode == _TESTS_FAILED, tests.stdout + tests.stderr
