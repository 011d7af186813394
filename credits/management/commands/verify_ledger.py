from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.lib.snapshot import snapshot
from credits import selectors
from credits.models import CreditAccount


class Command(BaseCommand):
    help = "Prove the ledger over all accounts. Prints each broken row and exits with 1."

    def handle(self, *args: Any, **options: Any) -> None:
        with snapshot():
            accounts = CreditAccount.objects.count()
            faults = 0
            for faults, fault in enumerate(selectors.verify(), start=1):  # noqa: B007
                self.stderr.write(f"account {fault.account_id}, row {fault.row_id}: {fault.rule}; {fault.detail}")
        if faults:
            raise CommandError(f"{faults} broken rows in {accounts} accounts")
        self.stdout.write(f"ok: {accounts} accounts, {len(selectors.RULES)} rules")
