"""A second statement of the rules in docs/ledger.md, and what holds the services against it.

``records`` and ``ledger`` are the rules in plain Python: no database, no code of the services, everything worked out
anew whenever it is asked for. ``operations`` draws random operations, ``real`` does one with the services and reads
what they wrote, and the tests compare the two.
"""
