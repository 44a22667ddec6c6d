"""What HTTP functions share.

route             what a function is registered by
problem_boundary  what goes wrong becomes a problem answer
audited           a line of the audit for each call that changes something
callers           who calls, and with which role
onboarding_filters  which onboardings a call is about
parameters        what callers say beside the body, declared once; bodies
headers           the headers that steer
answers           onboardings, organizations and problems as responses
csv_answers       answers as CSV
addresses         absolute addresses
pages             the headers of pages
result_tokens     the credential of a result address
"""
