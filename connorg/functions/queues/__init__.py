"""The queue functions.

onboarding  queue `onboarding`
batch       queue `batch`
callback    queue `callback`
envelope    what they share: decoding, what is left for later, what can't be read
"""
