"""The command for people: `python -m connorg.command`. It knows the app by HTTP alone.

command   what it does
service   the app over HTTP
watching  watch a batch
showing   what a person sees
sign_in   who calls
ending    how it ends
"""
