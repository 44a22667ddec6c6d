"""The console's page and files, as they are answered and as they are."""

import gzip
import re
from html.parser import HTMLParser

import azure.functions as func
import pytest

from connorg.settings import settings
from infra.console.vendor import FILES, NODE_MODULES, VENDOR, served
from tests.unit.functions.registered import HTTP_FUNCTIONS

CONSOLE = VENDOR.parent
MODULES = sorted(CONSOLE.glob("*.js"))
LARGEST = 120_000  # bytes of all files together, compressed


async def answered(
    name: str | None = None, path: str = "", etag: str | None = None
) -> func.HttpResponse:
    headers = {} if etag is None else {"if-none-match": etag}
    address = f"http://127.0.0.1:7071/api/console{path}"
    route = {} if name is None else {"file": name}
    request = func.HttpRequest("GET", address, headers=headers, route_params=route, body=b"")
    function = HTTP_FUNCTIONS["ShowConsole" if name is None else "ShowConsoleFile"]
    answer = await function.call(request)
    assert isinstance(answer, func.HttpResponse)
    return answer


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def addresses(self) -> list[str]:
        found = [attributes.get("src") or attributes.get("href") for _, attributes in self.tags]
        return [address for address in found if address]


async def page() -> Page:
    return Page((await answered()).get_body().decode())


@pytest.mark.parametrize("name", [None, "app.js", "preact.js", "console.css"])
async def test_nothing_runs_but_the_console_s_own_scripts_and_nobody_frames_it(
    name: str | None,
) -> None:
    headers = (await answered(name)).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "connect", "img")} == {"'self'"}
    assert "unsafe" not in str(policy)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_has_no_script_or_style_of_its_own() -> None:
    for tag, attributes in (await page()).tags:
        assert tag not in {"style", "base", "iframe", "form"}
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


async def test_all_that_the_page_and_its_modules_ask_for_is_there() -> None:
    asked = set()
    for address in (await page()).addresses:
        assert re.fullmatch(r"console/[\w-]+\.\w+", address), "no other host, and no other folder"
        asked.add(address.removeprefix("console/"))
    for module in (*MODULES, *VENDOR.glob("*.js")):
        for found in re.findall(r'\bfrom ?"([^"]+)"', module.read_text()):
            assert found.startswith("./"), f"{module.name} imports {found}"
            asked.add(found.removeprefix("./"))
    assert {"app.js", "preact.js", "hooks.js", "htm.js"} <= asked
    for name in asked:
        assert (await answered(name)).status_code == 200, name


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.js", "text/javascript"),
        ("htm.js", "text/javascript"),
        ("console.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
        ("LICENSE-preact.txt", "text/plain"),
        ("LICENSE-htm.txt", "text/plain"),
    ],
)
async def test_a_file_has_its_type(name: str, media_type: str) -> None:
    answer = await answered(name)
    assert (answer.status_code, answer.mimetype) == (200, media_type)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../console.css", "vendor", "vendor/htm.js", "index.html", "none.js"),
        *("..%2fapp.js", "app.js\0", "app.js/", "APP.js ", "/etc/passwd", "app.py", "a" * 300),
    ],
)
async def test_nothing_else_is_a_file(name: str) -> None:
    answer = await answered(name)
    assert answer.status_code == 404
    assert answer.headers["x-ms-error-code"] == "FileNotFound"


@pytest.mark.parametrize("name", [None, "app.js"])
async def test_what_a_browser_has_is_not_sent_again(name: str | None) -> None:
    first = await answered(name)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (etag, f"W/{etag}", f'"other", {etag}'):
        again = await answered(name, etag=known)
        assert (again.status_code, again.get_body()) == (304, b"")
        assert again.headers["ETag"] == etag
    assert (await answered(name, etag='"other"')).status_code == 200


async def test_with_a_slash_at_its_end_the_address_leads_to_the_page() -> None:
    answer = await answered(path="/")
    assert (answer.status_code, answer.headers["Location"]) == (308, "../console")


@pytest.mark.parametrize(
    ("entra", "app_service", "way"),
    [
        ("false", "false", "key"),
        ("false", "true", "key"),
        ("true", "true", "app-service"),
        ("true", "false", "token"),
    ],
)
async def test_the_page_knows_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, entra: str, app_service: str, way: str
) -> None:
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", entra)
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", app_service)
    settings.cache_clear()
    tag, attributes = (await page()).tags[0]
    settings.cache_clear()
    assert (tag, attributes["data-sign-in"]) == ("html", way)


async def test_the_page_knows_where_tickets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    link = 'https://tickets.example/x?a="><script>&number={reference}'
    monkeypatch.setenv("CONNORG_TICKET_LINK", link)
    settings.cache_clear()
    found = await page()
    settings.cache_clear()
    assert found.tags[0][1]["data-ticket-link"] == link
    assert [tag for tag, attributes in found.tags if tag == "script"] == ["script"]


def test_the_libraries_are_those_that_npm_locked() -> None:
    for name, source in FILES.items():
        assert (VENDOR / name).read_text() == served(NODE_MODULES / source), "run `make setup`"
    assert {file.name for file in VENDOR.iterdir()} == {*FILES}


def test_it_is_small() -> None:
    files = [file for file in CONSOLE.rglob("*") if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= LARGEST


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_text_becomes_markup_or_code(module: object) -> None:
    text = CONSOLE.joinpath(getattr(module, "name", "")).read_text()
    ways = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|srcdoc"
    assert not re.search(ways, text)
    assert not re.search(r"https?://", text), "it speaks to the app alone"


TEMPLATE_TEXT = re.compile(r">([^<>${}`]*[A-Za-z]{2,}[^<>${}`]*)<")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_texts_are_in_one_file(module: object) -> None:
    """What is between tags, and what is read aloud, comes from texts.js."""
    source = CONSOLE.joinpath(getattr(module, "name", "")).read_text()
    literal = re.findall(r'\b(?:title|aria-label|placeholder|alt)="([^"$]*[A-Za-z][^"]*)"', source)
    between = [text.strip() for text in TEMPLATE_TEXT.findall(source)]
    assert [*literal, *(text for text in between if "=>" not in text)] == []
