"""Connects partner organizations to Microsoft Entra, on request and exactly once.

function_app.py, beside this package, registers every trigger. From the top down:

    functions          the edge: HTTP, queue and timer functions
    wiring             builds everything once per process
    webhooks           declared senders of webhooks
    graph              Microsoft Graph, by its SDK
    storage            Azure Tables and Queues
    callback_receiver  sends callbacks
    entra_tokens       verifies the tokens of callers
    settings           the app settings
    core               the product, without any SDK
    partner_files      files of partners
    telemetry          spans, metrics and log lines
    contract           everything that goes over the wire
    standard_webhooks  signatures of webhooks
    command            the command for people and scripts, which is not deployed
    bulk               the old name of the command, for a release
"""
