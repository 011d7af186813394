"""One POST to an address that the settings name."""

import time

import requests
import urllib3
from requests.adapters import HTTPAdapter

from jobs.services.channels.answers import Answer, readable

TIMEOUT_SECONDS = 10
# The beginning of an answer tells what went wrong; nobody reads on.
MOST_ANSWER_BYTES = 2048
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Backoffice/1",
    # What is read is bounded, also once it is unpacked.
    "Accept-Encoding": "identity",
}


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """Send ``body``, which is JSON. Only 2xx is taken for a yes; a redirect is not followed."""
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=0))
        session.mount("https://", HTTPAdapter(max_retries=0))
        try:
            response = session.post(
                url,
                data=body,
                headers={**HEADERS, **(headers or {})},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            return Answer(ok=False, text=_told(error))
        with response:
            return _answer(response)


def _answer(response: requests.Response) -> Answer:
    text = _beginning(response)
    if response.is_redirect or response.is_permanent_redirect:
        text = f"Redirects are not followed. {text}"
    return Answer(ok=200 <= response.status_code < 300, status_code=response.status_code, text=readable(text))


def _beginning(response: requests.Response) -> str:
    """What came of the body in time: the status alone decides."""
    deadline, read = time.monotonic() + TIMEOUT_SECONDS, b""
    try:
        while len(read) < MOST_ANSWER_BYTES and time.monotonic() < deadline:
            if not (chunk := response.raw.read1(MOST_ANSWER_BYTES - len(read), decode_content=False)):
                break
            read += chunk
    except (OSError, urllib3.exceptions.HTTPError):
        return f"{read.decode(errors='replace')} (the answer broke off)"
    return read.decode(errors="replace")


def _told(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return f"No answer within {TIMEOUT_SECONDS} seconds."
    # The innermost cause: the wrappers around it name the address, which may hold a secret.
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return readable(f"The connection failed ({type(cause).__name__}: {cause}).")
