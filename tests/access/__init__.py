"""Who reaches which address: every pattern that the resolver knows, asked by every role with GET and with POST.

``matrix.txt`` is what they are answered. A new address, a new role or another answer fails ``test_matrix.py``; when it
is meant, make the file anew and read its diff before you commit it::

    make access-matrix

``routes.py`` lists the addresses, ``world.py`` makes one thing of each kind to fill their ids in: a new kind of id, or
a model with pages and without an object, is asked for there by name.
"""
