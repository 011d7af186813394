"""What this app offers to the rest of the house, under strings."""

from backoffice.lib import roles


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("audit_auditentry", roles.TableGrant())
    # The sealing trigger runs with the owner's rights; the runtime role only reads the head to prove the chain.
    roles.declare("audit_chainhead", roles.TableGrant(insert=False))
