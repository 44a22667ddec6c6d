"""One partner by the form and many by a file, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.client import Connorg, Partner


async def test_the_form_tells_what_would_happen_while_it_is_filled_in(
    page: Page, connorg: Connorg
) -> None:
    partner = Partner()
    await page.get_by_role("link", name="Connect", exact=True).click()
    forecast = page.get_by_role("region", name="What would happen")
    await expect(page.get_by_role("button", name="Connect")).to_be_disabled()
    await page.get_by_label("Name", exact=True).fill("A new partner")
    domain = page.get_by_label("Domain", exact=True)
    await domain.fill("https://contoso.com/")
    await expect(forecast).to_contain_text("It can't be connected as it is")
    await expect(domain).to_have_attribute("aria-invalid", "true")
    await domain.fill("gmail.com")
    await expect(forecast).to_contain_text("It would be refused.")
    await domain.fill(partner.domain)
    await expect(forecast).to_contain_text("would be created")
    await expect(domain).not_to_have_attribute("aria-invalid", "true")
    assert not await connorg.listed(text=partner.domain), "a dry run keeps nothing"
    await page.get_by_label("Reference").fill("REQ0042")
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_text("The partner is connected.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("A new partner")
    onboarding = await connorg.only_one_listed(text=partner.domain)
    assert (onboarding["status"], onboarding["reference"]) == ("Succeeded", "REQ0042")
    assert len(await connorg.graph.organizations(partner)) == 1


@pytest.mark.slow
async def test_a_request_that_graph_refuses_leads_to_its_onboarding(
    page: Page, connorg: Connorg
) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400)
    await page.get_by_role("link", name="Connect", exact=True).click()
    await page.get_by_label("Name", exact=True).fill("Refused")
    await page.get_by_label("Domain", exact=True).fill(partner.domain)
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()


async def test_a_file_is_checked_started_watched_and_its_results_saved(
    page: Page, connorg: Connorg, tmp_path: Path
) -> None:
    good = [Partner() for _ in range(5)]
    file = tmp_path / "partners.csv"
    rows = [f"<i>Partner</i> {number},{each.domain}" for number, each in enumerate(good)]
    file.write_text("\n".join(["Name,Domain,Colour", *rows, "Wrong,not a domain,"]))
    await connorg.graph.fail_creates(good[0], "status", status=400)
    await page.get_by_role("link", name="Connect", exact=True).click()
    await page.get_by_role("link", name="A file of partners").click()
    await page.get_by_label("Drop a file here").set_input_files(file)
    await expect(page.get_by_role("heading", name="6 rows")).to_be_visible()
    faults = page.get_by_role("region", name=re.compile("^1 fault"))
    await expect(faults.get_by_role("row").last).to_contain_text("Row 7")
    await expect(faults.get_by_role("cell").first).to_have_text("Domain")
    await expect(page.get_by_text("Columns that are not used: Colour")).to_be_visible()
    start = page.get_by_role("button", name="Start 5 rows")
    await expect(start).to_be_disabled()
    await page.get_by_label("Leave 1 faulty row out").check()
    await start.click()
    await expect(page.get_by_text("6 of 6 rows are done")).to_be_visible()
    errors = page.get_by_role("region", name="First errors")
    await expect(errors).to_contain_text("RefusedByGraph")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download the results").click()
    results = tmp_path / "results.csv"
    await (await download.value).save_as(results)
    saved = results.read_text()
    assert saved.count("Succeeded") == 4
    assert len(saved.splitlines()) == 7
    await connorg.graph.heal()
    await page.get_by_role("button", name="Retry what failed").click()
    await expect(page.get_by_role("region", name="Batch")).to_contain_text("5 ✓ Succeeded")
    batch = page.url
    await page.get_by_role("link", name="Show its onboardings").click()
    await expect(page.get_by_text("5 onboardings")).to_be_visible()
    await page.goto(f"{page.url.partition('#')[0]}#/connect?way=file")
    await page.get_by_role("region", name="Batches of this tab").get_by_role("link").click()
    await expect(page).to_have_url(batch)


@pytest.mark.slow
async def test_a_file_is_dropped_and_what_is_none_is_told(page: Page, connorg: Connorg) -> None:
    assert await connorg.is_healthy()
    await page.goto(f"{page.url.partition('#')[0]}#/connect?way=file")
    drop = """([text, name]) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name));
        const zone = document.querySelector(".drop");
        zone.dispatchEvent(new DragEvent("drop", {dataTransfer: data, cancelable: true}));
    }"""
    await page.locator(".drop").wait_for()
    await page.evaluate(drop, ["PK\u0003\u0004 a workbook", "partners.xlsx"])
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.evaluate(drop, [f"Name,Domain\nNew,{Partner().domain}", "partners.csv"])
    await expect(page.get_by_role("button", name="Start 1 row")).to_be_enabled()
    await expect(page.get_by_role("alert")).to_have_count(0)
