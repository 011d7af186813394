"""Proving the ledger and keeping the outcome."""

import logging
from collections.abc import Callable

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.proving import Findings
from backoffice.lib.snapshot import snapshot
from credits import selectors
from credits.models import IntegrityRun

logger = logging.getLogger(__name__)


def verify_ledger(
    *, source: str, actor: User | None = None, report: Callable[[selectors.Fault], None] = lambda fault: None
) -> IntegrityRun:
    """Check every rule over all accounts in one snapshot, ``report`` each broken row, and keep how it went.

    ``source`` says who asked: beat, command or staff. The audit log tells of what people ask for; at the shell nobody
    knows who they are.
    """
    run, findings = IntegrityRun(source=source, started_at=clock.now()), Findings()
    with snapshot():
        run.accounts = selectors.number_of_accounts()
        for fault in selectors.verify():
            report(fault)
            findings.add(rule=fault.rule, account=fault.account_id, row=fault.row_id, detail=fault.detail)
    run.faults, run.findings = findings.count, findings.first
    if run.faults:
        logger.error("the ledger is broken", extra={"faults": run.faults, "first": run.findings[0]})
    return _keep(run, actor)


@transaction.atomic
def _keep(run: IntegrityRun, actor: User | None) -> IntegrityRun:
    run.finished_at = clock.now()
    run.save()
    if run.source != "beat":
        audit.record(
            action=Action.LEDGER_VERIFIED,
            actor=actor,
            resource=audit.Resource.of(run),
            new_values={"faults": run.faults},
        )
    return run
