"""The headers of pages that the app itself shows to people."""

_FOR_ALL = (
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)


def page_headers(*sources: str) -> dict[str, str]:
    """Return the headers of a page, and of its files, that loads and runs from these sources alone.

    `sources`: directives of a Content-Security-Policy, such as "script-src 'self'".
    """
    return {
        "Content-Security-Policy": "; ".join(("default-src 'none'", *sources, *_FOR_ALL)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # Kept by browsers, and asked for again each time: after an upgrade no old file is used.
        "Cache-Control": "no-cache",
    }
