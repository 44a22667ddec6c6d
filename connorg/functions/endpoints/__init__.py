"""The HTTP functions, by what they are about.

onboardings         one: submit, read, replay, cancel
onboarding_lists    many: list, count, replay, cancel
forgetting          forget a partner
organizations       organizations in Graph, and their sponsors
reports             organizations of which identity teams ask
subjects            a requestor's organization
batches             files of partners
webhooks            the function of webhooks
webhook_deliveries  what it does with a delivery
health              health and warm-up
diagnosis           health in detail
console             the page for operators, and its files
openapi_json        the API's description
docs                the page that shows it
"""
