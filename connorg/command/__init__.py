"""`python -m connorg.command`: for a person with a spreadsheet of partners.

It knows the app by its HTTP contract alone, and is no part of what is deployed.
"""
