"""A company that is made once for all tests of a module, which look at it and change nothing."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests import databases


@pytest.fixture(scope="module")
def seed_once(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Runs ``seed_demo`` with the options that it is given and returns what that said; the end of the module empties
    the database."""

    def seed(*options: str) -> str:
        out = StringIO()
        call_command("seed_demo", *options, stdout=out)
        return out.getvalue()

    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(settings, "DATA_DIR", tmp_path_factory.mktemp("data"))
        yield seed
        connections.close_all()
        databases.flush(settings.DATABASES["default"]["NAME"])
