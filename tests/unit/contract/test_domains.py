import pytest

from connorg.contract.domains import normalise_domain


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("contoso.com", "contoso.com"),
        (" Contoso.COM. ", "contoso.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("a.b.c.contoso.co.uk", "a.b.c.contoso.co.uk"),
        ("1and1.com", "1and1.com"),
        ("partner.example", "partner.example"),
    ],
)
def test_a_domain_has_one_spelling(given: str, normal: str) -> None:
    assert normalise_domain(given) == normal
    assert normalise_domain(normal) == normal


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("https://contoso.com", "scheme"),
        ("contoso.com/partners", "path"),
        ("*.contoso.com", "wildcard"),
        ("user@contoso.com", "e-mail"),
        ("contoso.com:443", "port"),
        ("contoso", "single label"),
        ("localhost", "single label"),
        ("", "single label"),
        ("contoso..com", "not a domain name"),
        ("-contoso.com", "not a domain name"),
        ("con_toso.com", "not a domain name"),
        ("con toso.com", "not a domain name"),
        ("a" * 64 + ".com", "not a domain name"),
        ("a." * 126 + "com", "longer"),
        ("10.0.0.1", "IP address"),
        ("server.local", "private"),
        ("dc1.corp", "private"),
        ("home.arpa", "private"),
        ("xn--zzzzzz99999.de\u0000", "not a"),
    ],
)
def test_what_is_no_public_domain_is_refused_with_the_reason(given: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        normalise_domain(given)
