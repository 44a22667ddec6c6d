"""What tests of every kind share: storage and the whole stack, once per run and only if needed.

And how a run is divided: which tests it takes, and which of them run in one worker.
"""

import gc
import os
from collections.abc import Collection, Generator, Iterator

import pytest

from tests import receivers, senders
from tests.commit import commit_number, quarter
from tests.console.installed import LEFT_OUT, find_browser
from tests.infra import app_settings
from tests.metrics import Metrics
from tests.stack import Stack

# With DEPLOYED_SETTINGS=1 every stack begins with the app settings that the Bicep sets.
DEPLOYED = app_settings.on_this_machine("least") if os.environ.get("DEPLOYED_SETTINGS") else {}
# What several files share and takes seconds to start. Those that take longest begin first.
SHARED = ("frail_stack", "stack", "shown", "observed", "guarded_stack", "package", "storage")
collect_ignore_glob = [] if find_browser() else ["console/test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore_glob:
        terminalreporter.write_line(LEFT_OUT)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all` takes back a `--quarter` that stands before it, as in `make test-slow ARGS=--all`."""
    for name, divides, told in (
        ("--quarter", True, "of the slow tests take a quarter, which the commit's hash picks"),
        ("--all", False, "of the slow tests take all"),
    ):
        action = "store_true" if divides else "store_false"
        parser.addoption(name, action=action, dest="quarter", default=False, help=told)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among modules and tests, which all stay: it takes as long again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m` and pytest-xdist look at the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The tests of `stack` wait most of the time: two workers each have one. The first third of the
    # files waits as long as the others.
    files = sorted({_file_of(item) for item in items if _shared_by(item) == "stack"})
    second = set(files[len(files) // 3 :])
    for item in items:
        shared = _shared_by(item)
        if shared:
            item.add_marker("stack")
        if not item.get_closest_marker("xdist_group"):
            is_second = shared == "stack" and _file_of(item) in second
            group = "stack, the second" if is_second else shared or _file_of(item)
            item.add_marker(pytest.mark.xdist_group(group))
    if config.getoption("quarter"):
        left_out = _not_in_the_quarter(items)
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=_turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End what a group shares with its last test: a stack that nobody needs still polls."""
    yield
    shared = _shared_by(item)
    if shared and (nextitem is None or _group_of(nextitem) != _group_of(item)):
        for fixture in item.session._fixturemanager.getfixturedefs(shared, item) or ():  # noqa: SLF001
            fixture.finish(item._request)  # type: ignore[attr-defined]  # noqa: SLF001


def _not_in_the_quarter(items: list[pytest.Item]) -> set[pytest.Item]:
    slow = [item for item in items if item.get_closest_marker("slow")]
    taken = quarter(map(_group_of, slow), commit_number())
    return {item for item in slow if _group_of(item) not in taken}


def _turn(item: pytest.Item) -> tuple[int, str, bool]:
    """Return when its group begins: stacks, then groups with a name, then files in their order.

    Of a group, those that need a stack with nothing to do come first: they would have to wait for
    what others leave to be retried.
    """
    shared = _shared_by(item)
    if not shared:
        is_file = _group_of(item) == _file_of(item)
        return len(SHARED) + is_file, "", False
    return SHARED.index(shared), _group_of(item), "untouched" not in _fixtures_of(item)


def _group_of(item: pytest.Item) -> str:
    """Return what names the tests that run in one worker, one after the other."""
    marker = item.get_closest_marker("xdist_group")
    assert marker
    return str(marker.args[0])


def _shared_by(item: pytest.Item) -> str | None:
    """Return the shared fixture that it uses, or asks for while it runs, as its group says."""
    marker = item.get_closest_marker("xdist_group")
    used = (*_fixtures_of(item), *(marker.args if marker else ()))
    return next((name for name in SHARED if name in used), None)


def _fixtures_of(item: pytest.Item) -> Collection[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else ()


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """The connection string of an Azurite that keeps its data in memory. Names must be unique."""
    with Stack(only=["storage"]) as stack:
        yield stack.storage


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack(settings={**DEPLOYED, **senders.SETTINGS, **receivers.SETTINGS}) as stack:
        yield stack


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()
