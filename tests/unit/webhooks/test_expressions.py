"""Expressions: what JMESPath lacks, and what is said of one that finds nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.webhooks.expressions import (
    ExpressionError,
    checked,
    conditions_of,
    evaluate,
    explained,
)
from connorg.webhooks.html_entities import without_entities
from tests.senders import CONNECT
from tests.unit.webhooks.readings import faults, source, wanted

FORM = """### Partner name

Müller & Söhne

### Partner domain

contoso.com

### Partner tenant id

_No response_
"""
EVENT: dict[str, Any] = {
    "mail": "Ada <ada@Contoso.com>",
    "url": "https://www.contoso.com/x",
    "no": "n/a",
    "null": None,
    "body": FORM,
    "html": "<div>A<br>B &amp; C</div><p>D</p>",
    "pairs": "Name: Contoso\n* Domain: contoso.com\n",
    "list": "a.com; b.com;",
    "fields": {"customfield_10070": "contoso.com", "customfield_10071": None, "summary": "S"},
    "u": {"custom.domain": "contoso.com", "n": 5},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("domain_of(mail)", "contoso.com"),
        ("domain_of(url)", "contoso.com"),
        ("domain_of(nothing)", None),
        ("domain_of(fields)", None),
        ("default(no, `null`, '', mail)", EVENT["mail"]),
        ("default(no, nothing)", None),
        ("lower('ABC')", "abc"),
        ("lower(nothing)", None),
        ("trim(' a ')", "a"),
        ("split(list, ';')", ["a.com", "b.com"]),
        ("split(list, ';')[0]", "a.com"),
        ("split(nothing, ';')", []),
        ("replace('a-b', '-', '.')", "a.b"),
        ("text_of(html)", "A\nB & C\nD"),
        ("section(body, 'partner domain')", "contoso.com"),
        ("section(body, 'Partner name')", "Müller & Söhne"),
        ("section(body, 'Nothing')", None),
        ("section(pairs, 'Domain')", "contoso.com"),
        ("default(section(body, 'Partner tenant id'), 'x')", "x"),
        ("section(nothing, 'x')", None),
    ],
)
def test_a_function_gives_what_its_row_says(expression: str, value: Any) -> None:
    assert evaluate(checked(expression), EVENT) == value


def test_the_page_has_every_function() -> None:
    page = (CONNECT / "README.md").read_text()
    for name in ("domain_of", "default", "lower", "trim", "split", "replace", "text_of", "section"):
        assert f"`{name}(" in page


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_no_value_breaks_a_function(value: Any) -> None:
    for call in ("domain_of(@)", "default(@, @)", "lower(@)", "trim(@)", "text_of(@)",
                 "split(@, ',')", "replace(@, 'a', 'b')", "section(@, 'a')"):  # fmt: skip
        evaluate(call, value)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_long_text_costs_little(size: int) -> None:
    """Whoever writes a ticket must not keep the process busy: nothing here grows by the square."""
    for part in ("<", "&", "a", "a@", "### \n", "# ", "<br", " ", "#", "**", "\x1a ", "/", "."):
        for call in ("domain_of(@)", "text_of(@)", "section(@, 'a')", "default(@, @)"):
            evaluate(call, f"#{part * size}x")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("mail", 'mail found "Ada <ada@Contoso.com>"'),
        ("fields.customfield_10071", "found nothing, it is null"),
        ("fields.customfield_10077", "found nothing: fields has no customfield_10077, it has c"),
        ("fields.customfield_10071.value", "found nothing: fields.customfield_10071 is null"),
        ("u.custom.domain", 'found nothing: u has "custom.domain", which needs quotation marks'),
        ('u."custom.domain"', 'found "contoso.com"'),
        ("mail.address", 'found nothing: mail is "Ada <ada@Contoso.com>", which has no address'),
        ("domain_of(fields.domain)", "found nothing: fields has no domain, it has "),
        ("domain_of(section(fields.body, 'x'))", "found nothing: fields has no body, it has "),
        ("domain_of(section(body, 'x'))", "domain_of(section(body, 'x')) found nothing"),
        ("no", 'no found "n/a", which counts as no value'),
        ("nothing", "found nothing: the event has no nothing, it has"),
        ("default(nothing, no)", "default(nothing, no) found nothing: the event has no nothing"),
        ("join('-', fields)", "join('-', fields) fails: In function join()"),
    ],
)  # fmt: skip
def test_what_an_expression_found_is_told(expression: str, told: str) -> None:
    assert told in explained(expression, EVENT)


@given(st.dictionaries(st.text(), st.none() | st.text() | st.dictionaries(st.text(), st.none())))
def test_anything_can_be_explained_in_a_line(event: Any) -> None:
    for expression in ("a", "a.b", 'a."b.c"', "@", "a[0]", "domain_of(a)"):
        text = explained(expression, event)
        assert len(text) < 1_000
        assert text.isprintable()


def test_a_fault_names_the_expression_and_what_stands_there() -> None:
    mapped = {"displayName": "fields.sumary", "identitySources": [{"domainName": "fields.domain"}]}
    told = faults(source(request=mapped), EVENT)
    assert told["/displayName"].startswith(
        "Is required. fields.sumary found nothing: fields has no sumary, it has summary, "
    )
    assert "fields.domain found nothing: fields has no domain" in told["/identitySources"]
    wrong = {**mapped, "displayName": "fields.summary"}
    wrong["identitySources"] = [{"domainName": "fields.summary"}]
    [detail] = faults(source(request=wrong), EVENT).values()
    assert detail.endswith('not a single label. fields.summary found "S".')


def test_no_fault_gives_the_address_of_a_callback_away() -> None:
    mapped = {"callbackUrl": "callback"}
    event = {
        "partnerName": "A",
        "partnerDomain": "a.com",
        "callback": "https://x/?sig=secret" * 200,
    }
    assert "secret" not in json.dumps(faults(source(request=mapped), event))


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("a == 'b' && c", ["a == 'b'", "c"]),
        ("a == 'x && y' && b[?c && d] && (e || f)", ["a == 'x && y'", "b[?c && d]", "(e || f)"]),
        ("a || b && c", ["a || b && c"]),
        ("", [""]),
    ],
)
def test_a_condition_is_taken_apart_where_all_must_hold(condition: str, parts: list[str]) -> None:
    assert conditions_of(condition) == parts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("M&uuml;ller &amp; S&#246;hne", "Müller & Söhne"),
        ("AT&T", "AT&T"),
        ("a&amp;lt;b", "a&lt;b"),
        ("?a=1&sect=2&copy=3", "?a=1&sect=2&copy=3"),
        ("&#x26;&#99999999;&nope;", "&&#99999999;&nope;"),
    ],
)
def test_entities_are_the_characters_that_they_stand_for(text: str, plain: str) -> None:
    assert without_entities(text) == plain
    request = wanted(source(), {"partnerName": text, "partnerDomain": "a.com"})
    assert (request.display_name, request.reference) == (plain, None)


def test_what_fails_is_an_error_of_its_own() -> None:
    with pytest.raises(ExpressionError):
        evaluate("join('-', @)", {"a": 1})
