"""What may be connected, and what may be called back.

rules          every rule of the company and its cloud
domains        what a domain is known for
lists          the lists behind that, generated
ways_in        which way in may have which effect
patterns       lists of names in settings
callback_urls  addresses of callbacks
"""
