"""Proving the log, keeping the outcome, and writing the head of the chain down where the database cannot reach."""

import os
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, models, transaction

from audit import selectors
from audit.actions import Action
from audit.models import AuditProof, ChainHead
from audit.selectors import Anchor, AnchorsUnreadable, ChainFault
from audit.services.recording import Resource, record
from backoffice.lib import clock
from backoffice.lib.snapshot import snapshot

logger = structlog.get_logger(__name__)

TEXT_LENGTH = 500
# A command may be run by somebody whose file the worker could not append to.
ANCHORING = ("beat", "staff")


def verify_audit(*, source: str, actor: models.Model | None = None) -> AuditProof:
    """Prove the whole chain in one snapshot, against the anchors too, and keep how it went.

    ``source`` says who asked: beat, command or staff. What a worker found sound is anchored. The log tells of what
    people ask for; at the shell nobody knows who they are.
    """
    proof = AuditProof(source=source, started_at=clock.now())
    # Before the snapshot: an anchor of an entry that is younger than it would seem to be missed.
    anchors, fault = _anchors()
    with snapshot():
        fault = fault or _text(selectors.first_chain_fault(anchors))
        head = selectors.head()
    proof.entries, proof.head_hash, proof.anchors, proof.fault = head.seq, head.hash, len(anchors), fault
    if fault:
        logger.error("the audit log is broken", fault=fault)
    elif source in ANCHORING:
        proof.anchor_error = _anchor(head)
    return _keep(proof, actor)


def _anchors() -> tuple[list[Anchor], str]:
    try:
        return list(selectors.read_anchors(Path(settings.AUDIT_ANCHOR_FILE))), ""
    except AnchorsUnreadable as error:
        return [], str(error)[:TEXT_LENGTH]


def _text(fault: ChainFault | None) -> str:
    return str(fault)[:TEXT_LENGTH] if fault else ""


def _anchor(head: ChainHead) -> str:
    """Append the head of the chain to the file; why that failed, or nothing."""
    line = f"{Anchor(clock.now().strftime('%Y-%m-%dT%H:%M:%SZ'), head.seq, head.hash)}\n"
    try:
        # One write to the end, so that two at once make two lines; on the disk before we say so.
        file = os.open(settings.AUDIT_ANCHOR_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line.encode("ascii"))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        logger.error("the audit log could not be anchored", error=str(error))
        return str(error)[:TEXT_LENGTH]
    return ""


def _keep(proof: AuditProof, actor: models.Model | None) -> AuditProof:
    proof.finished_at = clock.now()
    if not proof.fault:
        with transaction.atomic():
            proof.save()
            _tell(proof, actor)
        return proof
    proof.save()
    try:
        with transaction.atomic():
            _tell(proof, actor)
    except DatabaseError as error:
        # A log that is broken may refuse to go on, and what was found must be told all the same.
        logger.error("the audit log takes no entry", error=str(error))
    return proof


def _tell(proof: AuditProof, actor: models.Model | None) -> None:
    if proof.source == "beat":
        return
    record(
        action=Action.AUDIT_VERIFIED,
        actor=actor,
        resource=Resource.of(proof),
        new_values={"entries": proof.entries, "fault": proof.fault},
    )
