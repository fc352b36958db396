"""The errors of Microsoft Graph; none of their messages holds a token, a name or an address."""


class GraphError(Exception):
    """Something went wrong: `words` say what, `fix` what to do."""

    def __init__(self, words: str, fix: str = "") -> None:
        super().__init__(f"{words} {fix}".strip())
        self.words, self.fix = words, fix


class NotConfiguredError(GraphError):
    """The app registration in the environment cannot be used."""


class StoppedError(GraphError):
    """Nothing more can be asked for in this run."""


class RequestFailedError(GraphError):
    """One request failed for good; others may do. `content` is what arrived, if anything did."""

    def __init__(self, words: str, content: bytes | None = None) -> None:
        super().__init__(words)
        self.content = content


class UnansweredError(RequestFailedError):
    """No attempt got a usable answer."""


class ForbiddenError(RequestFailedError):
    """Microsoft Graph refuses what was asked for."""


class BadRequestError(RequestFailedError):
    """Microsoft Graph does not understand what was asked for."""


class GoneError(RequestFailedError):
    """Nothing exists at the address, or no longer does."""
