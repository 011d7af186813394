"""The peer: django-hordak, the double-entry ledger that a Django team would pick, in an environment of its own."""
