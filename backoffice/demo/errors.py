"""What can go wrong with the demo company."""


class DemoError(Exception):
    """The story cannot be played, or did not end as it should."""
