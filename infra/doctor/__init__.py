"""Examines a deployed app, from outside as callers see it and from inside as it sees itself.

findings    what is found, and how it is told
outside     what a caller can see, and what the app says of itself
mends       commands that mend it
identity    what Microsoft Entra says of the app's identity
templates   what Azure has beside what the templates say
azure_cli   the Azure CLI
"""
