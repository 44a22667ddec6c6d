"""Which app is called, and by whom: options, the environment, the profile, and `connorg login`."""

import base64
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connorg.command.connection import Connection, address_of, connect
from connorg.command.ending import CommandError
from connorg.command.profile import read_profile, windows_restriction, write_profile
from connorg.command.session import invoked_as
from tests.command import at_terminal, run_here
from tests.unit.command.recorded import Answer, Recorded, StandIn

KEY = "a-function-key-that-nobody-may-see"
URL = "https://app.example"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "connorg/profile.json"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn(Recorded([])) as standing_in:
        standing_in.always = Answer("", 200, {}, '{"value": []}')
        yield standing_in


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://app.example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://app.example/api", "https://app.example"),
        (" https://app.example/api/ ", "https://app.example"),
        ("https://gateway.example/connorg/api", "https://gateway.example/connorg"),
        ("http://localhost:7071/api", "http://localhost:7071"),
    ],
)
def test_an_address_may_end_in_api(given: str, address: str) -> None:
    assert address_of(given) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://connorg.example",
        "http://127.0.0.1.connorg.example",
        "http://127.0.0.1@connorg.example",
        "ftp://connorg.example",
        "https://",
        "connorg.example",
        "https://[connorg",
        "https://connorg.example/api?code=key",
        "https://connorg.example:port",
        "",
    ],
)
def test_a_key_goes_to_an_https_address_or_nowhere(url: str) -> None:
    told = run_here("status", "--url", url, env={"CONNORG_KEY": KEY})
    assert told.code == 1
    assert "--url" in told.err


def test_options_outweigh_the_environment_and_that_the_profile(
    stand_in: StandIn, place: Path
) -> None:
    write_profile(place, {"url": stand_in.url, "key": "of the profile"})
    seen: list[str | None] = []

    def answer(_: str, headers: dict[str, str]) -> Answer:
        seen.append(headers.get("x-functions-key"))
        return Answer("", 200, {}, '{"value": []}')

    stand_in.always = answer
    of_profile = {"CONNORG_PROFILE": str(place)}
    of_environment = {**of_profile, "CONNORG_KEY": "of the environment"}
    for env, words in (
        (of_profile, ()),
        (of_environment, ()),
        (of_environment, ("--key", "given")),
    ):
        assert run_here("list", *words, env=env).code == 0
    assert seen == ["of the profile", "of the environment", "given"]


def test_what_the_profile_keeps_for_one_app_goes_to_no_other(place: Path) -> None:
    write_profile(place, {"url": URL, "key": KEY})
    assert connect(f"{URL}/api", None, None, place) == Connection(URL, KEY)
    assert connect(None, None, None, place) == Connection(URL, KEY)
    assert connect(None, None, "api://x/.default", place) == Connection(
        URL, scope="api://x/.default"
    )
    assert connect(None, KEY, "api://x/.default", place).key is None, "a token is enough"
    with pytest.raises(CommandError, match="no credential"):
        connect("https://other.example", None, None, place)


@pytest.mark.parametrize(
    ("url", "key", "scope", "sentence"),
    [
        (None, KEY, None, "address of the app is missing"),
        (URL, None, None, "no credential"),
        (URL, " ", None, "no credential"),
        (URL, "ключ", None, "characters that a key never has"),
        (URL, "a\nb", None, "characters that a key never has"),
    ],
)
def test_what_is_missing_is_said(
    place: Path, url: str | None, key: str | None, scope: str | None, sentence: str
) -> None:
    with pytest.raises(CommandError) as raised:
        connect(url, key, scope, place)
    assert sentence in f"{raised.value} {raised.value.action}"


def test_health_needs_no_key(stand_in: StandIn) -> None:
    health = {"version": "1", "status": "healthy", "checks": [{"name": "a", "status": "healthy"}]}
    stand_in.always = Answer("", 200, {}, json.dumps(health))
    told = run_here("health", env={"CONNORG_URL": stand_in.url})
    assert (told.code, told.out) == (0, "a\thealthy\t\nconnorg 1 is healthy.\n")


posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")


