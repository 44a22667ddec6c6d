"""Lists of names in the app settings: `contoso.com` means itself, `*.contoso.com` all below it."""

from collections.abc import Collection


def is_listed(name: str, entries: Collection[str]) -> bool:
    parents = name.split(".")
    return name in entries or any(
        f"*.{'.'.join(parents[i:])}" in entries for i in range(1, len(parents))
    )
