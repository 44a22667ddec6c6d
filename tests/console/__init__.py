"""The console in a real browser, against the local stack.

browser       the browser that is there, and pages in it
scenes        what there is to see: onboardings of the past, failures, what waits
screenshots   `make screenshots`: the pictures of docs/console.md
"""
