"""What may be connected, and what may be called back.

rules          every rule of the company and its cloud
public_mail    domains of mail providers
patterns       lists of names in settings
callback_urls  addresses of callbacks
"""
