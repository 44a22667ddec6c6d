"""Examines a deployed app, from outside as callers see it and from inside as it sees itself."""
