"""The shell as an app, for its commands, and the admin site that the apps hang their pages on."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        from backoffice import default_roles, grants, probes  # noqa: PLC0415 (models are loaded only now)

        # Sent once for each app with models, after all have migrated: one of them is enough.
        post_migrate.connect(grants.apply_after_migrate, sender=apps.get_app_config("auth"))
        last = [app for app in apps.get_app_configs() if app.models_module][-1]
        post_migrate.connect(default_roles.apply_after_migrate, sender=last)
        probes.register()


class BackofficeAdminConfig(AdminConfig):
    default_site = "backoffice.lib.admin.site.BackofficeSite"
