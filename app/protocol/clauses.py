"""All clauses of the protocol."""

from app.protocol import general, in_call, one_to_one  # noqa: F401 - importing a module registers its clauses
from app.protocol.clause import REGISTER, Clause

# By name, in the order of the school's text.
CLAUSES: dict[str, Clause] = REGISTER


def title_of(name: str) -> str:
    """The title of a clause, or its name if the protocol no longer has it."""
    return CLAUSES[name].title if name in CLAUSES else name
