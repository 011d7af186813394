"""The shell of the back office: settings, addresses and the wiring of the apps. It holds no rule."""

from backoffice.celery import app as celery_app

__all__ = ["celery_app"]
