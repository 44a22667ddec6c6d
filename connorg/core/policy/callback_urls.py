"""The address of a callback: what connorg may be made to call.

It comes from outside, so it could name what only the app can reach. It is a secret too: anybody who
knows the address of a Logic App's run can answer in connorg's place. So no text here repeats it.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

from connorg.core.policy.patterns import is_listed

LOGIC_APPS = ("*.logic.azure.com", "*.logic.azure.us", "*.logic.azure.cn")
"""Source: "Firewall configuration: IP addresses and service tags for Azure Logic Apps"."""

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})
"""May be called where the list names them, without TLS and on any port: for trials."""

# Only what every reader of addresses understands in the same way.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"([/?][!-~]*)?",
    re.IGNORECASE,
)
# Azure's own service on every virtual machine, though it looks public. Source: "What is IP address
# 168.63.129.16?"
_WIRE_SERVER = IPv4Address("168.63.129.16")


def callback_url_fault(address: str, hosts: Collection[str]) -> str | None:
    """Say what is wrong with an address, as a sentence; None: it may be called.

    `hosts`: the list of those that may be, in lower case; empty: nothing may be called.
    """
    if not hosts:
        return "This app makes no callbacks. Its operators can set CONNORG_CALLBACK_SECRETS."
    parts = _ADDRESS.fullmatch(address)
    if parts is None or "#" in address or "\\" in address:
        return "Must be an absolute https address without user name, password and fragment."
    host = parts["host"].lower().strip("[]")
    if host in local_hosts(hosts):
        return None
    rules = {
        "Must begin with https://.": parts["scheme"].lower() == "https",
        "Must not name another port than 443.": parts["port"] in {None, "443"},
        "Its host is not on the list CONNORG_CALLBACK_HOSTS.": is_listed(host, hosts),
        "Its host must be on the public internet.": _may_be_public(host),
    }
    return next((sentence for sentence, holds in rules.items() if not holds), None)


def local_hosts(hosts: Collection[str]) -> frozenset[str]:
    return LOCAL_HOSTS.intersection(hosts)


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet, itself and not by way of another."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (_holds_another(ip) or ip.is_site_local):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip != _WIRE_SERVER


def _holds_another(ip: IPv6Address) -> bool:
    """Whether it is a mapped, 6to4 or Teredo address. NAT64's and compatible ones are reserved."""
    return not (ip.ipv4_mapped is None and ip.sixtofour is None and ip.teredo is None)


def _may_be_public(host: str) -> bool:
    """Judge an IP address; the addresses of a name are checked when it is looked up."""
    try:
        ip_address(host)
    except ValueError:
        return ":" not in host
    return is_public(host)
