"""The console in a real browser, against the local stack.

installed     which browser is here
browser       pages in it, which are watched
scenes        what there is to see: onboardings of the past, failures, what waits
screenshots   `make screenshots`: the pictures of README and docs/console.md
outputs       those of what commands show
"""
