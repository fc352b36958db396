"""The channels of alerts: mail by SMTP, and any other service that `apprise` can send to.

Addresses are written as apprise writes them. Mail is sent by `smtplib`, because apprise would add a second Message-ID
and reports only success or failure. Passwords and recipients are never shown or logged.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import quote, urlsplit

import apprise

from app.settings import get_variable

_TIMEOUT = 60.0  # seconds that a mail server has to answer
_TO = "{to}"


class AlertsNotConfiguredError(Exception):
    """Alerts are not configured, or the configuration cannot be used. The message says how to fix it."""


class UnreachableError(Exception):
    """Nothing can be sent at the moment. The message says why, and how to fix it."""


class NotSentError(Exception):
    """One message was not accepted, as far as is known. The text says why, and how to fix it."""


class RejectedError(NotSentError):
    """One message was rejected for good. Sending it again is useless until somebody corrects what is wrong."""


class BrokenConnectionError(NotSentError):
    """The connection broke before the answer; the server may still have accepted the message."""


@dataclass(frozen=True)
class Message:
    """A message to send.

    - `number`: unique to the message, and the same at every attempt to send it
    - `from_name`: the name beside the sender's address; if blank, that of ALERT_URL
    - `reply_to`: the address for replies, if it differs from the sender's
    - `language`: the language of the text, such as "cy"
    """

    number: str
    to: str
    subject: str
    body: str
    written_at: datetime
    from_name: str = ""
    reply_to: str = ""
    language: str = "en"


def _create_plugin(name: str, url: str) -> Any:
    apprise.logger.disabled = True  # it would log the recipients
    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        raise AlertsNotConfiguredError(
            f"{name} is not an address that apprise knows, such as mailtos://user:password@host."
        )
    return plugin


class Mail:
    """Sends mail, each message to one person over its own connection. `plugin` is apprise's reading of the address."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin
        self._from_name, self._from = plugin.from_addr

    def send(self, message: Message) -> None:
        """Send a message. Raises UnreachableError or NotSentError unless it was accepted."""
        smtp = self._connect()
        try:
            smtp.send_message(self._write_mail(message), self._from, [message.to])
            with suppress(smtplib.SMTPException, OSError):  # it is already accepted
                smtp.quit()
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise _classify_error(error) from None
        finally:
            smtp.close()

    def probe(self) -> None:
        """Check whether mail can be sent, as far as possible without sending any. Raises UnreachableError if not."""
        self._connect().close()

    def _connect(self) -> smtplib.SMTP:
        server = self._plugin
        context = ssl.create_default_context()
        if not server.verify_certificate:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        smtp: smtplib.SMTP | None = None
        try:
            if server.secure_mode == "ssl":
                smtp = smtplib.SMTP_SSL(server.smtp_host, server.port, timeout=_TIMEOUT, context=context)
            else:
                smtp = smtplib.SMTP(server.smtp_host, server.port, timeout=_TIMEOUT)
            if server.secure_mode == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if server.user and server.password:
                smtp.login(server.user, server.password)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            if smtp is not None:
                smtp.close()
            raise UnreachableError(_explain_unreachable(f"{server.smtp_host}:{server.port}", error)) from None
        return smtp

    def _write_mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(message.from_name or self._from_name or "", addr_spec=self._from)
        mail["To"] = message.to
        if message.reply_to:
            mail["Reply-To"] = message.reply_to
        mail["Subject"] = message.subject
        mail["Date"] = message.written_at
        mail["Message-ID"] = f"<{message.number}@{self._from.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body, cte="quoted-printable")
        mail["Content-Language"] = message.language
        return mail


class Service:
    """Sends to any other service that apprise supports, with an address for each message."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url

    def send(self, message: Message) -> None:
        plugin = _create_plugin(self._name, self._url.replace(_TO, quote(message.to, safe="")))
        if not plugin.notify(title=message.subject, body=message.body, body_format="text"):
            raise NotSentError(f"The service in {self._name} did not accept it. Check the address and the service.")

    def probe(self) -> None:
        """Do nothing, because such a service cannot be tested without sending."""


Transport = Mail | Service


@dataclass(frozen=True)
class Transports:
    """The ways to send: `to_staff` for each member of staff; `shared` for the channel that several people read, or
    None. `address` is the program's address, for links."""

    to_staff: Transport
    shared: Transport | None
    address: str


