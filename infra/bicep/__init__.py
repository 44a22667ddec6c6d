"""Bicep, as far as infra/ uses it: read by a real grammar, and evaluated as a deployment would be.

No Bicep compiler can be had from a package registry. The grammar is tree-sitter-bicep's. The
evaluation is ours: it takes parameters, follows modules, loops and conditions, and leaves as
`Unknown` what only Azure knows. What it does not know it refuses, so nothing passes unseen. That it
evaluates as Azure's own engine does is held by tests/infra/test_evaluator.py.

syntax      files as declarations
values      what an expression comes to, where only Azure can say
types       whether a value is of its type and within its bounds
functions   the functions of Bicep, and where a template is deployed
hashes      guid() and uniqueString()
evaluating  expressions
deploying   which resources a template makes from given parameters
"""
