"""Spreadsheets of partners: as people make them, and as they break them."""

import codecs
import csv
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.partner_files import cells as partner_cells
from connorg.partner_files.reader import PartnerRow
from tests.cases import each
from tests.unit.partner_files.files import bodies, only_row, read, rows, unreadable
from tests.unit.partners import CONTOSO_TENANT, body, domain_source, tenant_source

IN_MARKS = "put a cell that holds the delimiter in quotation marks."
OLD_ENCODING = "It was probably saved in an older encoding, such as Windows-1252."
HEADER = "Domain,Tenant ID,Organization name,State"


def faults(row: PartnerRow) -> list[tuple[str | None, str, str]]:
    assert row.request is None
    return [(fault.column, fault.pointer, fault.detail) for fault in row.faults]


PLAIN = (
    "Domain;Organization name;Description\r\n"
    "contoso.com;Contoso;A partner\r\n"
    'münchen.example;"Müller; Söhne";"Zwei\r\nZeilen"\r\n'
)
PARTNERS = [
    body(),
    body(
        domain_source("xn--mnchen-3ya.example"),
        displayName="Müller; Söhne",
        description="Zwei\r\nZeilen",
    ),
]


def plain(delimiter: str) -> str:
    """The same in a file with another delimiter."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(
        csv.reader(io.StringIO(PLAIN, newline=""), delimiter=";")
    )
    return text.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        plain(",").encode(),
        plain("\t").encode(),
        codecs.BOM_UTF16_LE + plain("\t").encode("utf-16-le"),  # Excel's "Unicode Text"
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        f"sep=;\r\n{PLAIN}".encode("utf-8-sig"),
        f"sep=|\r\n{plain('|')}".encode(),
        f"{PLAIN}\r\n".encode(),
        f"{PLAIN};;\r\n;;\r\n".encode(),
        PLAIN.removesuffix("\r\n").encode(),
        PLAIN.replace(";A partner", "; A partner ").encode(),
        PLAIN.replace(";A partner", ';"A partner";;;').encode(),
    ],
)
async def test_a_spreadsheet_is_read_however_it_was_saved(content: bytes) -> None:
    assert await bodies(content) == PARTNERS
    assert [row.number for row in await rows(content)] == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_every_line_end_ends_a_row(end: str) -> None:
    file = end.join(["Domain,Name", "a.example,A", "", "b.example,B", ""])
    assert [(row.number, row.name) for row in await rows(file)] == [
        (2, "a.example"),
        (4, "b.example"),
    ]


async def test_the_delimiter_is_what_makes_known_headers_not_what_is_most_frequent() -> None:
    file = "Domain;Name;Costs, taxes, fees, the rest\na.example;A;1\n"
    assert (await read(file)).ignored_columns == ("Costs, taxes, fees, the rest",)


async def test_rows_are_numbered_as_the_spreadsheet_shows_them() -> None:
    file = 'sep=,\n\nDomain,Name\n,\n"a.example","Two\nlines"\nb.example,\n'
    told = await rows(file.replace("b.example,", "b,"))
    assert [row.number for row in told] == [4, 5]
    assert told[1].faults[0].row == 5


CELLS: dict[str, tuple[str, str, Any]] = {
    "domain": ("Domain", "a.example", ("identitySources", [domain_source("a.example")])),
    "tenant": ("Tenant", CONTOSO_TENANT, ("identitySources", [tenant_source()])),
    "name": ("Name", "Contoso", ("displayName", "Contoso")),
    "description": ("", "Words", ("description", "Words")),
    "state": ("", " Proposed ", ("state", "proposed")),
    "internal": ("", "A@c.com; b@c.com", ("internalSponsors", ["a@c.com", "b@c.com"])),
    "external": ("", "a@c.com\nb@c.com,;", ("externalSponsors", ["a@c.com", "b@c.com"])),
    "reference": ("", "T-1", ("reference", "T-1")),
    "if_exists": ("", "Update", ("ifExists", "update")),
}
HEADERS = (
    *((h, "domain") for h in ("Domain", "domain name", "DOMAIN_NAME", "domainName", " domain ")),
    *((h, "tenant") for h in ("Tenant", "Tenant ID", "tenantId", "TENANT-ID", "tenant_id")),
    *((h, "name") for h in ("Organization", "Organisation name", "Name", "displayName")),
    *((h, "name") for h in ("Display name", "Partner", "Organization  Name*")),
    *((h, "description") for h in ("Description", "DESCRIPTION")),
    *((h, "state") for h in ("State", "state")),
    *((h, "internal") for h in ("Sponsors", "Internal sponsors", "internalSponsors")),
    *((h, "external") for h in ("External sponsors", "external_sponsors")),
    *((h, "reference") for h in ("Reference", "Ticket")),
    *((h, "if_exists") for h in ("If exists", "ifExists", "if-exists")),
)


async def test_headers_are_known_as_people_write_them() -> None:
    for case in each(HEADERS):
        with case as (header, field):
            _, value, (name, expected) = CELLS[field]
            source = [] if field in {"domain", "tenant"} else ["domain"]
            others = [CELLS[o][:2] for o in ([*source, "name"] if field != "name" else source)]
            file = io.StringIO(newline="")
            csv.writer(file).writerows(zip((header, value), *others, strict=True))
            [partner] = await bodies(file.getvalue())
            assert isinstance(partner, dict)
            assert partner[name] == expected


async def test_what_is_left_empty_has_a_usual_value() -> None:
    told = await bodies(f"{HEADER},Description,Sponsors,Ticket,If exists\ncontoso.com,,Contoso\n")
    assert told == [body(description="Contoso")]


async def test_a_tenant_is_asked_for_as_one() -> None:
    told = await bodies(f"{HEADER},Description\n,{CONTOSO_TENANT.upper()},Contoso,,A partner\n")
    assert told == [body(tenant_source())]


async def test_unknown_columns_are_ignored_and_told() -> None:
    file = await read(f"{HEADER},Cost  centre,,Owner,\ncontoso.com,,Contoso,,17,x,y\n")
    assert file.ignored_columns == ("Cost centre", "Owner")
    assert file.rows[0].request is not None


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (",,Contoso", ("Domain", "/identitySources", "Fill Domain or Tenant ID.")),
        (
            "a.example; b.example,,Contoso",
            (
                "Domain",
                "/identitySources/0/domainName",
                "One domain per row: this cell has 2; use a row for each.",
            ),
        ),
        (
            "contoso,,Contoso",
            (
                "Domain",
                "/identitySources/0/domainName",
                "Must be a full domain such as contoso.com, not a single label.",
            ),
        ),
        (
            ",5,Contoso",
            (
                "Tenant ID",
                "/identitySources/0/tenantId",
                f"Must be a tenant id, a GUID such as {CONTOSO_TENANT}.",
            ),
        ),
        (
            "contoso.com,,Contoso,active",
            ("State", "/state", "Must be 'configured' or 'proposed'."),
        ),
        (
            "contoso.com,,Contoso, Inc.,configured",
            (
                None,
                "",
                f"Has 5 cells, the header 4: {IN_MARKS}",
            ),
        ),
    ],
)
async def test_a_fault_names_its_column_and_its_place_in_the_request(
    cells: str, told: tuple[str | None, str, str]
) -> None:
    row = await only_row(f"{HEADER}\n{cells}\n")
    assert told in faults(row)
    assert (row.number, {fault.row for fault in row.faults}) == (2, {2})


async def test_a_faulty_sponsor_is_told_by_the_column_as_the_file_has_it() -> None:
    row = await only_row("DOMAIN,name,My Sponsors,sponsors\na.example,A,x,ada@a.example; x\n")
    [(column, pointer, _)] = faults(row)
    assert (column, pointer) == ("sponsors", "/internalSponsors/1")


async def test_all_faults_of_a_row_come_back_at_once() -> None:
    row = await only_row(f"{HEADER}\ncontoso,,,x,y\n")
    assert [column for column, _, _ in faults(row)] == [None, "Domain", "State"]


async def test_a_contradiction_in_the_file_is_told_by_its_column() -> None:
    told = await rows(f"{HEADER}\na.example,,A\nA.example,,A\na.example,,B,proposed\n")
    assert told[1].duplicate_of == 2
    assert [fault[0] for fault in faults(told[2])] == [
        "Organization name",  # once, though the description came from it too
        "State",
    ]


async def test_a_row_knows_the_columns_of_faults_that_are_found_later() -> None:
    row = await only_row(f"{HEADER}\na.example,,A\n")
    places = ("/identitySources/0", "/displayName", "/reference", "")
    assert [row.column_of(place) for place in places] == ["Domain", "Organization name", None, None]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{HEADER}\r\n", "The file contains no partners."),
        (f"sep=;\r\n{HEADER.replace(',', ';')}\r\n;;;\r\n", "The file contains no partners."),
        (",,,\n", "The file has no column Domain or Tenant ID. It has none."),
        ("contoso.com\n", "The file has no column Domain or Tenant ID. It has 'contoso.com'."),
        ("Name;Town\n", "The file has no column Domain or Tenant ID. It has 'Name', 'Town'."),
        ("Domain;Town\n", "The file contains no partners."),
        (
            "Domain,Name,Partner\n",
            "Two columns are taken for Organization name: 'Name' and 'Partner'.",
        ),
        (
            "x," * 1_000_000,
            "The header has 1000000 columns; at most 256 are read.",
        ),
        (
            'Domain,Name\na.example,A\nb.example,"B\nc.example,C\n',
            "Row 3 can't be read as CSV: a cell in quotation marks has no end.",
        ),
        (
            'Domain,Name\na.example,"The "best" one"\n',
            "Row 2 can't be read as CSV: text follows the quotation mark that closes a cell.",
        ),
        (
            f"Domain,Name\na.example,{'x' * 3_000_000}\n",
            "Row 2 can't be read as CSV: a cell has more than 131072 characters.",
        ),
        (
            'Domain,Name\na.example,"' + "b.example,B\n" * 100_000,
            "Row 2 can't be read as CSV: a cell has more than 131072 characters.",
        ),
        ("Domain,Name\na.example,A\0\n", "The file is not text: line 2 contains a NUL."),
        (
            "Domain,Name\r\na.example,A\r\nb.example,Müller\r\n".encode("cp1252"),
            f"The file is not UTF-8: byte 38, in line 3, is 0xFC. {OLD_ENCODING}",
        ),
        (codecs.BOM_UTF16_LE + b"a\0b", "The file is not whole UTF-16: byte 5, in line 1."),
        (bytes(range(256)) * 4, "The file is no text."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "The file is an Excel workbook of the old kind, not text.",
        ),
    ],
)
async def test_a_file_that_is_no_spreadsheet_gets_a_sentence(
    content: str | bytes, told: str
) -> None:
    assert await unreadable(content) == told


async def test_a_workbook_is_told_how_to_be_saved() -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    told = await unreadable(workbook.getvalue())
    assert told == "The file is an Excel workbook, or another zip file, not text."


async def test_a_million_cells_in_a_row_are_one_fault() -> None:
    row = await only_row(f"{HEADER}\na.example,,A,{'x,' * 1_000_000}\n")
    assert len(row.faults) == 2
    assert "Has 1000004 cells, the header 4" in row.faults[0].detail


async def test_a_file_as_json_in_name_only_is_read_as_what_it_is_or_told_so() -> None:
    assert "not JSON that can be read" in await unreadable("contoso.com\n", "application/json")
    assert await bodies(PLAIN, "application/json") == PARTNERS


cells = st.text(st.sampled_from("aé,;\t\"'=\r\n 0"), max_size=12)


@given(
    st.lists(st.tuples(st.integers(0, 99), cells, cells), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
async def test_what_a_spreadsheet_writes_is_read_again(
    partners: list[tuple[int, str, str]], delimiter: str, end: str, encoding: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["Domain", "Name", "Description"])
    writer.writerows((f"p{n}.example", f"N {n}", f"{a}x{b}") for n, a, b in partners)
    told = await rows(text.getvalue().encode(encoding))
    assert [row.number for row in told] == [*range(2, 2 + len(partners))]
    assert [row.name for row in told] == [f"p{n}.example" for n, _, _ in partners]
    for row, (_, before, after) in zip(told, partners, strict=True):
        if row.request is not None:
            cell = f"{before}x{after}".strip()
            assert row.request.description == partner_cells.plain(cell).strip()
        else:
            assert "asks for the same partner" in row.faults[0].detail
