"""A break of the product, and the test that fails of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    name: str
    """What the broken product does, in a few words: it names the test."""
    path: str
    """The module that is broken, from the root of the checkout."""
    old: str
    """What is replaced. It occurs once in the module."""
    new: str
    killed_by: str
    """The test that must fail, as pytest names it; the quickest of those that do."""
