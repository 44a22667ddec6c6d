"""Which browser is here: Debian's Chromium, a Chrome, or the one that CONNORG_BROWSER names."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
LEFT_OUT = (
    "No browser is here, so the tests of the console were left out: install Chromium (apt-get"
    " install chromium) or Chrome, or name one in CONNORG_BROWSER."
)


def find_browser() -> str | None:
    named = os.environ.get("CONNORG_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)
