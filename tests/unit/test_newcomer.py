"""What `make newcomer` does is what README says."""

from infra.local.child import ROOT
from tests import newcomer


def test_the_first_commands_of_readme_are_the_demo_and_the_stack() -> None:
    assert newcomer.commands()[:2] == ["make demo", "make run"]


def test_each_command_of_readme_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert not [each for each in newcomer.commands() if f"\n{each.split()[1]}: " not in makefile]


def test_the_call_of_readme_takes_what_the_stack_prints() -> None:
    assert '"$CONNORG_URL/api/' in newcomer.call()
    assert "$CONNORG_KEY" in newcomer.call()
