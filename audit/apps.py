from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
