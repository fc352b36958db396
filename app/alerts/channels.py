"""The ways out: mail by SMTP, and whatever else `apprise` speaks.

Addresses are written as apprise writes them. Mail is handed over in a conversation of our own: apprise would
add a second Message-ID and tell no more than yes or no, while an alert that is to arrive once needs to know at
which word the mail server may have taken it. Nothing here says or logs a password or who was written to.
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from app.settings import variable

_ANSWERS = 30.0  # seconds in which a mail server answers a word,
_TAKES = 120.0  # and in which it says whether it took a message
_TO = "{to}"


class NotConfigured(Exception):
    """What alerts need is not configured, or cannot be used; the message says the mend."""


class Unreachable(Exception):
    """Nothing can be handed over at the moment; the message says why, and the mend."""


class Refused(Exception):
    """This one was not taken, and it is certain that it was not."""


class Broken(Refused):
    """The connection broke before this one could have been taken."""


class InDoubt(Exception):
    """It was handed over, and nobody said whether it was taken."""


@dataclass(frozen=True)
class Message:
    """What is handed over. `number`: the same for every try of one alert, another for every other."""

    number: str
    to: str
    subject: str
    body: str
    written_at: datetime


class Way(Protocol):
    def hand_over(self, message: Message, from_here: Callable[[], None]) -> None:
        """Hand a message over. `from_here` is called where it may have been taken from then on; if that fails,
        it was not. Unreachable, Refused, Broken or InDoubt if it was not taken."""

    def try_out(self) -> None:
        """Unreachable if nothing can be handed over, as far as can be told without doing it."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Ways:
    """`to_staff`: to each member of staff; `shared`: the channel that several read, if there is one; `address`:
    where the program is, for links."""

    to_staff: Way
    shared: Way | None
    address: str

    def close(self) -> None:
        for way in (self.to_staff, self.shared):
            if way:
                way.close()


def configured() -> bool:
    """Whether alerts are configured, well or not."""
    return bool(variable("ALERT_URL"))


def ways() -> Ways:
    """The ways that are configured. NotConfigured if there is none, or one cannot be used."""
    to_staff, address, shared = variable("ALERT_URL"), variable("APP_URL"), variable("ALERT_CHANNEL")
    if not to_staff:
        raise NotConfigured("No alerts are configured. Set ALERT_URL and APP_URL; docs/service.md tells how.")
    if not address or urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise NotConfigured(
            "APP_URL is not the address at which staff open the program: set it, for example to "
            "https://protocol.school.example, so that alerts can lead there."
        )
    plugin = _plugin("ALERT_URL", to_staff.replace(_TO, "somebody@school.example"))
    if urlsplit(to_staff).scheme in ("mailto", "mailtos"):
        mine: Way = Mail(plugin)
    elif _TO in to_staff:
        mine = Other("ALERT_URL", to_staff)
    else:
        raise NotConfigured(
            "ALERT_URL has to say where the address of who is told goes: write {to} there, or use mailtos://."
        )
    if shared:
        _plugin("ALERT_CHANNEL", shared)
    return Ways(mine, Other("ALERT_CHANNEL", shared) if shared else None, address.rstrip("/"))


def _plugin(name: str, url: str) -> Any:
    import apprise  # takes a while, and most commands need none of it

    apprise.logger.disabled = True  # it would log who was written to
    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        raise NotConfigured(f"{name} is not an address that apprise knows, such as mailtos://user:password@host.")
    return plugin


