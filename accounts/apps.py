from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Customers"

    def ready(self) -> None:
        from accounts import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
