"""Requests for the pages of a list."""

from connorg.graph.pages import at


def test_a_page_is_asked_for_by_its_address_and_named_as_its_list() -> None:
    address, template = (
        "https://graph.microsoft.com/v1.0/x?$skiptoken=a%2Fb",
        "{+baseurl}/x{?%24top}",
    )
    ask = at(address, template)
    assert (ask.url, ask.url_template) == (address, template)
