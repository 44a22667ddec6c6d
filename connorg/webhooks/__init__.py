"""Webhooks of ticketing systems. `python -m connorg.webhooks check` reads a sample event.

senders      the document that declares who may send
proof        who has really sent this
mapping      what the event asks for
profiles     what is known of the usual systems
expressions  JMESPath
functions    what is missing in JMESPath
html_entities  HTML's entities in names
"""
