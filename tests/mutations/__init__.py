"""Breaks of the product that its tests must notice, and how that is shown.

mutation    a break, and the test that fails of it
access      breaks of who may do what, and of what stays secret
answers     breaks of what Graph's answers are taken for
batches     breaks of files of requests: rows lost, taken twice, never told of
console     breaks of what the console is served with
emulator    breaks of the Graph emulator that stands in for the real one
files       breaks of what is read: files, events, words for nothing
host        breaks of the local Functions host that replays of recordings notice
lists       breaks of what a domain is known for
operators   breaks of what operators see and do
parameters  breaks of what callers say beside the body
promises    breaks of what connorg promises: once, kept, told to the end
resuming    breaks of what the queue brings back: who carries on, and that somebody will
roles       breaks of what each way in may do, and of who is taken for whom
storage     breaks of what reads and writes the tables
throttling  of how Graph is called: when, how often, by how many at once
timing      of durations and clocks
"""

from tests.mutations import (
    access,
    answers,
    batches,
    console,
    emulator,
    files,
    host,
    lists,
    operators,
    parameters,
    promises,
    resuming,
    roles,
    storage,
    throttling,
    timing,
)
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *access.MUTATIONS,
    *answers.MUTATIONS,
    *batches.MUTATIONS,
    *console.MUTATIONS,
    *emulator.MUTATIONS,
    *files.MUTATIONS,
    *host.MUTATIONS,
    *lists.MUTATIONS,
    *operators.MUTATIONS,
    *parameters.MUTATIONS,
    *promises.MUTATIONS,
    *resuming.MUTATIONS,
    *roles.MUTATIONS,
    *storage.MUTATIONS,
    *throttling.MUTATIONS,
    *timing.MUTATIONS,
)
