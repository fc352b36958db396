"""Reads which Teams policies are in effect for somebody."""

from collections.abc import Collection
from typing import Any

from app.records.evidence.graph_objects import UnreadableObjectError, read_lower, read_text

_LONGEST = 500  # characters


def read_policies(configuration: Any, entra_id: str, kinds: Collection[str]) -> dict[str, str]:
    """Read a teamsUserConfiguration: the names of the policies in effect for a person, by each of the `kinds` as Graph
    names them; "" for a kind without a policy. Several names are joined by "; ". UnreadableObjectError if it is not a
    configuration, or another person's."""
    holder = configuration.get("value", configuration) if isinstance(configuration, dict) else None
    if not isinstance(holder, dict) or not isinstance(holder.get("effectivePolicyAssignments"), list):
        raise UnreadableObjectError("it has no list of effectivePolicyAssignments")
    if read_lower(holder.get("id")) not in (None, entra_id):
        raise UnreadableObjectError("it is another person's configuration")
    names: dict[str, set[str]] = {kind: set() for kind in kinds}
    assignments = [entry for entry in holder["effectivePolicyAssignments"] if isinstance(entry, dict)]
    for assignment in assignments:
        policy = assignment.get("policyAssignment")
        name = read_text(policy.get("displayName"), _LONGEST) if isinstance(policy, dict) else None
        kind = assignment.get("policyType")
        if name and isinstance(kind, str) and kind in names:
            names[kind].add(name)
    return {kind: "; ".join(sorted(found)) for kind, found in names.items()}
