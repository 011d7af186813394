from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "credits"
    verbose_name = "Credits"

    def ready(self) -> None:
        from credits import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
