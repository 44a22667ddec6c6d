"""Webhooks of ticketing systems: how they prove themselves, and how their events become requests.

senders    the document that declares who may send
proof      who has really sent this
mapping    what the event asks for
profiles   what is known of the usual systems
"""
