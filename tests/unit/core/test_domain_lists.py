"""What a domain is known for, and that a partner's own domain is known for nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from connorg.contract.domains import normalise_domain
from connorg.core.policy import lists
from connorg.core.policy.domains import is_disposable, is_public_mail, is_public_suffix
from connorg.core.policy.rules import Policy
from infra.lists.generated import module
from tests.cases import each
from tests.unit.core.test_policy_rules import early_rules, rules
from tests.unit.partners import domain_source, request

PUBLIC_MAIL = (
    *("gmail.com", "hotmail.de", "hotmail.com.tr", "outlook.fr", "live.co.uk", "live.nl"),
    *("yahoo.co.jp", "yahoo.fi", "aol.com", "aol.de", "gmx.net", "icloud.com", "msn.com"),
    *("web.de", "qq.com", "163.com", "mail.ru", "yandex.ru", "proton.me", "t-online.de"),
    *("laposte.net", "libero.it", "wp.pl", "seznam.cz", "naver.com", "rediffmail.com"),
    *("hey.com", "tuta.com", "mailbox.org", "bt.com", "gmx.us", "yandex.kz"),
)


def test_mail_for_everybody_is_known_under_each_suffix() -> None:
    for case in each(PUBLIC_MAIL):
        with case as domain:
            assert is_public_mail(domain)
            assert early_rules(Policy(), domain_source(domain)) == {"publicMail"}
            assert rules(Policy(public_mail=True), domain_source(domain)) == set()


@pytest.mark.parametrize("domain", ["mailinator.com", "10minutemail.com", "guerrillamail.com"])
def test_mail_for_an_hour_is_known(domain: str) -> None:
    assert is_disposable(domain)
    assert "disposable" in early_rules(Policy(public_mail=True), domain_source(domain))


@pytest.mark.parametrize(
    "domain",
    [
        *("co.uk", "com.au", "co.jp", "com.br", "github.io", "azurewebsites.net", "vercel.app"),
        *("onmicrosoft.com", "blogspot.com", "foo.ck", "xn--55qx5d.cn", "公司.cn"),
    ],
)
def test_a_suffix_is_no_partner(domain: str) -> None:
    assert is_public_suffix(normalise_domain(domain))
    assert "publicSuffix" in early_rules(Policy(), domain_source(domain))


@pytest.mark.parametrize(
    "domain",
    [
        *("contoso.com", "contoso.co.uk", "contoso.onmicrosoft.com", "contoso.github.io"),
        *("live.example.com", "outlook.contoso.de", "mail.contoso.com", "www.ck", "bücher.de"),
        *("microsoft.com", "siemens.com", "ibm.com", "sap.com", "city.kawasaki.jp", "a.example"),
        *("livestock.com", "yahoos.example", "www2.contoso.com"),
    ],
)
def test_a_partners_own_domain_is_known_for_nothing(domain: str) -> None:
    assert early_rules(Policy(), domain_source(domain)) == set()


def test_the_name_of_a_web_server_is_met_with_the_domain_that_was_meant() -> None:
    refusal = Policy().early_refusal(request(domain_source("www.contoso.co.uk")), "http")
    assert refusal is not None
    [fault] = refusal.faults
    assert fault.rule == "webHost"
    assert fault.detail.endswith("Did you mean contoso.co.uk?")


@pytest.mark.parametrize("domain", ["gmail.com", "mailinator.com", "github.io", "www.contoso.com"])
def test_a_company_that_names_a_domain_knows_better(domain: str) -> None:
    policy = Policy(allowed=frozenset({domain}))
    assert rules(policy, domain_source(domain)) == set()


def test_the_lists_are_those_of_the_packages() -> None:
    assert Path(str(lists.__file__)).read_text() == module(), "run `make lists`"


def test_a_process_reads_no_list_before_it_looks() -> None:
    code = (
        "import sys, connorg.core.policy.rules; print('connorg.core.policy.lists' in sys.modules)"
    )
    asked = [sys.executable, "-c", code]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout == "False\n"
