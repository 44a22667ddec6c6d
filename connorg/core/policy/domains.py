"""What a domain is known for: mail for everybody, mail for an hour, names for everybody."""

# Providers that have the same name under many suffixes. Each belongs to a well-known company.
_BRANDS = frozenset(
    {
        "aol",
        "gmail",
        "gmx",
        "googlemail",
        "hotmail",
        "icloud",
        "live",
        "msn",
        "outlook",
        "protonmail",
        "rocketmail",
        "tutanota",
        "yahoo",
        "yandex",
        "ymail",
    }
)
# Known to us, and on no list.
_MORE_PUBLIC_MAIL = frozenset(
    """
    bt.com btopenworld.com duck.com hey.com inbox.lv kakao.com mailbox.org mailfence.com
    online.de passport.com posteo.de proton.me pm.me sfr.fr startmail.com sympatico.ca tuta.com
    tuta.io zohomail.com zohomail.eu
    """.split()  # noqa: SIM905  reads better
)
# Microsoft gives a name below it to each tenant.
_MORE_SUFFIXES = frozenset({"onmicrosoft.com", "onmicrosoft.us", "partner.onmschina.cn"})


def is_public_mail(domain: str) -> bool:
    """Whether anybody can get an address at this domain."""
    from connorg.core.policy import lists  # noqa: PLC0415  half a megabyte, not for each process

    name, _, suffix = domain.partition(".")
    is_brand = name in _BRANDS and _is_suffix(suffix, lists.SUFFIXES)
    return is_brand or domain in _MORE_PUBLIC_MAIL or _has(lists.PUBLIC_MAIL, domain)


def is_disposable(domain: str) -> bool:
    """Whether addresses at this domain are given out for a short time."""
    from connorg.core.policy import lists  # noqa: PLC0415

    return _has(lists.DISPOSABLE, domain)


def is_public_suffix(domain: str) -> bool:
    """Whether others register, or are given, names below this domain."""
    from connorg.core.policy import lists  # noqa: PLC0415

    return domain in _MORE_SUFFIXES or any(
        _is_suffix(domain, rules) for rules in (lists.SUFFIXES, lists.SHARED_SUFFIXES)
    )


def _is_suffix(domain: str, rules: str) -> bool:
    """Apply the rules of the Public Suffix List: `a.b`, `*.b` for any below b, `!a.b` not this."""
    parent = domain.partition(".")[2]
    return _has(rules, domain) or (_has(rules, f"*.{parent}") and not _has(rules, f"!{domain}"))


def _has(lines: str, line: str) -> bool:
    return f"\n{line}\n" in lines
