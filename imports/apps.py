from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        from imports import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
