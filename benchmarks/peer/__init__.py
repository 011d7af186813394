"""The peers, in an environment of their own: what a Django team would pick instead.

django-hordak is a double-entry ledger, dj-stripe keeps what Stripe tells.
"""
