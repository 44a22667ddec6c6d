"""Rows of the ledger and messages of the queues as released versions wrote them.

A folder for each version, taken from a running local stack and never changed since: what new code
must read. `1` was recorded at commit 735e84a, the last that wrote no version.

`graph` holds what a real OData service answered; its README says how it was recorded.
"""
