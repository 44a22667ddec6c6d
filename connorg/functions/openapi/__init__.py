"""The OpenAPI document, from the registered routes and the contract.

document    builds it
operations  what is said of each route
parts       parameters, answers, pages
words       what each property means
examples    real answers, recorded by tests
page.html   shows it to people
"""
