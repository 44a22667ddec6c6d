"""What is listed as CSV reads back, as a file, as it is; and no cell of it is a formula."""

import csv
import io
import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.contract.blanks import is_blank
from connorg.contract.identity_sources import natural_key_of
from connorg.contract.organization import ConnectedOrganization, differences
from connorg.functions.endpoints.organizations import COLUMNS, csv_row
from connorg.functions.http.csv_answers import csv_answer
from connorg.partner_files.cells import plain
from tests.cases import each
from tests.unit.partner_files.files import rows
from tests.unit.partners import CONTOSO_TENANT

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001
SOURCES: tuple[dict[str, Any], ...] = (
    {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": "a.example"},
    {"@odata.type": "#microsoft.graph.externalDomainFederation", "domainName": "a.example"},
    {"@odata.type": "#microsoft.graph.azureActiveDirectoryTenant", "tenantId": CONTOSO_TENANT},
    {
        "@odata.type": "#microsoft.graph.crossCloudAzureActiveDirectoryTenant",
        "tenantId": CONTOSO_TENANT,
        "cloudInstance": "microsoftonline.us",
    },
)
NAMES = (
    *(
        "@home Ltd",
        "=Equal Inc",
        "-Minus AG",
        "+Plus SA",
        "'=quoted",
        "''-twice",
        "'s-Hertogenbosch",
    ),
    *("#1 Partner", '"A" & B', "a,b;c|d", "=1+1|cmd", "'", "' =x", "undefined", "n/a", "Null"),
    *("a;=1", "a;'=1", "a;''=1", ';"=1', "a|@b", "＝1", "a;＋1", "'＠x"),  # noqa: RUF001
)
names = st.text(
    st.sampled_from("=+-@'\"#,;|\\ aé0&\uff1d\uff20"), min_size=1, max_size=12
) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp", "Cf"]),
    min_size=1,
    max_size=20,
)


def organization(name: str | None, source: dict[str, Any]) -> ConnectedOrganization:
    return ConnectedOrganization.model_validate(
        {
            "id": "an-id",
            "displayName": name,
            "description": name,
            "state": "proposed",
            "identitySources": [source],
        }
    )


def listed(organization: ConnectedOrganization) -> bytes:
    return bytes(csv_answer(COLUMNS, [csv_row(organization)], {}).get_body())


async def is_unchanged(held: ConnectedOrganization) -> None:
    [row] = await rows(listed(held), "text/csv")
    assert row.request is not None, row.faults
    assert row.request.natural_key == natural_key_of(held.identity_sources[0])
    if is_blank(held.display_name):
        assert row.request.if_exists == "return"
    else:
        assert differences(row.request.attributes, held.attributes) == ()


@pytest.mark.parametrize("source", SOURCES)
async def test_every_kind_of_organization_reads_back(source: dict[str, Any]) -> None:
    for name in (*NAMES, None, ""):
        await is_unchanged(organization(name, source))


@given(names.map(str.strip).filter(bool))
async def test_every_name_reads_back(name: str) -> None:
    await is_unchanged(organization(name, SOURCES[0]))


@given(names)
def test_no_cell_is_a_formula(name: str) -> None:
    text = listed(organization(name, SOURCES[0])).decode()
    for delimiter in ",;|\t":  # as spreadsheets of other languages read it
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.startswith(FORMULAS)]


def test_nothing_that_a_spreadsheet_may_take_for_a_cell_is_a_formula() -> None:
    before_it = ("", "a;", "a\t", "a\n", "a\r\n", "a|", 'a;"', "a;'", "\t;")
    for case in each(product(before_it, FORMULAS)):
        with case as (before, sign):
            cell = f"{before}{sign}cmd|' /C calc'!A0"
            answer = csv_answer(["first", "name"], [{"first": "x", "name": cell}], {})
            text = answer.get_body().decode()
            [_, [_, held]] = csv.reader(io.StringIO(text, newline=""))
            assert plain(held) == cell
            for part in re.split(r"[;|\t\r\n]", held):
                assert not part.strip('"').startswith(FORMULAS)