@posix_only
def test_nobody_else_can_read_the_profile(place: Path) -> None:
    write_profile(place, {"url": URL, "key": KEY})
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert read_profile(place) == {"url": URL, "key": KEY}
    write_profile(place, {"url": URL})
    assert read_profile(place) == {"url": URL}
    assert [each.name for each in place.parent.iterdir()] == ["profile.json"]


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_profile_that_others_can_read_or_change_is_refused(place: Path, mode: int) -> None:
    write_profile(place, {"url": URL, "key": KEY})
    place.chmod(mode)
    with pytest.raises(CommandError, match="Others can read or change") as raised:
        read_profile(place)
    assert f"chmod 600 {place}" in raised.value.action


@pytest.mark.parametrize("content", [b"", b"[]", b'{"url": 7}', b"\xff\xfe"])
def test_a_profile_that_is_none_is_said_to_be_so(place: Path, content: bytes) -> None:
    write_profile(place, {})
    place.write_bytes(content)
    with pytest.raises(CommandError, match="The profile"):
        read_profile(place)


def test_on_windows_the_user_alone_is_let_in() -> None:
    words = windows_restriction(Path("profile.json"))
    assert words[:2] == ["icacls", "profile.json"]
    assert "/inheritance:r" in words
    assert words[-1].endswith(":F")


def test_a_login_that_is_refused_keeps_nothing(stand_in: StandIn, place: Path) -> None:
    stand_in.always = Answer("", 401, {}, "")
    env = {"CONNORG_KEY": KEY}
    told = run_here("login", "--url", stand_in.url, "--profile", place, env=env)
    assert told.code == 1
    assert not place.exists()


def test_a_login_without_anybody_to_ask_needs_a_key(stand_in: StandIn, place: Path) -> None:
    told = run_here("login", "--url", stand_in.url, "--profile", place, env={})
    assert (told.code, place.exists()) == (1, False)


async def test_a_login_asks_for_the_key_and_shows_it_nowhere(
    stand_in: StandIn, place: Path
) -> None:
    words = ("login", "--url", stand_in.url, "--profile", place)
    async with at_terminal(*words) as terminal:
        await terminal.shows("Function key: ")
        terminal.types(f"{KEY}\n")
        assert await terminal.ended() == 0
    assert KEY not in terminal.seen
    assert [line.rstrip() for line in terminal.seen.splitlines()] == [
        "Function key:",
        f"url: {stand_in.url}",
        f"profile: {place}",
    ]
    assert read_profile(place) == {"url": stand_in.url, "key": KEY}


def test_a_login_by_entra_says_what_the_registration_needs_and_who_is_signed_in(
    stand_in: StandIn, place: Path
) -> None:
    claims = encoded({"oid": "the-caller", "roles": ["Onboarding.Read"]})
    token = {"access_token": f"e30.{claims}.x", "expires_on": "4102444800", "token_type": "Bearer"}

    def answer(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/msi/token"):
            return Answer("", 200, {"content-type": "application/json"}, json.dumps(token))
        assert headers["authorization"] == f"Bearer {token['access_token']}"
        return Answer("", 200, {}, '{"value": []}')

    stand_in.always = answer
    env = {
        "IDENTITY_ENDPOINT": f"{stand_in.url}/msi/token",
        "IDENTITY_HEADER": "x",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }
    words = ("login", "--url", stand_in.url, "--scope", "api://x/.default", "--profile", place)
    told = run_here(*words, env=env)
    assert told.code == 0, told.err
    assert "The app registration needs" in told.err
    assert "access_as_user" in told.err
    assert "Onboarding.Read\tassigned" in told.err
    assert "Onboarding.Manage\tmissing" in told.err
    assert "caller: the-caller" in told.out
    assert str(token["access_token"]) not in told.seen
    assert read_profile(place) == {"url": stand_in.url, "scope": "api://x/.default"}


def test_without_azure_identity_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    told = run_here("status", "--url", URL, "--scope", "api://x/.default", env={})
    assert told.code == 1
    assert "azure-identity" in told.err
    assert "connorg[entra]" in told.err


@pytest.mark.parametrize(
    "called", ["somewhere/else/connorg", "connorg/command/__main__.py", "pytest"]
)
def test_a_command_is_written_as_it_can_be_called_again(
    monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    by_module = [sys.executable, "-m", "connorg.command"]
    assert invoked_as() == ([called] if called.endswith("connorg") else by_module)


def encoded(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