class Mail:
    """Mail to one person a message, over one connection as long as it holds."""

    def __init__(self, plugin: Any) -> None:
        self._host, self._port = str(plugin.smtp_host), int(plugin.port)
        self._secure, self._trusting = str(plugin.secure_mode), not plugin.verify_certificate
        self._user, self._password = plugin.user, plugin.password
        self._from_name, self._from = plugin.from_addr
        self._smtp: smtplib.SMTP | None = None

    def hand_over(self, message: Message, from_here: Callable[[], None]) -> None:
        try:
            content = self._content(message)
        except UnicodeError:
            raise Refused("The address has letters that mail cannot carry: mend it on the roster.") from None
        smtp = self._begun(message.to)
        try:
            smtp.send(content)  # only the dot after it lets the server take it
            from_here()
        except BaseException as error:
            self.close()
            if isinstance(error, smtplib.SMTPException | OSError):
                raise Broken(f"The connection to the mail server broke ({_short(error)}).") from None
            raise
        self._end(smtp)

    def _begun(self, to: str) -> smtplib.SMTP:
        """A connection on which the server waits for the content of a message."""
        used = self._smtp is not None
        try:
            smtp = self._connected()
            self._agreed(smtp.mail(self._from), "the sender", Unreachable)
            self._agreed(smtp.rcpt(to), "the address", Refused)
            self._agreed(smtp.docmd("DATA"), "the message", Refused)
        except UnicodeError:
            self.close()
            raise Refused("The address has letters that mail cannot carry: mend it on the roster.") from None
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            if used:  # servers end a connection that was long or idle
                return self._begun(to)
            raise Broken(f"The connection to the mail server broke ({_short(error)}).") from None
        return smtp

    def _end(self, smtp: smtplib.SMTP) -> None:
        try:
            if smtp.sock:
                smtp.sock.settimeout(_TAKES)
            smtp.send(b".\r\n")
            answer = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise InDoubt(f"The mail server did not say whether it took it ({_short(error)}).") from None
        self._agreed(answer, "the message", Refused)
        if smtp.sock:
            smtp.sock.settimeout(_ANSWERS)

    def _agreed(self, answer: tuple[int, bytes], what: str, otherwise: type[Exception]) -> None:
        """What the mail server answered, if it is no yes, as an exception; the connection goes on or is closed."""
        code, said = answer
        if 200 <= code < 400:
            return
        words = f"{code} {_plain(said)}"
        if code == 421 or self._smtp is None:
            self.close()
            raise Broken(f"The mail server ends the connection ({words}).")
        with suppress(smtplib.SMTPException, OSError):
            self._smtp.rset()
        mend = {
            "the sender": "Mend from= in ALERT_URL.",
            "the address": "Mend it on the roster, or ask the mail administrator.",
            "the message": "Ask the mail administrator.",
        }
        if code < 500:
            raise otherwise(f"The mail server does not take {what} yet ({words}).")
        raise otherwise(f"The mail server refuses {what} ({words}). {mend[what]}")

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        where = f"{self._host}:{self._port}"
        smtp: smtplib.SMTP | None = None
        try:
            context = ssl.create_default_context()
            if self._trusting:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if self._secure == "ssl":
                smtp = smtplib.SMTP_SSL(self._host, self._port, timeout=_ANSWERS, context=context)
            else:
                smtp = smtplib.SMTP(self._host, self._port, timeout=_ANSWERS)
            if self._secure == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if self._user and self._password:
                smtp.login(self._user, self._password)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            if smtp is not None:
                smtp.close()
            raise Unreachable(_why(where, error)) from None
        self._smtp = smtp
        return smtp

    def _content(self, message: Message) -> bytes:
        """The mail as it goes over the line, without the dot that ends it."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(self._from_name or "", addr_spec=self._from)
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = message.written_at
        mail["Message-ID"] = f"<{message.number}@{self._from.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body, cte="quoted-printable")
        return re.sub(rb"(?m)^\.", b"..", mail.as_bytes())

    def try_out(self) -> None:
        self._connected()

    def close(self) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None


def _why(where: str, error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server {where} refuses user or password ({error.smtp_code}). Mend them in ALERT_URL."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"The mail server {where} does not offer what ALERT_URL asks for ({_short(error)}). Mend its mode=."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of the mail server {where} is not trusted ({error.verify_message})."
    return f"The mail server {where} cannot be reached ({_short(error)}). Check that it runs, and ALERT_URL."


def _short(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_plain(error.smtp_error)}"
    return _plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _plain(said: bytes | str) -> str:
    """What a server said, on one line and not too long; it may hold anything."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())[:160]


class Other:
    """Whatever else apprise speaks, an address for each message. It tells yes or no: after a no that came from a
    broken connection the service may have taken it all the same, and takes it again."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url

    def hand_over(self, message: Message, from_here: Callable[[], None]) -> None:
        plugin = _plugin(self._name, self._url.replace(_TO, quote(message.to, safe="")))
        from_here()
        if not plugin.notify(title=message.subject, body=message.body, body_format="text"):
            raise Refused(f"The service that {self._name} names did not take it. Check the address and the service.")

    def try_out(self) -> None:
        """Such a service says nothing until something is sent."""

    def close(self) -> None: ...
