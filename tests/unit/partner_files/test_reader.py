"""Files of partners, of every kind: rows, faults, doubles, limits, and that others are served."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connorg.contract.blanks import is_blank
from connorg.contract.faults import RowFault
from connorg.contract.requests import OnboardingRequest
from connorg.partner_files.reader import (
    LARGEST_FILE,
    MOST_ROWS,
    FileTooLargeError,
    FileUnreadableError,
    read_partners,
)
from tests.unit.partner_files.files import bodies, only_row, read, rows, unreadable
from tests.unit.partners import body, domain_source, request, tenant_source


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("[BODY]", "application/json; charset=utf-8"),
        ("[BODY]", None),
        (" \n[\nBODY\n]\n", "application/octet-stream"),
        ("BODY\n", "application/x-ndjson"),
        ("BODY", "Application/JSONL"),
        ("\r\nBODY\r\n\r\n", None),
        ("\ufeffBODY\n", None),
        ("Domain,Organization name,Description\ncontoso.com,Contoso,A partner\n", "text/csv"),
        ("Domain,Organization name,Description\ncontoso.com,Contoso,A partner\n", None),
        ("Domain,Organization name,Description\ncontoso.com,Contoso,A partner", "text/plain"),
    ],
)
async def test_each_kind_of_file_asks_for_the_same(content: str, content_type: str | None) -> None:
    text = content.replace("BODY", json.dumps(body()))
    assert await bodies(text, content_type) == [
        request().model_dump(mode="json", exclude_none=True)
    ]


async def test_elements_and_lines_are_counted_from_1_and_named_by_their_source() -> None:
    first, second = body(), body(tenant_source())
    array = await rows(json.dumps([first, second]))
    assert [(row.number, row.name) for row in array] == [
        (1, "contoso.com"),
        (2, "72f988bf-86f1-41af-91ab-2d7cd011db47"),
    ]
    lines = await rows(f"\n{json.dumps(first)}\n\n{json.dumps(second)}\n")
    assert [row.number for row in lines] == [2, 4]


async def test_every_fault_of_every_row_comes_back_the_good_rows_beside_them() -> None:
    file = [body(displayName="", state="x"), body(), 5, body(colour="blue")]
    told = await rows(json.dumps(file))
    assert [row.request is not None for row in told] == [False, True, False, False]
    assert [fault for row in told for fault in row.faults] == [
        RowFault(row=1, pointer="/displayName", detail="Must not be blank."),
        RowFault(row=1, pointer="/state", detail="Must be 'configured' or 'proposed'."),
        RowFault(row=3, pointer="", detail="The body must be one JSON object."),
        RowFault(row=4, pointer="/colour", detail="'colour' is not a known field; remove it."),
    ]


async def test_a_line_that_is_no_json_is_a_fault_of_its_row_alone() -> None:
    good, bad = await rows(f"{json.dumps(body())}\n" + '{"displayName": \n', "application/jsonl")
    assert good.request is not None
    assert [fault.row for fault in bad.faults] == [2]
    assert bad.faults[0].detail == (
        "Line 2 is not JSON that can be read: column 15: EOF while parsing a value."
    )


async def test_only_line_ends_end_a_line() -> None:
    line = json.dumps(body(description="A\u2028B\x85C"), ensure_ascii=False)
    assert len(await rows(line)) == 1


async def test_a_row_names_at_most_ten_of_its_faults() -> None:
    row = await only_row(json.dumps([body() | {f"x{i}": 1 for i in range(50)}]))
    assert len(row.faults) == 11
    assert row.faults[-1].detail == "There are more faults."


async def test_a_row_larger_than_a_body_is_refused_before_it_is_looked_at() -> None:
    row = await only_row(json.dumps([body() | {f"x{i}": 1 for i in range(10_000)}]))
    assert [fault.detail for fault in row.faults] == ["Has more than 16384 bytes; shorten it."]


@pytest.mark.parametrize(
    ("content", "content_type", "told"),
    [
        ("", None, "The file is empty."),
        ("\ufeff \r\n", None, "The file is empty."),
        ("", "application/json", "The file is empty."),
        ("[]", None, "The file contains no partners."),
        ("5", "application/json", "The file is JSON, but neither an array nor an object."),
        (
            "[\n{]",
            None,
            "The file is not JSON that can be read: line 2, column 2: key must be a string.",
        ),
        pytest.param(
            "[" * 1_000_000,
            None,
            "The file is not JSON that can be read: line 1, column 20",
            id="deep",
        ),
    ],
)
async def test_a_file_that_is_none_gets_a_sentence(
    content: str, content_type: str | None, told: str
) -> None:
    assert (await unreadable(content, content_type)).startswith(told)


async def test_a_file_has_a_largest_size() -> None:
    padded = json.dumps([body()]).encode().ljust(LARGEST_FILE)
    assert len((await read(padded)).rows) == 1
    with pytest.raises(FileTooLargeError, match="4000001 bytes; at most 4000000 are read"):
        await read(padded + b" ")


@pytest.mark.parametrize("kind", ["csv", "array", "lines"])
async def test_a_file_has_a_largest_number_of_rows(kind: str) -> None:
    def file(count: int) -> str:
        if kind == "csv":
            return "Domain,Name\n" + "".join(f"p{i}.example,P\n" for i in range(count))
        partners = [body(domain_source(f"p{i}.example")) for i in range(count)]
        if kind == "array":
            return json.dumps(partners)
        return "\n".join(map(json.dumps, partners))

    assert len(await rows(file(MOST_ROWS))) == MOST_ROWS
    with pytest.raises(FileTooLargeError, match="more than 5000 rows"):
        await read(file(MOST_ROWS + 1))


async def test_blank_rows_have_a_largest_number_too() -> None:
    with pytest.raises(FileTooLargeError, match="blank rows"):
        await read("Domain,Name\n" + "\n" * 200_000)


async def test_others_are_served_while_a_large_file_is_read() -> None:
    file = "Domain,Name\n" + "".join(f"p{i}.example,P\n" for i in range(2_500))
    reading = asyncio.create_task(read(file))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    # Reading and validating each let others in once in 50 rows.
    assert turns >= 100


async def test_a_row_that_says_the_same_again_is_a_double_whatever_its_ticket() -> None:
    first = body(domain_source("Contoso.com"), internalSponsors=["a@c.com", "b@c.com"])
    again = body(domain_source("contoso.COM."), internalSponsors=["B@c.com", "a@c.com"])
    told = await rows(json.dumps([body(tenant_source()), first, again | {"reference": "T-2"}]))
    assert [row.duplicate_of for row in told] == [None, None, 2]
    assert told[2].request is not None
    assert told[2].faults == ()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"displayName": "Other"}, "/displayName"),
        ({"description": "Other"}, "/description"),
        ({"state": "proposed"}, "/state"),
        ({"internalSponsors": ["ada@contoso.com"]}, "/internalSponsors"),
        ({"externalSponsors": ["ada@contoso.com"]}, "/externalSponsors"),
        ({"ifExists": "update"}, "/ifExists"),
        ({"callbackUrl": "https://example.com/1"}, "/callbackUrl"),
        ({"identitySources": [domain_source() | {"displayName": "x"}]}, "/identitySources/0"),
    ],
)
async def test_a_row_that_contradicts_an_earlier_one_is_a_fault_that_names_it(
    changes: dict[str, Any], pointer: str
) -> None:
    told = await rows(json.dumps([body(), body(**changes), body()]))
    assert told[1].faults == (
        RowFault(
            row=2,
            pointer=pointer,
            detail="Row 1 asks for the same partner with another value here.",
        ),
    )
    assert told[1].request is None
    assert told[2].duplicate_of == 1


async def test_a_faulty_row_is_nobodys_first() -> None:
    told = await rows(json.dumps([body(state="x"), body(), body()]))
    assert [row.duplicate_of for row in told] == [None, None, 2]


async def test_a_name_is_cut_so_that_no_answer_grows_with_it() -> None:
    row = await only_row(json.dumps([body(domain_source("x" * 300))]))
    assert row.name == "x" * 256


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.text().map(lambda text: b"\xff\xfe" + text.encode("utf-16-le", "replace"))
    | st.tuples(
        st.sampled_from(
            ["Domain,Name\n", "sep=;\nName;Tenant\r", "\ufeffDomain\tName\tX\n", "[", "{"]
        ),
        st.text(alphabet=st.sampled_from(',;\t"\r\n\0ax.é\ud800[]{}:'), max_size=60),
    ).map(lambda parts: "".join(parts).encode(errors="replace")),
    st.sampled_from([None, "text/csv", "application/json", "application/jsonl", "x"]),
)
@example(b"\xff\xfe", "text/csv")
@example(b"\xef\xbb\xbf", None)
@example(b"\xff\xfe\x00", None)
@example(b'"', "text/csv")
async def test_no_bytes_make_reading_fail_in_any_other_way(
    content: bytes, content_type: str | None
) -> None:
    with suppress(FileUnreadableError):
        for row in (await read_partners(content, content_type)).rows:
            assert (row.request is None) == bool(row.faults)
            assert all(fault.row == row.number for fault in row.faults)


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=20
)
partners = st.builds(
    lambda number, **fields: OnboardingRequest.model_validate(
        body(domain_source(f"p{number}.example")) | {k: v for k, v in fields.items() if v}
    ),
    number=st.integers(0, 10**6),
    displayName=names.filter(lambda name: name.isprintable() and not is_blank(name)),
    description=st.none() | st.text("aé\n\"',;=\t").filter(lambda text: not is_blank(text)),
    state=st.sampled_from(["configured", "proposed"]),
    ifExists=st.sampled_from([None, "return", "fail", "update"]),
    reference=st.none() | st.text('x-1"; ').filter(lambda text: not is_blank(text)),
    internalSponsors=st.sampled_from([None, ["ada@c.com"], ["b_#EXT#@c.com", "a@c.com"]]),
    callbackUrl=st.sampled_from([None, "https://example.com/x"]),
)


@given(st.lists(partners, min_size=1, max_size=5, unique_by=lambda r: r.natural_key))
async def test_requests_that_are_written_as_a_file_are_read_again(
    requests: list[OnboardingRequest],
) -> None:
    written = [
        r.model_dump(mode="json", exclude_none=True)
        | ({"callbackUrl": r.callback_url} if r.callback_url else {})
        for r in requests
    ]
    for text in (json.dumps(written), "\n".join(map(json.dumps, written))):
        assert [row.request for row in await rows(text)] == requests
