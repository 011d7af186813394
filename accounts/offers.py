"""What this app offers to the rest of the house, under strings."""


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
