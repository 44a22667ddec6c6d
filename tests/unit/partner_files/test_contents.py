"""What a file is, decided by its content; and what stands above and around its rows."""

import base64
import gzip
import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.contract.domains import domain_of
from connorg.contract.requests import OnboardingRequest
from connorg.partner_files.reader import FileUnreadableError, PartnerRow
from tests.cases import each
from tests.unit.partner_files.files import bodies, only_row, read, rows, unreadable
from tests.unit.partners import CONTOSO_TENANT, body, domain_source, request, tenant_source

CONTENT_TYPES = [
    None,
    "text/csv",
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
]
TABLE = "Domain,Organization name,Description\ncontoso.com,Contoso,A partner\n"
LINES = f"{json.dumps(body())}\n{json.dumps(body(tenant_source()))}\n"
# As Graph answers, with what nobody may send.
GRAPH: dict[str, Any] = {
    "id": "2b1e1d7c-6c5e-4a0b-8f3e-0a1b2c3d4e5f",
    **body(displayName="Contoso"),
    "createdDateTime": "2026-01-01T00:00:00Z",
    "modifiedDateTime": "2026-01-02T00:00:00Z",
    "createdBy": "ada@our-company.com",
    "modifiedBy": None,
    "internalSponsors@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
    "internalSponsors": [
        {"@odata.type": "#microsoft.graph.user", "id": CONTOSO_TENANT, "displayName": "Ada"}
    ],
    "externalSponsors": [],
}
ANSWER = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "value": [GRAPH]}
# Get-MgEntitlementManagementConnectedOrganization | ConvertTo-Json -Depth 10
POWERSHELL: dict[str, Any] = {
    "CreatedDateTime": "2026-01-01T00:00:00Z",
    "Description": "A partner",
    "DisplayName": "Contoso",
    "ExternalSponsors": None,
    "Id": "2b1e1d7c-6c5e-4a0b-8f3e-0a1b2c3d4e5f",
    "IdentitySources": [{"AdditionalProperties": domain_source() | {"displayName": "Contoso"}}],
    "InternalSponsors": None,
    "ModifiedDateTime": None,
    "State": "configured",
    "AdditionalProperties": {},
}
RESULT = {"row": 2, "name": "contoso.com", "status": "Failed", "attempts": 1}
ONBOARDING = {"id": "x", "status": "Failed", "request": body(), "attempts": 1}
UNNAMED = request(displayName="contoso.com", description="contoso.com", ifExists="return")
NAMED_SOURCE = request(domain_source() | {"displayName": "Contoso"})


async def one(content: str | bytes, content_type: str | None = None) -> OnboardingRequest:
    row = await only_row(content, content_type)
    assert row.request is not None, row.faults
    return row.request


FILES = (
    (TABLE, request()),
    (json.dumps([body()]), request()),
    (json.dumps([body()], indent=2), request()),
    (json.dumps(body()), request()),
    (json.dumps(body(), indent=4), request()),
    (json.dumps({"value": [body()]}), request()),
    (json.dumps(ANSWER), request(internalSponsors=[CONTOSO_TENANT])),
    (json.dumps(GRAPH, indent=2), request(internalSponsors=[CONTOSO_TENANT])),
    (json.dumps([POWERSHELL], indent=4), NAMED_SOURCE),
    (json.dumps(POWERSHELL), NAMED_SOURCE),
    (json.dumps({"value": [RESULT]}), UNNAMED),
    (json.dumps({"value": [ONBOARDING]}), request()),
    (json.dumps([{"Domain": "contoso.com", "Company": "Contoso", "Nr": 5}]),
     request(description="Contoso")),
    (json.dumps([{"name": "Contoso", "domain": "contoso.com"}]),
     request(description="Contoso")),
    (json.dumps([body({"domainName": "contoso.com"})]), request()),
    (json.dumps([body() | {"identitySources": domain_source()}]), request()),
)  # fmt: skip


async def test_a_file_is_read_by_what_it_is_whatever_it_is_declared() -> None:
    for case in each(product(CONTENT_TYPES, FILES)):
        with case as (content_type, (content, expected)):
            assert await one(content, content_type) == expected
            assert await one(content.encode("utf-16"), content_type) == expected


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
async def test_lines_are_lines_in_every_name(content_type: str | None) -> None:
    assert [row.number for row in await rows(LINES, content_type)] == [1, 2]


