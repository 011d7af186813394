class EmbeddedError(Exception):
    """The embedded servers cannot work here; the message is one line for the operator."""
