"""The page of the API's description, in a browser."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import function_app
from tests.stack import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.slow
def test_a_browser_shows_each_operation(stack: Stack, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("There is no Chromium, so the page is not opened.")
    for address in ("docs#ListOnboardings", "docs/#ListOnboardings"):
        browser = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ]
        waits = ["--virtual-time-budget=20000", f"--user-data-dir={tmp_path}", "--dump-dom"]
        opened = subprocess.run(
            [*browser, *waits, f"{stack.functions}/api/{address}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        shown = set(re.findall(r'<article id="(\w+)"', opened.stdout))
        assert shown == {route.name for route in function_app.routes}, opened.stderr
        # The one that the address names is open: parameters and answers are there.
        assert "continuationToken" in opened.stdout.split('<article id="ListOnboardings"')[1][:9000]