async def test_what_powershell_cut_off_is_told_with_the_remedy() -> None:
    for cut in ("Microsoft.Graph.PowerShell.Models.MicrosoftGraphIdentitySource", "@{Id=}"):
        row = await only_row(json.dumps([POWERSHELL | {"IdentitySources": [cut]}]))
        [fault] = row.faults
        assert (fault.pointer, "-Depth 10" in fault.detail) == ("/identitySources", True)


async def test_a_field_that_nobody_knows_is_still_refused_by_name() -> None:
    row = await only_row(json.dumps([body(colour="blue") | {"Colour2": None}]))
    assert [fault.pointer for fault in row.faults] == ["/colour"]


async def test_what_a_table_of_objects_holds_besides_is_told() -> None:
    file = await read(
        json.dumps([{"Domain": "a.example", "Nr": 1}, {"Domain": "b.example", "X": 1}])
    )
    assert file.ignored_columns == ("Nr", "X")


# One sentence, with the place


BROKEN = (
    (json.dumps([body()] * 5, indent=2)[:-1] + ",]", "line 57, column 2: trailing comma"),
    ('{"a": 1},\n{"b": 2},\n', "line 1, column 9: a comma between objects"),
    (json.dumps(body(), indent=2)[:-1], "line 11, column 0: EOF while parsing an object"),
    (json.dumps(body(), indent=2).replace('"state":', '"state"'), "line 10, column 11: expected"),
    (
        f"{json.dumps(body(), indent=2)}\n" * 2,
        "several JSON documents: another one begins in line 12",
    ),
)


async def test_a_document_over_many_lines_is_one_sentence() -> None:
    for case in each(product(CONTENT_TYPES, BROKEN)):
        with case as (content_type, (content, told)):
            assert told in await unreadable(content, content_type)


async def test_a_line_is_told_by_its_own_number_and_column() -> None:
    file = (
        f"{LINES}\n" + '{"displayName": "x" "y"}\n' + LINES.splitlines()[0].replace("contoso", "b")
    )
    told = await rows(file)
    assert [row.number for row in told if row.faults] == [4]
    [fault] = told[2].faults
    assert fault.detail.startswith("Line 4 is not JSON that can be read: column 21: ")


@given(st.text(st.sampled_from('{}[]":, \n\ta1\\\x1a'), max_size=60))
async def test_no_fault_has_an_empty_place(text: str) -> None:
    try:
        told = [fault.detail for row in await rows(text) for fault in row.faults]
    except Exception as error:  # noqa: BLE001  what else it may raise, another property says
        told = [str(error)]
    assert not [detail for detail in told if detail.startswith(":") or " : " in detail]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04xl", "an Excel workbook, or another zip file"),
        (gzip.compress(TABLE.encode(), mtime=0), "packed by gzip"),
        (b"%PDF-1.7", "a PDF"),
        (b'--abc\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n'
         + TABLE.encode(), "wrapped in a form"),
        (b"<!DOCTYPE html><html></html>", "HTML or XML"),
        (base64.b64encode(TABLE.encode()), "no column Domain or Tenant ID"),
    ],
)  # fmt: skip
async def test_what_is_no_table_keeps_its_sentence(content: bytes, told: str) -> None:
    assert told in await unreadable(content, "multipart/form-data; boundary=abc")


@pytest.mark.parametrize("content", ["x\n", "[]", '{"value": []}', '{"a": }', "Domain\n"])
async def test_what_to_do_is_about_what_is_wrong(content: str) -> None:
    with pytest.raises(FileUnreadableError) as raised:
        await read(content)
    assert "data-binary" not in raised.value.action
    assert "Column(" not in raised.value.action


@pytest.mark.parametrize("content", [TABLE.replace("\n", ""), LINES.replace("\n", "")])
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
async def test_a_file_that_lost_its_line_ends_is_told_how_to_keep_them(
    content: str, content_type: str | None
) -> None:
    with pytest.raises(Exception, match=r"\.$") as raised:
        await read(content, content_type)
    assert "--data-binary @FILE" in str(getattr(raised.value, "action", ""))


# What stands above the header, and at the end


ABOVE = (
    ("#TYPE System.Management.Automation.PSCustomObject\n", 3),
    ("#TYPE System.Collections.Generic.List`1[[System.Object, mscorlib]]\n", 3),
    ("# our partners\n# as of today; ask Ada\n", 4),
    ("Partners\n", 3),
    ("Partner list 2026,,\nConfidential,,\n,,\n", 5),
    ('"Partners of ""Fabrikam"", Inc."\n\n', 4),
    ("Report,Partners,2026\nOwner,Ada,\n", 4),
    ("sep=,\n# comment\n", 3),
    ("\n\n", 4),
    ("Domain list\n", 3),
)


