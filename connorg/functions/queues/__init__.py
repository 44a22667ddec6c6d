"""The queue functions.

onboarding  queue `onboarding`
batch       queue `batch`
callback    queue `callback`
envelope    what they share: decoding, newer versions, what can't be read
"""
