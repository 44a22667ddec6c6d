"""Breaks of what the console is served with, and of what people are signed in by."""

from tests.mutations.mutation import Mutation

_CONSOLE = "tests/unit/functions/test_console.py"
_ENDPOINT = "connorg/functions/endpoints/console.py"
_COOKIE = "test_a_write_signed_in_by_a_cookie_needs_a_header_that_no_form_sends"

MUTATIONS = (
    Mutation(
        "a form of another site changes something for who is signed in",
        "connorg/functions/http/callers.py",
        old="if told is not None and _may_come_from_another_site(request):",
        new="if told is None and _may_come_from_another_site(request):",
        killed_by=f"tests/unit/functions/test_roles.py::{_COOKIE}",
    ),
    Mutation(
        "an empty header is as good as none that a form sends",
        "connorg/functions/http/callers.py",
        old='headers.get("authorization") or headers.get(_BY_SCRIPT)',
        new='headers.get("authorization") or headers.get(_BY_SCRIPT) is not None',
        killed_by=f"tests/unit/functions/test_roles.py::{_COOKIE}",
    ),
    Mutation(
        "scripts in the page run",
        _ENDPOINT,
        old="\"script-src 'self'\",",
        new="\"script-src 'self' 'unsafe-inline'\",",
        killed_by=f"{_CONSOLE}::test_nothing_runs_but_the_console_s_own_scripts_and_nobody_frames_it",
    ),
    Mutation(
        "files outside of the console are served",
        _ENDPOINT,
        old='re.compile(r"[A-Za-z-]+\\.',
        new='re.compile(r"[A-Za-z/.-]+\\.',
        killed_by=f"{_CONSOLE}::test_nothing_else_is_a_file",
    ),
    Mutation(
        "a setting becomes markup of the page",
        _ENDPOINT,
        old='html.escape(settings().ticket_link or "")',
        new='settings().ticket_link or ""',
        killed_by=f"{_CONSOLE}::test_the_page_knows_where_tickets_are",
    ),
    Mutation(
        "the page asks for a key that the app does not take",
        _ENDPOINT,
        old='return "app-service" if settings().signs_in_before else "token"',
        new='return "key"',
        killed_by=f"{_CONSOLE}::test_the_page_knows_how_to_sign_in",
    ),
)