async def test_the_header_is_found_below_what_stands_above_it() -> None:
    for case in each(product(",;\t|", ABOVE)):
        with case as (delimiter, (text, first)):
            above = text.replace("sep=,", f"sep={delimiter}").replace(",,", delimiter * 2)
            table = TABLE.replace(",", delimiter) + f"b.example{delimiter}B{delimiter}\n"
            file = await read(above + table)
            assert [(row.number, row.name) for row in file.rows] == [
                (first, "contoso.com"),
                (first + 1, "b.example"),
            ]
            assert file.rows[0].request == request()


async def test_a_remark_below_is_no_row_and_a_name_that_begins_so_is_one() -> None:
    told = await rows("Name,Domain\n#hash GmbH,a.example\n# the end\n")
    assert [(row.number, row.name) for row in told] == [(2, "a.example")]


@pytest.mark.parametrize("end", ["\x1a", "\x1a\r\n", "\r\n\x1a\x1a"])
@pytest.mark.parametrize("content", [TABLE, json.dumps([body()]), json.dumps(body())])
async def test_a_trailing_ctrl_z_is_no_row(content: str, end: str) -> None:
    assert await bodies(content + end) == await bodies(content)


# One column for a domain or a tenant id; the name


@pytest.mark.parametrize(
    "header", ["Domain or tenant ID", "DomainOrTenantId", "Tenant or domain", "tenantIdOrDomain"]
)
async def test_one_column_may_hold_either(header: str) -> None:
    first, second = await rows(f"{header}\nContoso.com\n{CONTOSO_TENANT.upper()}\n")
    assert first.request == UNNAMED
    assert second.request is not None
    assert second.request.natural_key == f"tenant:{CONTOSO_TENANT}"
    assert second.request.display_name == CONTOSO_TENANT


@pytest.mark.parametrize("value", [CONTOSO_TENANT, f"{{{CONTOSO_TENANT.upper()}}}", "a.b.example"])
@pytest.mark.parametrize("header", ["Domain", "Tenant ID", "Domain or tenant ID"])
async def test_a_cell_is_what_it_says_whatever_its_header(header: str, value: str) -> None:
    expected = f"tenant:{CONTOSO_TENANT}" if "-" in value else "domain:a.b.example"
    assert (await one(f"{header},Name\n{value},A\n")).natural_key == expected


@pytest.mark.parametrize(
    "cell", ["a.example; b.example", '"a.example, b.example"', "a.example b.de"]
)
async def test_several_domains_in_a_cell_are_one_fault(cell: str) -> None:
    [fault] = (await only_row(f"Domain,Name\n{cell},A\n")).faults
    assert fault.detail.startswith("One domain per row: this cell has 2")


@pytest.mark.parametrize("name", ["", "n/a", "null", "-"])
async def test_a_row_without_a_name_is_called_by_its_domain(name: str) -> None:
    assert await one(f"Domain,Name\nContoso.com,{name}\n") == UNNAMED


def test_the_name_of_the_tenant_is_taken_where_a_row_gives_none() -> None:
    named = UNNAMED.named_by_tenant("Contoso Ltd")
    assert (named.display_name, named.description) == ("Contoso Ltd", "Contoso Ltd")
    for same in (request(), request(ifExists="return"), UNNAMED.named_by_tenant(None)):
        assert same.named_by_tenant("Contoso Ltd" if same.display_name == "Contoso" else "") == same


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (("Company", "Vendor", "Account Name", "Firma", "Unternehmen", "Société", "Raison sociale",
          "Entreprise", "Empresa", "Razón social", "Nom de l'entreprise", "Partner name"), "name"),
        (("Primary domain", "E-Mail-Domain", "Domäne", "Domaine", "Nom de domaine", "Dominio"),
         "domain"),
        (("AAD Tenant ID", "Directory (tenant) ID", "Mandanten-ID", "ID du locataire",
          "ID de inquilino"), "tenant"),
        (("Website", "URL", "Webseite", "Site web", "Página web", "Company website"), "website"),
        (("Beschreibung", "Descripción"), "description"),
        (("Ticket number", "Referenz", "Referencia"), "reference"),
    ],
)  # fmt: skip
async def test_headers_of_partners_lists_are_known(names: tuple[str, ...], field: str) -> None:
    for header in names:
        source = {
            "tenant": CONTOSO_TENANT,
            "website": "https://www.contoso.com/en/about?x=1",
        }.get(field, "contoso.com")
        is_source = field in {"domain", "tenant", "website"}
        cells = source if is_source else f"{source},Words"
        asked = await one(f"{header if is_source else f'Domain,{header}'}\n{cells}\n")
        told = {
            "name": asked.display_name,
            "description": asked.description,
            "reference": asked.reference,
            "tenant": asked.identity_source.partner_name,
        }
        expected = {"tenant": CONTOSO_TENANT}.get(field, "Words")
        assert told.get(field, expected) == expected, header
        assert is_source or asked.natural_key == "domain:contoso.com"
        assert field != "website" or asked.natural_key == "domain:contoso.com", header


