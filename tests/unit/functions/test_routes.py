"""What belongs to a route: whatever is forgotten is named, with the file to open."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from pathlib import Path

import pytest

import function_app
from connorg.contract.effects import Role
from connorg.functions.endpoints.health import health
from connorg.functions.http.audited import EFFECTS
from connorg.functions.http.route import Route
from connorg.functions.openapi.document import document
from connorg.functions.openapi.operations import OPERATIONS
from connorg.functions.openapi.parts import PATH

ROOT = Path(__file__).parents[3]
OPERATIONS_FILE = "connorg/functions/openapi/operations.py"
PATH_FILE = "connorg/functions/openapi/parts.py"
EFFECTS_FILE = "connorg/functions/http/audited.py"
PAGE = "docs/http.md"
ROW = re.compile(r"^\| `([A-Z]+) ([^`?]+)` \| ([^|]*) \|", re.MULTILINE)


def undescribed(routes: Sequence[Route]) -> Iterator[str]:
    names = {route.name for route in routes}
    for name in sorted(names - OPERATIONS.keys()):
        yield f"{name} is a route: say in OPERATIONS, {OPERATIONS_FILE}, what it does"
    for name in sorted(OPERATIONS.keys() - names):
        yield f"{name} is no route: take it out of OPERATIONS, {OPERATIONS_FILE}"
    parameters = {name for route in routes for name in route.parameters}
    for name in sorted(parameters - PATH.keys()):
        yield f"{{{name}}} is in a path: say in PATH, {PATH_FILE}, what it is"
    for name in sorted(PATH.keys() - parameters):
        yield f"{{{name}}} is in no path: take it out of PATH, {PATH_FILE}"


def undocumented(routes: Iterable[Route], page: str) -> Iterator[str]:
    """Hold the table of routes and roles against the routes."""
    table = {(method, path): role for method, path, role in ROW.findall(page)}
    by_place = {(route.method, route.path): route for route in routes}
    for method, path in sorted(by_place.keys() - table.keys()):
        yield f"{method} {path} is missing in the table of {PAGE}"
    for method, path in sorted(table.keys() - by_place.keys()):
        yield f"{method} {path} is in the table of {PAGE}, and is no route of function_app.py"
    for place in sorted(table.keys() & by_place.keys()):
        role, told = by_place[place].role, re.findall(r"`(Onboarding\.\w+)`", table[place])
        if told != ([role.value] if role is not None else []):
            yield f"{' '.join(place)} asks for {role or 'no role'}; {PAGE} says {table[place]}"


def unaudited(routes: Iterable[Route]) -> Iterator[str]:
    names = {route.name for route in routes if route.method != "GET"}
    for name in sorted(names ^ EFFECTS.keys()):
        yield f"{name}: EFFECTS, {EFFECTS_FILE}, has each route that is not a GET, and no other"


def hidden(routes: Iterable[Route]) -> Iterator[str]:
    """Find those that no request gets to: the host tries them by name, whatever is a literal."""
    for first, second in permutations(routes, 2):
        if first.name.lower() < second.name.lower() and first.method == second.method:
            pattern = re.sub(r"\{\w+\}", "[^/]+", first.path)
            if re.fullmatch(pattern, second.path):
                yield (
                    f"{second.name} ({second.path}) is hidden by {first.name} ({first.path}): give"
                    " it a name in function_app.py that comes before"
                )


def test_all_that_routes_need_is_there() -> None:
    routes = function_app.routes
    page = (ROOT / PAGE).read_text()
    found = [*undescribed(routes), *undocumented(routes, page), *unaudited(routes), *hidden(routes)]
    assert not found, "\n".join(found)


def route(name: str, path: str, role: Role | None = Role.READ) -> Route:
    return Route(name, "GET", path, health, role)


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (
            route("CollectParts", "onboardings/parts"),
            [
                f"CollectParts is a route: say in OPERATIONS, {OPERATIONS_FILE}, what it does",
                f"GET onboardings/parts is missing in the table of {PAGE}",
            ],
        ),
        (
            route("ReadPart", "onboardings/{id}/{part}"),
            [
                f"ReadPart is a route: say in OPERATIONS, {OPERATIONS_FILE}, what it does",
                f"{{part}} is in a path: say in PATH, {PATH_FILE}, what it is",
                f"GET onboardings/{{id}}/{{part}} is missing in the table of {PAGE}",
                (
                    "ReadResult (onboardings/{id}/result) is hidden by ReadPart"
                    " (onboardings/{id}/{part}): give it a name in function_app.py that comes"
                    " before"
                ),
            ],
        ),
    ],
)
def test_what_is_forgotten_of_a_route_is_named(added: Route, told: list[str]) -> None:
    routes = [*function_app.routes, added]
    page = (ROOT / PAGE).read_text()
    assert [*undescribed(routes), *undocumented(routes, page), *hidden(routes)] == told


def test_what_is_left_of_a_route_that_is_gone_is_named() -> None:
    kept = [known for known in function_app.routes if known.name != "ReceiveWebhook"]
    page = (ROOT / PAGE).read_text()
    assert [*undescribed(kept), *undocumented(kept, page)] == [
        f"ReceiveWebhook is no route: take it out of OPERATIONS, {OPERATIONS_FILE}",
        f"{{source}} is in no path: take it out of PATH, {PATH_FILE}",
        f"POST webhooks/{{source}} is in the table of {PAGE}, and is no route of function_app.py",
    ]


def test_a_role_that_the_page_does_not_know_is_named() -> None:
    row = "| `GET health` | nobody needs a key | readiness |"
    [found] = undocumented([route("Health", "health", Role.MANAGE)], row)
    assert found == f"GET health asks for Onboarding.Manage; {PAGE} says nobody needs a key"


@pytest.mark.parametrize(
    ("added", "file"),
    [
        (route("Novelty", "novelty"), OPERATIONS_FILE),
        (Route("Health", "GET", "health/{part}", health, None), PATH_FILE),
    ],
)
def test_the_document_names_the_file_that_lacks_a_route(added: Route, file: str) -> None:
    assert (ROOT / file).exists()
    with pytest.raises(LookupError, match=file):
        document([added])
