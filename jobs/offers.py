"""What this app offers to the rest of the house, under strings."""

from backoffice.lib import roles

# What becomes of a request; what was asked for is frozen.
DECISION = ("state", "decided_by_id", "decided_at", "decision_reason", "outcome")


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("jobs_approval", roles.TableGrant(update=DECISION))
    roles.declare("jobs_limituse", roles.TableGrant())
    roles.hide("jobs_outboxmessage", ("body", "payload", "recipient"))
