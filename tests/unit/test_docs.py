"""The documentation: its links lead somewhere, its index is complete, its paragraphs are short."""

import re
from pathlib import Path

from infra.local.child import ROOT
from tests.cases import each

DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))],
    key=str,
)
_MOST_LINES_OF_README = 110
_MOST_BYTES_OF_PICTURES = 400 * 1024
_SVG_NAMESPACE = "http://www.w3.org/2000/svg"
_MOST_WORDS = 80
_CODE = re.compile(r"^( *)```.*?^\1```$|^    [^\n]*$", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r" *(?:[-*]|\d+\.) ")


def anchors(page: Path) -> set[str]:
    """Return what GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    for case in each(
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text())
    ):
        with case as (page, target):
            name, _, anchor = target.partition("#")
            linked = (page.parent / name) if name else page
            assert linked.exists()
            assert not anchor or anchor in anchors(linked)


def test_the_index_links_every_page() -> None:
    index = DOCS / "README.md"
    linked = {
        (DOCS / target.partition("#")[0]).resolve()
        for target in re.findall(r"\]\(([^)]+)\)", index.read_text())
    }
    missing = {page for page in DOCS.glob("*.md") if page != index} - linked
    assert not missing


def paragraphs(text: str) -> list[str]:
    """Return lines of prose that follow one another; an item of a list is a paragraph."""
    found = [""]
    for line in _CODE.sub("", text).splitlines():
        ends = not line.strip() or line.lstrip().startswith(("#", "|"))
        if ends or _ITEM.match(line):
            found.append("")
        if not ends:
            found[-1] += f"{line} "
    return found


def test_no_paragraph_is_long() -> None:
    for case in each((page, text) for page in PAGES for text in paragraphs(page.read_text())):
        with case as (_, text):
            assert len(text.split()) <= _MOST_WORDS, "make it a list or a table"


def test_every_page_is_two_clicks_from_the_index() -> None:
    reached = {DOCS / "README.md"}
    for _ in range(2):
        reached |= {
            (page.parent / target).resolve()
            for page in reached
            for target in re.findall(r"\]\((?!https?:)([^)#]+\.md)", page.read_text())
        }
    assert not set(PAGES) - {ROOT / "README.md"} - reached


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= _MOST_LINES_OF_README


def test_the_pictures_are_small_and_each_is_on_a_page() -> None:
    """`make screenshots` writes them."""
    pictures = set((DOCS / "images").iterdir())
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text())
    }
    assert shown == pictures
    assert sum(picture.stat().st_size for picture in pictures) <= _MOST_BYTES_OF_PICTURES


def test_a_picture_fetches_nothing() -> None:
    for picture in (DOCS / "images").glob("*.svg"):
        text = picture.read_text().replace(_SVG_NAMESPACE, "")
        assert not re.findall(r"url\([\"']?(?!#)|href|@import", text)
