"""Attacks on the running stack, each with its count: a sample in `make test`, all of them slow.

test_callers   tokens and headers that are forged or mutated; the table of effects and roles
test_bodies    bodies that are too large, too deep, or just as large as they may be
"""
