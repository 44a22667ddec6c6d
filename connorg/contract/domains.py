"""Domain names as Entra takes them: lower case, punycode, public."""

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LONGEST = 253  # RFC 1035, in characters of the punycode form

# Names that no partner can own: those set aside by RFC 6761, 6762, 7686, 8375 and 9476, and those
# that home and office networks use. `example` and `test` are left to Graph: documents use them.
_PRIVATE_ENDINGS = (
    ".local",
    ".localhost",
    ".localdomain",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".home.arpa",
    ".lan",
    ".invalid",
    ".onion",
    ".alt",
)


def normalise_domain(text: str) -> str:
    """Return the one spelling of a domain that the natural key and Graph are given.

    Raise ValueError with a sentence for the caller.
    """
    domain = text.strip().removesuffix(".").lower()
    _refuse_what_is_more_than_a_domain(domain)
    domain = _punycode(domain)
    labels = domain.split(".")
    if len(domain) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    if len(labels) == 1:
        raise ValueError("must be a full domain such as contoso.com, not a single label")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            "is not a domain name: its parts take letters, digits and inner hyphens, 63 at most"
        )
    if labels[-1].isdigit():
        raise ValueError("is an IP address or ends in a number; use a domain such as contoso.com")
    if f".{domain}".endswith(_PRIVATE_ENDINGS):
        raise ValueError("is a private name that no partner can own; use a public domain")
    return domain


def _refuse_what_is_more_than_a_domain(domain: str) -> None:
    if "://" in domain:
        raise ValueError("must be only a domain, without a scheme such as https://")
    if "/" in domain or "\\" in domain:
        raise ValueError("must be only a domain, without a path")
    if "*" in domain:
        raise ValueError("must be one domain, without a wildcard")
    if "@" in domain:
        raise ValueError("must be a domain, not an e-mail address")
    if ":" in domain:
        raise ValueError("must be only a domain, without a port")


def _punycode(domain: str) -> str:
    if domain.isascii() and "xn--" not in domain:
        return domain
    import idna  # noqa: PLC0415  its tables cost start-up time that few requests need

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("is not a valid internationalised domain name") from None


_BETWEEN_ADDRESSES = re.compile(r"[\s<>(),;]+")


def domain_of(text: str) -> str:
    """Cut the domain out of an e-mail address or a URL; what is neither comes back as it is.

    `www.` is a host of the domain. Whether it is a domain, `normalise_domain` says.
    """
    address = text.strip().removeprefix("mailto:")
    if "://" in address:
        address = address.partition("://")[2]
        host = re.split(r"[/?#\\]", address, maxsplit=1)[0].rpartition("@")[2]
    elif "@" in address:
        words = (word.partition("@") for word in _BETWEEN_ADDRESSES.split(address))
        hosts = (host for local, at, host in words if local and host)
        return next(hosts, address).strip(".").lower()
    else:
        host = re.split(r"[/?#]", address, maxsplit=1)[0]
    host = re.sub(r":[0-9]{1,5}$", "", host).rstrip(".").lower()
    return host.removeprefix("www.") if host.count(".") > 1 else host
