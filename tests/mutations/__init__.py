"""Breaks of the product that its tests must notice, and how that is shown.

mutation        a break, and the test that fails of it
access          breaks of who may do what, and of what stays secret
promises        breaks of what connorg promises: once, kept, told to the end
"""

from tests.mutations import access, promises
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (*access.MUTATIONS, *promises.MUTATIONS)
