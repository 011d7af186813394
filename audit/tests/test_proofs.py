"""The proof of the log: by night, on demand, kept, shown, and held against what lies outside of the database."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse

from audit import services, tasks
from audit.models import AuditEntry, AuditProof, ChainHead
from audit.offers import _proof_badge
from audit.tests.test_chain import THING, as_owner, edit_by_hand, record
from backoffice.lib import clock
from backoffice.lib.admin import proofs
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:audit_auditproof_changelist")
CHECK = reverse("admin:audit_auditproof_check")
LOG = reverse("admin:audit_auditentry_changelist")
# What somebody does who can write to the whole database: the content changed, every seal computed anew.
RECHAINED = """
DO $$
DECLARE
    entry audit_auditentry;
    last text := repeat('0', 64);
    number bigint := 0;
BEGIN
    UPDATE audit_auditentry SET seq = NULL, hash = NULL, prev_hash = NULL;
    FOR entry IN SELECT * FROM audit_auditentry ORDER BY id LOOP
        number := number + 1;
        UPDATE audit_auditentry SET seq = number, prev_hash = last, hash = audit_entry_hash(entry, number, last)
        WHERE id = entry.id RETURNING hash INTO last;
    END LOOP;
    UPDATE audit_chainhead SET seq = number, hash = last;
