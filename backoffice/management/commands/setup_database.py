from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from backoffice.lib import roles


class Command(BaseCommand):
    help = (
        "Make the runtime role (of DATABASE_URL) and the read-only role, and grant them what they need. "
        "Run it as the owner (DATABASE_OWNER_URL), who needs CREATEROLE; safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default="owner", help="Alias of the owner's connection.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] not in settings.DATABASES:
            raise CommandError("Set DATABASE_OWNER_URL: the role that owns the tables, other than DATABASE_URL's.")
        owner = connections[options["database"]]
        app = settings.DATABASES["default"]
        if owner.settings_dict["USER"] == app["USER"]:
            raise CommandError("DATABASE_URL and DATABASE_OWNER_URL name one role: evidence would be unguarded.")
        readonly = roles.readonly_login(settings.READONLY_DATABASE_URL, app["USER"])
        roles.ensure(owner, roles.Login(app["USER"], app["PASSWORD"]))
        roles.ensure(owner, readonly)
        roles.limit(owner, app["USER"])
        roles.open_schema(owner, app["USER"], readonly.name)
        roles.apply(owner, app_role=app["USER"], readonly_role=readonly.name)
        self.stdout.write(f"ok: roles {app['USER']} and {readonly.name}")
