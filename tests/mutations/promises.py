"""Breaks of what connorg promises: each partner once, nothing lost, the end is told."""

from tests.mutations.mutation import Mutation

MUTATIONS = (
    Mutation(
        "the pace does not drop when Graph complains",
        "connorg/core/throttle/gate.py",
        old="calls = max(_LOWEST_PACE, taken * (_HELD_DROP if held else _DROP))",
        new="calls = self.pace",
        killed_by="tests/unit/core/test_gate.py",
    ),
)
