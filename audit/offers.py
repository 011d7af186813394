"""What this app offers to the rest of the house, under strings."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from audit import selectors
from audit.exporting import offer
from audit.exports import AUDIT
from backoffice.lib import roles
from backoffice.lib.admin.proofs import is_too_old
from backoffice.lib.registry import CustomerPanel, NavigationItem, customer_panels, navigation

SHOWN_ENTRIES = 10
CUSTOMER = "accounts.user"


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("audit_auditentry", roles.TableGrant())
    # The sealing trigger runs with the owner's rights; the runtime role only reads the head to prove the chain.
    roles.declare("audit_chainhead", roles.TableGrant(insert=False))
    roles.declare("audit_auditproof", roles.TableGrant())
    offer(AUDIT)
    navigation.register(
        NavigationItem(
            key="audit-proofs",
            section="Audit",
            label="Proofs",
            url_name="admin:audit_auditproof_changelist",
            icon="shield",
            permission="audit.view_auditproof",
            order=110,
            badge=_proof_badge,
            alarm="The audit log did not hold in its last proof, was not anchored, or was not proven for 36 hours.",
        )
    )
    navigation.register(
        NavigationItem(
            key="audit",
            section="Audit",
            label="Audit log",
            url_name="admin:audit_auditentry_changelist",
            icon="audit",
            permission="audit.view_auditentry",
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="audit",
            title="Audit",
            template="audit/panels/entries.html",
            permission="audit.view_auditentry",
            context=_entries,
            column="side",
            order=300,
            link=_all_entries,
        )
    )


def _proof_badge() -> int:
    """1 when the log is broken, or was last proved too long ago to trust."""
    proof = selectors.last_proof()
    return 0 if proof is None else int(bool(proof.fault or proof.anchor_error) or is_too_old(proof))


def _entries(request: HttpRequest, customer: Any) -> dict[str, Any]:
    entries = selectors.entries_about(resource_type=CUSTOMER, resource_id=str(customer.pk))
    return {"entries": entries[:SHOWN_ENTRIES]}


def _all_entries(customer: Any) -> str:
    about = urlencode({"resource_type__exact": CUSTOMER, "resource_id__exact": customer.pk})
    return f"{reverse('admin:audit_auditentry_changelist')}?{about}"
