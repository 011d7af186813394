from typing import Any

from django.core.management.base import BaseCommand, CommandError

from credits import selectors, services


class Command(BaseCommand):
    help = "Prove the ledger over all accounts. Prints each broken row and exits with 1."

    def handle(self, *args: Any, **options: Any) -> None:
        run = services.verify_ledger(source="command", report=self._print)
        if run.faults:
            raise CommandError(f"{run.faults} broken rows in {run.accounts} accounts")
        self.stdout.write(f"ok: {run.accounts} accounts, {len(selectors.RULES)} rules")

    def _print(self, fault: selectors.Fault) -> None:
        self.stderr.write(f"account {fault.account_id}, row {fault.row_id}: {fault.rule}; {fault.detail}")