async def test_a_header_that_is_known_well_outweighs_one_that_may_mean_the_same() -> None:
    file = await read("Domain,Name,Company,Account name\na.example,A,B,C\n")
    assert file.ignored_columns == ("Company", "Account name")
    assert "'Company' and 'Vendor'" in await unreadable("Domain,Company,Vendor\na.example,A,B\n")


# A domain and a tenant id: one rule, and it says which was used


async def test_a_tenant_id_outweighs_a_domain_and_the_row_says_so() -> None:
    row = await only_row(f"Domain,Tenant ID,Name\ncontoso.com,{CONTOSO_TENANT},Contoso\n")
    assert row.request == request(tenant_source(), description="Contoso")
    assert (row.name, row.note) == (CONTOSO_TENANT, "Tenant ID is used, not Domain (contoso.com).")
    in_json = body({"tenantId": CONTOSO_TENANT, "domainName": "contoso.com"})
    [row] = await rows(json.dumps([in_json]))
    assert row.request == request(tenant_source())
    assert row.note == "tenantId is used, not domainName (contoso.com)."


@pytest.mark.parametrize("blank", ["", "n/a", "undefined", "NULL", "-"])
async def test_a_word_for_nothing_beside_a_name_is_no_second_one(blank: str) -> None:
    row = await only_row(f"Domain,Tenant ID,Name\ncontoso.com,{blank},Contoso\n")
    assert (row.request, row.note) == (request(description="Contoso"), None)


async def test_a_website_beside_its_domain_says_nothing_new() -> None:
    row = await only_row("Domain,Website,Name\ncontoso.com,https://contoso.com/,Contoso\n")
    assert row.note is None
    row = await only_row("Domain,Website,Name\ncontoso.com,https://contoso.de/,Contoso\n")
    assert row.note == "Domain is used, not Website (contoso.de)."


# The results of a batch


RESULTS_HEADER = (
    "row,name,status,conclusion,onboardingId,organizationId,tenantId,attempts,duplicateOf,"
    "errorCode,error,action"
)


async def test_the_results_of_a_batch_ask_for_the_same_partners() -> None:
    told = await rows(
        f"{RESULTS_HEADER}\n2,contoso.com,Succeeded,created,i,o,{CONTOSO_TENANT},1,,,,\n"
        f"3,{CONTOSO_TENANT},Failed,,i,,,1,,RefusedByGraph,No,Do\n"
    )
    assert [key(row) for row in told] == ["domain:contoso.com", f"tenant:{CONTOSO_TENANT}"]
    assert [row.note for row in told] == [None, None]


def key(row: PartnerRow) -> str:
    assert row.request is not None, row.faults
    return row.request.natural_key


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.Contoso.com/en?x=1", "contoso.com"),
        ("http://ada:pw@contoso.com:8080/", "contoso.com"),
        ("www.contoso.co.uk", "contoso.co.uk"),
        ("contoso.com/partners", "contoso.com"),
        ("ada@Contoso.com", "contoso.com"),
        ("Ada Lovelace <ada@contoso.com>", "contoso.com"),
        ("mailto:ada@contoso.com", "contoso.com"),
        ("contoso.com.", "contoso.com"),
        ("www.com", "www.com"),
        ("contoso", "contoso"),
        ("", ""),
        ("@", "@"),
    ],
)
def test_a_domain_is_cut_out_of_an_address(text: str, domain: str) -> None:
    assert domain_of(text) == domain
    assert domain_of(domain_of(text)) == domain


@given(st.text(max_size=300))
def test_any_text_can_be_cut(text: str) -> None:
    assert isinstance(domain_of(text), str)
