"""Grants follow every migrate, so that no table is left open to the runtime role or closed to it."""

from typing import Any

from django.conf import settings
from django.db import connections

from backoffice.lib import roles


def apply_after_migrate(*, using: str, **_: Any) -> None:
    """Grant anew on the database that was migrated, when its owner migrated it for another role."""
    app_role = settings.DATABASES["default"]["USER"]
    connection = connections[using]
    if connection.settings_dict["USER"] == app_role or not roles.exists(connection, app_role):
        return
    readonly = roles.readonly_login(settings.READONLY_DATABASE_URL, app_role).name
    roles.apply(connection, app_role=app_role, readonly_role=readonly if roles.exists(connection, readonly) else None)