END
$$
"""


@pytest.fixture
def anchors() -> Path:
    return Path(configured.AUDIT_ANCHOR_FILE)


@pytest.fixture
def three_entries():
    for _ in range(3):
        record(reason="as it was")


def test_a_night_proves_the_log_keeps_the_outcome_and_anchors_the_head(three_entries, anchors):
    tasks.verify_audit()
    proof = AuditProof.objects.get()
    head = ChainHead.objects.get()
    assert (proof.source, proof.entries, proof.head_hash, proof.fault) == ("beat", 3, head.hash, "")
    [line] = anchors.read_text().splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ 3 {head.hash}", line)
    assert anchors.stat().st_mode & 0o077 == 0
    record()
    tasks.verify_audit()
    assert (AuditProof.objects.latest("pk").anchors, len(anchors.read_text().splitlines())) == (1, 2)
    assert not AuditEntry.objects.filter(action="audit.verify").exists()


REWRITTEN = {
    "UPDATE audit_auditentry SET reason = 'another' WHERE seq = 2": r"seq 3\): it was anchored at .*: the log was rew",
    "DELETE FROM audit_auditentry WHERE seq = 2": r"seq 3\): it was anchored at .*, and it is gone",
    "DELETE FROM audit_auditentry WHERE seq = 3": r"seq 3\): it was anchored at .*, and it is gone",
    "DELETE FROM audit_auditentry": r"seq 3\): it was anchored at .*, and it is gone",
}


@pytest.mark.parametrize("statement", REWRITTEN)
def test_a_log_that_was_rewritten_with_its_whole_chain_is_found_by_an_anchor(three_entries, statement):
    tasks.verify_audit()
    edit_by_hand(f"{statement};{RECHAINED}")
    with pytest.raises(CommandError, match=REWRITTEN[statement]):
        call_command("verify_audit")


def test_without_the_anchor_such_a_log_would_pass(three_entries, anchors, capsys):
    tasks.verify_audit()
    anchors.unlink()
    edit_by_hand(f"UPDATE audit_auditentry SET reason = 'another' WHERE seq = 2;{RECHAINED}")
    call_command("verify_audit")
    assert capsys.readouterr().out.startswith("ok: 3 entries, 0 anchors")


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff", b"2026-01-01T00:00:00Z 1\n"])
def test_a_file_of_anchors_that_cannot_be_read_is_a_fault(three_entries, anchors, content):
    anchors.write_bytes(content)
    with pytest.raises(CommandError, match="anchor"):
        call_command("verify_audit")
    tasks.verify_audit()
    assert anchors.read_bytes() == content


def test_a_broken_log_is_not_anchored(three_entries, anchors):
    edit_by_hand("UPDATE audit_auditentry SET reason = 'edited' WHERE seq = 2")
    tasks.verify_audit()
    proof = AuditProof.objects.get()
    assert "seq 2): its content was changed" in proof.fault
    assert not anchors.exists()
    assert _proof_badge() == 1


def test_an_anchor_that_cannot_be_written_is_told(three_entries, anchors, settings):
    settings.AUDIT_ANCHOR_FILE = anchors / "nowhere" / "anchors.log"
    tasks.verify_audit()
    proof = AuditProof.objects.get()
    assert (proof.fault, "No such file" in proof.anchor_error) == ("", True)
    assert _proof_badge() == 1


def test_a_command_anchors_nothing_and_is_told_of_in_the_log(three_entries, anchors):
    call_command("verify_audit")
    proof = AuditProof.objects.get()
    assert proof.source == "command"
    assert not anchors.exists()
    entry = AuditEntry.objects.get(action="audit.verify")
    assert (entry.actor_label, entry.resource_id) == ("system", str(proof.pk))
    assert entry.new_values == {"entries": 3, "fault": ""}


def test_a_log_that_takes_no_entry_any_more_is_proven_broken_all_the_same(three_entries):
    edit_by_hand("UPDATE audit_chainhead SET seq = 1")
    with pytest.raises(CommandError, match="the log ends at 3 but 1 rows were sealed"):
        call_command("verify_audit")
    assert "the log ends at 3" in AuditProof.objects.get().fault
    assert not AuditEntry.objects.filter(action="audit.verify").exists()


def test_verify_now_hands_the_work_to_a_worker_in_the_name_of_who_asked(client, monkeypatch):
    member = StaffFactory(permissions=["audit.view_auditproof", "audit.verify_audit"])
    client.force_login(member)
    asked = []
    monkeypatch.setattr(proofs, "nudge", lambda task, *args: asked.append((task, args)))
    assert "A worker checks the audit log now" in client.post(CHECK, follow=True).content.decode()
    [(task, args)] = asked
    task(*args)
    task(*args)
    proof = AuditProof.objects.get()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.resource_id) == ("audit.verify", member.pk, str(proof.pk))


def test_verify_now_needs_its_permission(client):
    client.force_login(StaffFactory(permissions=["audit.view_auditproof"]))
    assert client.post(CHECK).status_code == 403
    assert CHECK not in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("fault", "age", "badge"), [("", 0, 0), ("broken", 0, 1), ("", 2 * proofs.PROOF_LASTS / timedelta(hours=1), 1)]
)
def test_the_badge_waits_for_somebody_when_the_log_is_broken_or_the_proof_is_old(fault, age, badge):
    kept(fault, hours=age)
    assert _proof_badge() == badge


def test_without_any_proof_nothing_waits():
    assert _proof_badge() == 0


def test_the_log_itself_warns_when_the_last_proof_found_it_broken(client):
    client.force_login(StaffFactory(is_superuser=True))
    kept("audit entry 2 (seq 2): its content was changed")
    assert "its content was changed" in client.get(LOG).content.decode()
    kept("")
    assert "its content was changed" not in client.get(LOG).content.decode()


def test_the_pages_of_a_proof_show_what_was_found(client):
    client.force_login(StaffFactory(permissions=["audit.view_auditproof"]))
    proof = kept("<b>broken</b>")
    for address in (LIST, reverse("admin:audit_auditproof_change", args=[proof.pk])):
        assert "&lt;b&gt;broken&lt;/b&gt;" in client.get(address).content.decode()


def kept(fault, hours=0):
    at = clock.now() - timedelta(hours=hours)
    return AuditProof.objects.create(
        source="beat", started_at=at, finished_at=at, entries=3, head_hash="0" * 64, anchors=0, fault=fault
    )


def test_an_entry_that_comes_while_the_proof_runs_does_no_harm(monkeypatch, three_entries, anchors):
    """The anchor is the head that was proved, not one that came after."""
    real = services.proofs.selectors.first_chain_fault

    def slow(found):
        fault = real(found)
        with as_owner() as connection:
            connection.execute(
                "INSERT INTO audit_auditentry (at, action, actor_label, resource_type, resource_id, resource_label,"
                " old_values, new_values, reason, user_agent, request_id)"
                " VALUES (now(), 'tests.late', 'x', 'x', '', '', '{}', '{}', '', '', '')"
            )
        return fault

    monkeypatch.setattr("audit.selectors.first_chain_fault", slow)
    tasks.verify_audit()
    monkeypatch.undo()
    assert anchors.read_text().split()[1] == "3"
    with transaction.atomic():
        services.record(action="tests.act", actor=None, resource=THING)
    tasks.verify_audit()
    assert AuditProof.objects.latest("pk").fault == ""
