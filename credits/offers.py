"""What this app offers to the rest of the house, under strings."""

from backoffice.lib import roles

ACCOUNT_FIGURES = (
    "balance",
    "lots_total",
    "seq",
    "last_posted_at",
    "lifetime_purchased",
    "lifetime_consumed",
    "updated_at",
)


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("credits_creditaccount", roles.TableGrant(update=ACCOUNT_FIGURES))
    roles.declare("credits_credittransaction", roles.TableGrant())
    roles.declare("credits_creditdraw", roles.TableGrant())
    roles.declare("credits_creditlot", roles.TableGrant(update=("remaining",)))
