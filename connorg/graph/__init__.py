"""Microsoft Graph, by the official SDK.

gateway   organizations, as an onboarding needs them
admin     what else can be done with them
client    the SDK's client
sender    sends its requests and reads the answers
setbacks  every way in which a call can fail
bodies    what Graph is sent
filters   OData filters
sponsors  references to users and groups
"""
