"""Breaks of the product that its tests must notice, and how that is shown.

mutation        a break, and the test that fails of it
promises        breaks of what connorg promises: once, kept, told to the end
"""

from tests.mutations import promises
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (*promises.MUTATIONS,)
