"""Breaks of what a domain is known for."""

from tests.mutations.mutation import Mutation

_DOMAINS = "connorg/core/policy/domains.py"
_TESTS = "tests/unit/core/test_domain_lists.py"

MUTATIONS = (
    Mutation(
        "a provider's name is public mail below a partner's domain too",
        _DOMAINS,
        old="name in _BRANDS and _is_suffix(suffix, lists.SUFFIXES)",
        new="name in _BRANDS",
        killed_by=f"{_TESTS}::test_a_partners_own_domain_is_known_for_nothing",
    ),
    Mutation(
        "the end of a listed name is taken for the name",
        _DOMAINS,
        old='return f"\\n{line}\\n" in lines',
        new='return f"{line}\\n" in lines',
        killed_by=f"{_TESTS}::test_a_partners_own_domain_is_known_for_nothing",
    ),
    Mutation(
        "disposable addresses are let through",
        "connorg/core/policy/rules.py",
        old="        if is_disposable(domain):\n",
        new="        if is_disposable(domain) and self.public_mail is None:\n",
        killed_by=f"{_TESTS}::test_mail_for_an_hour_is_known",
    ),
)