def is_configured() -> bool:
    """Whether alerts are configured, even if incorrectly."""
    return bool(get_variable("ALERT_URL"))


def load_transports() -> Transports:
    """The configured transports. Raises AlertsNotConfiguredError if there is none, or one cannot be used."""
    to_staff, address, shared = get_variable("ALERT_URL"), get_variable("APP_URL") or "", get_variable("ALERT_CHANNEL")
    if not to_staff:
        raise AlertsNotConfiguredError(
            "No alerts are configured. Set ALERT_URL and APP_URL; docs/service.md explains how."
        )
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise AlertsNotConfiguredError(
            "APP_URL is not the address at which staff open the program: set it, for example to "
            "https://protocol.school.example, so that alerts can lead there."
        )
    plugin = _create_plugin("ALERT_URL", to_staff.replace(_TO, "somebody@school.example"))
    is_mail = urlsplit(to_staff).scheme in ("mailto", "mailtos")
    if not is_mail and _TO not in to_staff:
        raise AlertsNotConfiguredError(
            "ALERT_URL has to say where the recipient's address goes: write {to} there, or use mailtos://."
        )
    if shared:
        _create_plugin("ALERT_CHANNEL", shared)
    return Transports(
        to_staff=Mail(plugin) if is_mail else Service("ALERT_URL", to_staff),
        shared=Service("ALERT_CHANNEL", shared) if shared else None,
        address=address.rstrip("/"),
    )


_REJECTED = {  # what a mail server rejects while a message is sent, with the fix
    smtplib.SMTPRecipientsRefused: ("the address", "Correct it on the roster, or ask the mail administrator."),
    smtplib.SMTPSenderRefused: ("the sender", "Correct from= in ALERT_URL."),
    smtplib.SMTPDataError: ("the message", "Ask the mail administrator."),
}


def _classify_error(error: Exception) -> Exception:
    """An error while sending a message, as UnreachableError, RejectedError, BrokenConnectionError or another
    NotSentError."""
    if isinstance(error, UnicodeError | smtplib.SMTPNotSupportedError):
        return RejectedError("The address has letters that mail cannot carry: correct it on the roster.")
    if type(error) not in _REJECTED:
        return BrokenConnectionError(f"The connection to the mail server broke ({_shorten(error)}).")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    else:
        code, reply = error.args[:2]
    answer = f"{code} {_put_on_one_line(reply)}"
    if code == 421:
        return BrokenConnectionError(f"The mail server ended the connection ({answer}).")
    what, fix = _REJECTED[type(error)]
    is_sender = isinstance(error, smtplib.SMTPSenderRefused)
    if code < 500:
        kind = UnreachableError if is_sender else NotSentError
        return kind(f"The mail server does not accept {what} yet ({answer}).")
    kind = UnreachableError if is_sender else RejectedError
    return kind(f"The mail server rejects {what} ({answer}). {fix}")


def _explain_unreachable(where: str, error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server {where} rejects user or password ({error.smtp_code}). Correct them in ALERT_URL."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"The mail server {where} does not offer what ALERT_URL asks for ({_shorten(error)}). Correct its mode=."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of the mail server {where} is not trusted ({error.verify_message})."
    return f"The mail server {where} cannot be reached ({_shorten(error)}). Check that it runs, and ALERT_URL."


def _shorten(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_put_on_one_line(error.smtp_error)}"
    return _put_on_one_line(getattr(error, "strerror", None) or str(error) or type(error).__name__)


_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def _put_on_one_line(reply: bytes | str) -> str:
    """A server's answer, which may contain anything, on one line of at most 160 characters, without email addresses."""
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    words = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(_ADDRESS.sub("(address)", words).split())[:160]
