"""The version of connorg, which health and the OpenAPI document show. It is nowhere else.

Not that of messages and rows: versions.py. CHANGELOG.md describes each.
"""

RELEASE = "0.1.0"
