"""Proving the ledger and keeping the outcome."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.snapshot import snapshot
from credits import selectors
from credits.models import IntegrityRun

logger = logging.getLogger(__name__)

KEPT_FINDINGS = 100


def verify_ledger(
    *, source: str, actor: User | None = None, report: Callable[[selectors.Fault], None] = lambda fault: None
) -> IntegrityRun:
    """Check every rule over all accounts in one snapshot, ``report`` each broken row, and keep how it went.

    ``source`` says who asked: beat, command or staff. A run of staff is audited.
    """
    started_at, number = clock.now(), 0
    findings: list[dict[str, Any]] = []
    with snapshot():
        accounts = selectors.number_of_accounts()
        for fault in selectors.verify():
            number += 1
            report(fault)
            if number <= KEPT_FINDINGS:
                findings.append(_finding(fault))
    if number:
        logger.error("the ledger is broken", extra={"faults": number, "first": findings[0]})
    return _keep(source=source, actor=actor, started_at=started_at, accounts=accounts, faults=number, findings=findings)


def _finding(fault: selectors.Fault) -> dict[str, Any]:
    return {"rule": fault.rule, "account": fault.account_id, "row": fault.row_id, "detail": fault.detail}


@transaction.atomic
def _keep(
    *,
    source: str,
    actor: User | None,
    started_at: datetime,
    accounts: int,
    faults: int,
    findings: list[dict[str, Any]],
) -> IntegrityRun:
    run = IntegrityRun.objects.create(
        source=source,
        started_at=started_at,
        finished_at=clock.now(),
        accounts=accounts,
        faults=faults,
        findings=findings,
    )
    if actor is not None:
        audit.record(
            action=Action.LEDGER_VERIFIED,
            actor=actor,
            resource=audit.Resource.of(run),
            new_values={"faults": faults},
        )
    return run
