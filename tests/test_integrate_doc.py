"""The examples of docs/integrate.md, run in their order against a server, with nothing set but what it says."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.services import ban_customer, unban_customer
from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.api import key
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "integrate.md"
FENCED = re.compile(r"^```(bash|python|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


WEBHOOK_SECRET = "a-secret-of-the-product"


@pytest.fixture
def environment(live_server, settings):
    settings.PRODUCT_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    user = CustomerFactory(external_id="u_1", email="ada@example.com")
    services.post(Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(100), idempotency_key="test:gift"))
    ban_customer(user_id=user.pk, actor=None, reason="a test")
    unban_customer(user_id=user.pk, actor=None, reason="a test")
    return {
        "PATH": os.environ["PATH"],
        "BASE": f"{live_server.url}/api/v1",
        "KEY": key(),
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"error": {"code"' not in done.stdout, done.stdout
    return done.stdout


def shape(value):
    """What is in an answer, without the values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_every_example_runs_and_answers_what_is_shown(environment):
    helper, said, said_by_python, compared = "", "", "", 0
    for language, text in FENCED.findall(DOCUMENT.read_text()):
        if language == "bash":
            said = run(["bash", "-euc", text], environment)
            json.loads(said)
        elif language == "python":
            said = run([sys.executable, "-c", helper + text], environment)
            assert said
            helper = helper or text
            said_by_python += said
        else:
            assert shape(json.loads(said)) == shape(json.loads(text))
            compared += 1
    assert compared == 3
    assert "'topic': 'user.banned'" in said_by_python
    assert "'topic': 'user.unbanned'" in said_by_python
