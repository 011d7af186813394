from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import selectors
from audit.models import ChainHead


class Command(BaseCommand):
    help = "Prove the audit log's hash chain. Names the first broken row and exits with 1."

    def handle(self, *args: Any, **options: Any) -> None:
        fault = selectors.first_chain_fault()
        if fault:
            raise CommandError(f"audit entry {fault.entry_id} (seq {fault.seq}): {fault.why}")
        head = ChainHead.objects.get()
        self.stdout.write(f"ok: {head.seq} entries, head {head.hash}")
