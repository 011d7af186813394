"""How tests run: real PostgreSQL as the runtime role, started by itself unless DATABASE_URL names another."""

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

from backoffice.lib import embedded
from tests import databases, stack

pytest_plugins = ["tests.stripe_lists", "tests.stripe_server"]

_servers = ExitStack()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers first: they take longest, and so no worker waits for one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        # What all workers share. Whoever needs it first makes it.
        os.environ[databases.TEMPLATE] = f"test_template_{os.getpid()}"
        os.environ[stack.PREPARED] = str(_servers.enter_context(stack.data_directory()))
        settings_are_embedded = not os.environ.get("DATABASE_URL")
        _servers.enter_context(
            embedded.running(
                embedded.data_dir(os.environ), postgres=settings_are_embedded, redis=not os.environ.get("REDIS_URL")
            )
        )
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # WhiteNoise warns when there is nothing to serve from.
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    # Hashing passwords slowly is for attackers; tests log in hundreds of times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _is_worker(session.config) and not session.config.option.collectonly:
        databases.drop_template()


def pytest_unconfigure(config: pytest.Config) -> None:
    _servers.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> Iterator[None]:
    """A clone of the migrated template, for this process alone."""
    template = databases.template()
    name = f"{template}_{os.environ.get('PYTEST_XDIST_WORKER', 'single')}"
    databases.create(name, template)
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    databases.drop(name)


@pytest.fixture(autouse=True)
def _anchors_of_its_own(settings, tmp_path_factory) -> None:
    """No test writes to, or is held against, the anchors of the audit log of the checkout."""
    settings.AUDIT_ANCHOR_FILE = tmp_path_factory.getbasetemp() / f"anchors-{uuid.uuid4().hex}.log"


@pytest.fixture
def django_assert_num_queries(django_assert_num_queries, monkeypatch):
    """pytest-django's, of pages whose sidebar asks for no badge: else a new badge would move the number of each page.

    What a badge costs is pinned once, in ``backoffice/lib/tests/test_admin_shell.py``.
    """
    monkeypatch.setattr("backoffice.lib.admin.navigation._badge", lambda request, entry: None)
    return django_assert_num_queries


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """After a test that commits, the owner empties the tables: the runtime role cannot, and must not."""
    patch = pytest.MonkeyPatch()

    def teardown(self: TransactionTestCase) -> None:
        connections.close_all()
        databases.flush(settings.DATABASES["default"]["NAME"])

    patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
    yield
    patch.undo()
