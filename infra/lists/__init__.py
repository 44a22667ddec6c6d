"""The lists of domains that no partner owns, from packages that others keep.

generated   what stands in connorg/core/policy/lists.py
"""
