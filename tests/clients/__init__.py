"""docs/openapi.json, as other people's tools read it.

tools           gets them, pinned
test_linters    Redocly and Spectral, by the rule sets here
test_generated  clients that are generated call the app
calls/          what each client does
"""
