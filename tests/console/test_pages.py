"""Every page: what axe finds, on a narrow screen, in light and dark."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from infra.console.vendor import NODE_MODULES
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.console import scenes
from tests.console.browser import NARROW, WIDE, opened
from tests.console.conftest import sign_in
from tests.end_to_end.client import Connorg, Partner

AXE = NODE_MODULES / "axe-core/axe.min.js"
RUN = """async () => (await axe.run()).violations.map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`)"""


@pytest.fixture(scope="module")
async def places(shown: Connorg) -> dict[str, tuple[str, str]]:
    """Return where each page is, and what is seen there once all of it is."""
    await scenes.remember(shown, 40)
    done = await scenes.ended(shown, Partner().body())
    refused = Partner()
    failed = await scenes.refused(shown, refused)
    [waiting] = await scenes.wait(shown, 1)
    await scenes.reopen(shown)
    rows = f"Name,Domain\nOne,{Partner().domain}\nOne,{refused.domain}".encode()
    csv = {"content-type": "text/csv"}
    batch = (await shown.call("POST", "batches", content=rows, headers=csv)).json()
    return {
        "overview": ("", "Failures by cause"),
        "list": ("#/onboardings?code=RefusedByGraph", "RefusedByGraph"),
        "failed": (f"#/onboardings/{failed}", "Why it failed"),
        "waiting": (f"#/onboardings/{waiting}", "History"),
        "done": (f"#/onboardings/{done['id']}", "Open the organization"),
        "partners": ("#/partners", "Download as CSV"),
        "report": ("#/partners?view=without-sponsors", "Download as CSV"),
        "partner": (f"#/partners/{done['result']['id']}", "Show its onboardings"),
        "connect": ("#/connect", "What would happen"),
        "file": ("#/connect?way=file", "Drop a file here"),
        "batch": (f"#/batches/{batch['id']}", "rows are done"),
        "nowhere": ("#/nowhere", "There is no such page."),
    }


PAGES = (
    *("overview", "list", "failed", "waiting", "done", "partners", "report", "partner"),
    *("connect", "file", "batch", "nowhere"),
)


async def violations(page: Page) -> Any:
    await page.evaluate(AXE.read_text())
    return await page.evaluate(RUN)


async def overflow(page: Page) -> Any:
    """Return by how many pixels the page is wider than the screen."""
    root = "document.documentElement"
    return await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        pytest.param("light", WIDE, id="light, wide"),
        pytest.param("dark", NARROW, id="dark, narrow", marks=pytest.mark.slow),
    ],
)
async def test_no_page_keeps_anybody_out(
    browser: Browser,
    connorg: Connorg,
    places: dict[str, tuple[str, str]],
    scheme: Any,
    size: tuple[int, int],
) -> None:
    """By axe-core: names, roles, contrast, order of headings. No page scrolls sideways."""
    found = {}
    async with opened(browser, size, color_scheme=scheme, reduced_motion="reduce") as page:
        await page.goto(connorg.stack.console)
        await expect(page.get_by_label("Function key")).to_be_visible()
        found["sign in"] = await violations(page)
        await sign_in(page, connorg, key=DEFAULT_MASTER_KEY)
        for name in PAGES:
            place, seen = places[name]
            await page.goto(f"{page.url.partition('#')[0]}{place}")
            await expect(page.get_by_text(seen).first).to_be_visible()
            found[name] = await violations(page)
            assert await overflow(page) <= 0, f"{name} is wider than the screen"
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.slow
@pytest.mark.parametrize("question", ["Edit", "Delete"])
async def test_no_question_keeps_anybody_out(
    browser: Browser, connorg: Connorg, places: dict[str, tuple[str, str]], question: str
) -> None:
    async with opened(browser) as page:
        await sign_in(page, connorg, places["partner"][0], DEFAULT_MASTER_KEY)
        await page.get_by_role("button", name=question).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name=question)).to_be_focused()
