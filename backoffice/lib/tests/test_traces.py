import io

import pytest

from backoffice.lib import traces
from backoffice.lib.traces import tells_of

NAME = "Ada@example.com"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp1252"])
def test_a_name_is_found_in_any_encoding_and_case(encoding):
    assert tells_of(io.BytesIO("x,ADA@Example.com,y\n".encode(encoding)), [NAME])
    assert not tells_of(io.BytesIO("x,grace@example.com,y\n".encode(encoding)), [NAME])


@pytest.mark.parametrize("at", range(1, 40))
def test_a_name_that_lies_across_two_pieces_is_found(monkeypatch, at):
    monkeypatch.setattr(traces, "CHUNK_BYTES", 16)
    assert tells_of(io.BytesIO(b"." * at + NAME.encode() + b"."), ["", NAME])


def test_nobody_is_found_by_no_name():
    assert not tells_of(io.BytesIO(b"text"), [""])
