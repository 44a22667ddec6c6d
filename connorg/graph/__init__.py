"""Microsoft Graph, by the official SDK.

gateway   organizations, as an onboarding needs them
admin     what else can be done with them
search    whether an organization is there
objects   organizations as Graph lists and gives them
pages     lists in pages
client    the SDK's client
sender    sends its requests and takes the answers
words     what the body of an error says
meanings  what Graph's answers mean
setbacks  every way in which a call can fail
bodies    what Graph is sent
filters   OData filters
sponsors  references to users and groups
"""
