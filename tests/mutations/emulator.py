"""Breaks of the Graph emulator, which the replay of a real OData service's answers notices."""

from tests.mutations.mutation import Mutation

_REPLAY = "tests/contract/test_graph_replay.py::test_the_emulator_answers_as_the_service_did"

MUTATIONS = (
    Mutation(
        "the emulator compares text without regard to case",
        "infra/local/graph/binding.py",
        old="return _casefolded if language.ignores_case else _as_it_is",
        new="return _casefolded",
        killed_by=_REPLAY,
    ),
    Mutation(
        "the emulator looks at the first identity source alone",
        "infra/local/graph/binding.py",
        old="for item in items(scope):",
        new="for item in items(scope)[:1]:",
        killed_by=_REPLAY,
    ),
    Mutation(
        "of a repeated option the emulator takes the first",
        "infra/local/graph/query.py",
        old='found[known] = f"{found[known]},{value}" if known in found else value',
        new="found.setdefault(known, value)",
        killed_by=_REPLAY,
    ),
    Mutation(
        "of a repeated property the emulator takes the last",
        "infra/local/graph/bodies.py",
        old="            return\n        if known.name in self._read:",
        new="            return\n        if known.name in ():",
        killed_by=_REPLAY,
    ),
    Mutation(
        "the emulator's next page begins with the last of the page before",
        "infra/local/graph/pages.py",
        old="        return False\n\n    def _link",
        new="        return True\n\n    def _link",
        killed_by=_REPLAY,
    ),
    Mutation(
        "the emulator's nextLink forgets how many were asked for",
        "infra/local/graph/pages.py",
        old="            left -= size\n",
        new="",
        killed_by=_REPLAY,
    ),
)
