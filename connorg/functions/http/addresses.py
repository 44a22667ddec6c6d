"""Absolute addresses, as the caller sees the app."""

import re
from urllib.parse import urlsplit

import azure.functions as func

from connorg.contract.onboarding import Onboarding
from connorg.core.policy.patterns import is_listed
from connorg.functions.http.result_tokens import TOKEN, token_of
from connorg.settings import settings

PREFIX = "api"  # host.json's routePrefix; a test holds the two together
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


class Addresses:
    """The addresses of onboardings. A proxy in front says its own name by X-Forwarded-*.

    Every caller can write these. So only a host counts that CONNORG_FORWARDED_HOSTS lists: an
    address holds what opens it. `https` is accepted from anybody: it does no harm.
    """

    def __init__(self, request: func.HttpRequest) -> None:
        url = urlsplit(request.url)
        forwarded_host = _first(request.headers.get("x-forwarded-host"))
        forwarded_proto = _first(request.headers.get("x-forwarded-proto"))
        is_host = _HOST.fullmatch(forwarded_host) is not None
        is_known = is_host and is_listed(forwarded_host, settings().forwarded_hosts)
        host = forwarded_host if is_known else url.netloc
        schemes = {"http", "https"} if is_known else {"https"}
        scheme = forwarded_proto if forwarded_proto in schemes else url.scheme
        self._base = f"{scheme}://{host}/{PREFIX}"

    def onboarding(self, onboarding_id: str) -> str:
        return f"{self._base}/onboardings/{onboarding_id}"

    def batch(self, batch_id: str) -> str:
        return f"{self._base}/batches/{batch_id}"

    def result(self, onboarding: Onboarding) -> str:
        """Complete in itself: a poller sends no key."""
        token = token_of(onboarding)
        query = f"?{TOKEN.name}={token}" if token else ""
        return f"{self.onboarding(onboarding.id)}/result{query}"

    def page(self, route: str, query: str) -> str:
        return f"{self._base}/{route}?{query}"

    def pointers(self, onboarding: Onboarding) -> dict[str, str]:
        return {
            "Location": self.result(onboarding),
            "Operation-Location": self.onboarding(onboarding.id),
        }


def _first(values: str | None) -> str:
    return (values or "").split(",")[0].strip().lower()
