"""Proving the figures beside customers, and keeping the outcome."""

from collections.abc import Callable

import structlog
from django.db import transaction

from accounts import selectors
from accounts.models import FiguresProof, User
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib import clock
from backoffice.lib.proving import Findings
from backoffice.lib.snapshot import snapshot

logger = structlog.get_logger(__name__)


def verify_figures(
    *,
    source: str,
    actor: User | None = None,
    report: Callable[[selectors.WrongFigure], None] = lambda wrong: None,
) -> FiguresProof:
    """Check what every app told of its figures over all customers in one snapshot, and keep how it went.

    ``report`` is given each wrong figure. ``source`` says who asked: beat, command or staff. The audit log tells of
    what people ask for; at the shell nobody knows who they are.
    """
    proof, findings = FiguresProof(source=source, started_at=clock.now()), Findings()
    with snapshot():
        proof.customers = selectors.number_of_figures()
        for wrong in selectors.wrong_figures():
            report(wrong)
            findings.add(rule=wrong.rule, customer=wrong.customer_id, detail=wrong.detail)
    proof.faults, proof.findings = findings.count, findings.first
    if proof.faults:
        logger.error("figures of customers are wrong", faults=proof.faults, first=proof.findings[0])
    return _keep(proof, actor)


@transaction.atomic
def _keep(proof: FiguresProof, actor: User | None) -> FiguresProof:
    proof.finished_at = clock.now()
    proof.save()
    if proof.source != "beat":
        record(
            action=Action.FIGURES_VERIFIED,
            actor=actor,
            resource=Resource.of(proof),
            new_values={"customers": proof.customers, "faults": proof.faults},
        )
    return proof
