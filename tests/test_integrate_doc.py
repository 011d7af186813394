"""The examples of docs/integrate.md, run in their order against a server, with nothing set but what it says."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.api import key
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "integrate.md"
FENCED = re.compile(r"^```(bash|python|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(live_server):
    user = CustomerFactory(external_id="u_1", email="ada@example.com")
    services.post(Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(100), idempotency_key="test:gift"))
    return {"PATH": os.environ["PATH"], "BASE": f"{live_server.url}/api/v1", "KEY": key()}


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
    helper, said, compared = "", "", 0
    for language, text in FENCED.findall(DOCUMENT.read_text()):
        if language == "bash":
            said = run(["bash", "-euc", text], environment)
            json.loads(said)
        elif language == "python":
            said = run([sys.executable, "-c", helper + text], environment)
            assert said
            helper = helper or text
        else:
            assert shape(json.loads(said)) == shape(json.loads(text))
            compared += 1
    assert compared == 3
