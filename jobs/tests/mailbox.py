"""A mail server for tests: it takes what it is sent, or says the code that it was told to say."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Mailbox:
    """``refusals`` maps a verb of SMTP (RCPT, DATA) to the line that it is answered with."""

    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    refusals: dict[bytes, bytes] = field(default_factory=dict)
    got: list[EmailMessage] = field(default_factory=list)


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            for line in self.rfile:
                verb = line[:4].strip().upper()
                if verb in mailbox.refusals:
                    self.wfile.write(mailbox.refusals[verb] + b"\r\n")
                elif verb == b"DATA":
                    self._take()
                elif verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

        def _take(self) -> None:
            self.wfile.write(b"354 go on\r\n")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            parsed: Any = message_from_bytes(b"".join(lines), policy=policy.default)
            mailbox.got.append(parsed)
            self.wfile.write(b"250 taken\r\n")

    server = socketserver.ThreadingTCPServer((mailbox.host, 0), Handler)
    server.daemon_threads = True
    mailbox.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield mailbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
