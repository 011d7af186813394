import pytest


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    """What is uploaded and what jobs leave behind goes into a folder of the test."""
    backend = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = settings.STORAGES | {
        name: {"BACKEND": backend, "OPTIONS": {"location": tmp_path / name}} for name in ("uploads", "results")
    }
