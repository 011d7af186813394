"""What a database says of the releases that wrote it."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader


def unknown_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """The migrations that the database has had and this release does not know, as ``app.name``."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations) | {
        replaced for migration in loader.disk_migrations.values() for replaced in migration.replaces
    }
    return sorted(".".join(key) for key in loader.applied_migrations if key not in known)
