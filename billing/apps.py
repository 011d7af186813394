from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from billing import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
