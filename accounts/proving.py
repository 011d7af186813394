"""What this app offers to the proof of customers' figures: a rule of its own, and where staff read the outcome."""

from accounts import selectors
from accounts.selectors.figures import ACTIVE_LATER
from accounts.services.activities import ACTIVE_RESOLUTION
from backoffice.lib import roles
from backoffice.lib.admin.proofs import is_too_old
from backoffice.lib.proving import FigureRule, figure_rules
from backoffice.lib.registry import NavigationItem, navigation


def register() -> None:
    """Called once, from ``offers.register()``."""
    roles.declare("accounts_figuresproof", roles.TableGrant())
    figure_rules.register(
        FigureRule(
            key="last-active",
            figure="last_active_at",
            rule="nobody did anything after they were last active, to five minutes",
            query=ACTIVE_LATER,
            parameters=lambda: {"resolution": ACTIVE_RESOLUTION},
            order=10,
        )
    )
    navigation.register(
        NavigationItem(
            key="figures",
            section="Health",
            label="Figures",
            url_name="admin:accounts_figuresproof_changelist",
            icon="shield",
            permission="accounts.view_figuresproof",
            order=110,
            badge=wrong_figures_badge,
            alarm="Figures of customers were wrong in their last proof, or were not proven for 36 hours.",
        )
    )


def wrong_figures_badge() -> int:
    """Wrong figures of the last proof; 1 when it is too long ago to trust."""
    proof = selectors.last_figures_proof()
    if proof is None:
        return 0
    return proof.faults or int(is_too_old(proof))
