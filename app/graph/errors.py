"""The errors of Microsoft Graph. Their messages never contain a token, a name or an address."""


class GraphError(Exception):
    """Something went wrong: `words` say what, `fix` says what to do."""

    def __init__(self, words: str, fix: str = "") -> None:
        super().__init__(f"{words} {fix}".strip())
        self.words, self.fix = words, fix


class NotConfiguredError(GraphError):
    """The app registration in the environment cannot be used."""


class StoppedError(GraphError):
    """No further request can be made in this run."""


class RequestFailedError(GraphError):
    """One request failed for good; others may succeed. `content` is what arrived, or None."""

    def __init__(self, words: str, content: bytes | None = None) -> None:
        super().__init__(words)
        self.content = content


class UnansweredError(RequestFailedError):
    """No attempt got a usable answer."""


class ForbiddenError(RequestFailedError):
    """Microsoft Graph refuses the request."""


class BadRequestError(RequestFailedError):
    """Microsoft Graph does not understand the request."""


class GoneError(RequestFailedError):
    """There is nothing at the address, or no longer."""
