"""A real mail server on the loopback interface. It records what it received, and answers as a test tells it to."""

import socket
import threading
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ADDRESS = "https://protocol.school.example"  # the program's address, for links in emails


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def finish_sending() -> None:
    """Wait until the threads that send have ended."""
    for thread in threading.enumerate():
        if thread.name == "alerts":
            thread.join()


class MailServer:
    """A mail server. `mails` has the emails as they arrived. `at_word` is called with "RCPT", "DATA" (when the content
    has arrived) or "QUIT", and the address; if it returns a text, the server answers that instead of accepting."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.at_word: Callable[[str, str], str | None] = lambda word, address: None
        self.hang_up = False  # instead of answering a message that was received

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=protocol@school.example&name=Habs%20Monmouth"

    def texts(self) -> list[str]:
        return [mail.get_content().replace("\r\n", "\n") for mail in self.mails]

    def to(self) -> list[str]:
        return sorted(str(mail["To"]) for mail in self.mails)

    @contextmanager
    def running(self) -> Iterator["MailServer"]:
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: Any) -> str:
        if refusal := self.at_word("RCPT", address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if refusal := self.at_word("DATA", envelope.rcpt_tos[0]):
            return refusal
        mail = message_from_bytes(cast(bytes, envelope.original_content), policy=default)
        self.mails.append(mail)
        if self.hang_up:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return "250 OK"
