"""python -m tests.console.screenshots: write the pictures of README and docs/console.md anew.

Times and ids are those of the moment.
"""

import asyncio
import base64
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page

from infra.local.child import ROOT
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.console import outputs, scenes
from tests.console.browser import NARROW, browsing, opened
from tests.console.conftest import SETTINGS, sign_in
from tests.console.installed import LEFT_OUT, find_browser
from tests.end_to_end.client import Connorg
from tests.stack import Stack

PICTURES = ROOT / "docs/images"
WIDE = (1200, 760)
QUALITY = 0.8
# Chromium writes WebP, a fifth of the PNG; a page of its own does it.
TO_WEBP = """async ([png, quality]) => {
    const image = new Image();
    image.src = "data:image/png;base64," + png;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""
PARTNERS = """Company;Domain;Sponsor
Adventure Works;adventure-works.example;ada@home.example
Best For You Organics;bestforyou.example;
Bellows College;bellows college;
Fincher Architects;fincher.example;
Liberty's Delightful Sinful Bakery;liberty.example;
"""

type Scheme = Literal["light", "dark"]
type Act = Callable[[Page, Connorg], Awaitable[None]]


async def overview(page: Page, _: Connorg) -> None:
    await page.get_by_text("Retry these 20").wait_for()


async def onboardings(page: Page, _: Connorg) -> None:
    await go(page, "onboardings?status=Failed")
    for number in range(1, 4):
        await page.get_by_role("checkbox").nth(number).check()


async def onboarding(page: Page, connorg: Connorg) -> None:
    [waiting, *_] = await connorg.listed(status="Waiting")
    await go(page, f"onboardings/{waiting['id']}")
    await page.get_by_text("Why it waits").wait_for()


async def partners(page: Page, _: Connorg) -> None:
    await go(page, "partners")
    await page.get_by_role("table").wait_for()


async def partner(page: Page, _: Connorg) -> None:
    await partners(page, _)
    await page.get_by_role("rowheader").get_by_role("link").first.click()
    await page.get_by_text("Internal sponsors").wait_for()


async def connect(page: Page, _: Connorg) -> None:
    await go(page, "connect")
    await page.get_by_label("Name", exact=True).fill("Consolidated Messenger")
    await page.get_by_label("Domain", exact=True).fill("consolidated-messenger.example")
    await page.get_by_text("would be created").wait_for()


async def file(page: Page, _: Connorg) -> None:
    await go(page, "connect?way=file")
    content = {"name": "partners.csv", "mimeType": "text/csv", "buffer": PARTNERS.encode()}
    await page.get_by_label("Drop a file here").set_input_files(content)  # type: ignore[arg-type]
    await page.get_by_text("Start 4 rows").wait_for()


async def batch(page: Page, _: Connorg) -> None:
    await file(page, _)
    await page.get_by_label("Leave 1 faulty row out").check()
    await page.get_by_text("Start 4 rows").click()
    await page.get_by_text("rows are done").first.wait_for()


type Shot = tuple[str, Act, tuple[int, int], Scheme]
WITH_GRAPH: tuple[Shot, ...] = (
    ("partners", partners, WIDE, "light"),
    ("partner-dark", partner, WIDE, "dark"),
    ("connect", connect, WIDE, "light"),
    ("file-dark", file, WIDE, "dark"),
    ("batch-narrow", batch, NARROW, "light"),
)
WITHOUT_PERMISSION: tuple[Shot, ...] = (
    ("overview", overview, WIDE, "light"),
    ("overview-dark-narrow", overview, NARROW, "dark"),
    ("onboardings", onboardings, WIDE, "light"),
    ("onboardings-narrow", onboardings, NARROW, "light"),
    ("onboarding-dark", onboarding, WIDE, "dark"),
)


async def go(page: Page, place: str) -> None:
    await page.goto(f"{page.url.partition('#')[0]}#/{place}")


async def fill(connorg: Connorg) -> None:
    await scenes.remember(connorg, 160)
    await scenes.succeed(connorg, 6)
    await scenes.succeed(connorg, 5, first=120, state="proposed")
    await scenes.fail(connorg)


async def take(
    browser: Browser, connorg: Connorg, shots: Iterable[Shot], folder: Path, *, as_png: bool
) -> None:
    for name, act, size, scheme in shots:
        async with opened(browser, size, color_scheme=scheme) as page:
            await sign_in(page, connorg, key=DEFAULT_MASTER_KEY)
            await act(page, connorg)
            png = await page.screenshot()
        if as_png:
            (folder / f"{name}.png").write_bytes(png)
            continue
        async with opened(browser) as page:
            argument = [base64.b64encode(png).decode(), QUALITY]
            webp = base64.b64decode(await page.evaluate(TO_WEBP, argument))
        (folder / f"{name}.webp").write_bytes(webp)


async def main(folder: Path, *, as_png: bool) -> int:
    path = find_browser()
    if path is None:
        print(LEFT_OUT, file=sys.stderr)  # noqa: T201
        return 1
    with Stack(settings=SETTINGS) as stack:
        async with Connorg(stack) as connorg, browsing(path) as browser:
            await fill(connorg)
            await take(browser, connorg, WITH_GRAPH, folder, as_png=as_png)
            await scenes.wait(connorg, 3)
            await take(browser, connorg, WITHOUT_PERMISSION, folder, as_png=as_png)
            (folder / "status.svg").write_text(await outputs.status(connorg), encoding="utf-8")
    (folder / "demo.svg").write_text(await outputs.demo(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    # A folder of your own gets PNG, to look at.
    is_own = bool(sys.argv[1:])
    chosen = Path(sys.argv[1]) if is_own else PICTURES
    chosen.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main(chosen, as_png=is_own)))
