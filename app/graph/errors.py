"""What can go wrong with Microsoft Graph, in words; none of them holds a token, a name or an address."""


class GraphError(Exception):
    """Something went wrong: `words` say what, `mend` what to do."""

    def __init__(self, words: str, mend: str = "") -> None:
        super().__init__(f"{words} {mend}".strip())
        self.words, self.mend = words, mend


class NotConfigured(GraphError):
    """The app registration in the environment cannot be used."""


class Stopped(GraphError):
    """Nothing more can be asked for in this run."""


class LostLease(Stopped):
    """Another sync took this one's place."""


class Busy(GraphError):
    """Another sync is running."""


class Failed(GraphError):
    """One request failed for good; others may do. `content` is what arrived, if anything did."""

    def __init__(self, words: str, content: bytes | None = None) -> None:
        super().__init__(words)
        self.content = content


class Unanswered(Failed):
    """Nothing of use was answered, however often it was asked."""


class Forbidden(Failed):
    """Microsoft Graph refuses what was asked for."""


class BadRequest(Failed):
    """Microsoft Graph does not understand what was asked for."""


class Gone(Failed):
    """There is nothing at the address, or nothing any more."""
