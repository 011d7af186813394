from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from jobs import offers  # noqa: PLC0415 (models are loaded only now)

        offers.register()
