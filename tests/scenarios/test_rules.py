"""All scenarios judged at once by the rules alone, with every sentence that they give as a reason.

`test_scenarios` uses the commands from end to end. This test is quick, so that it can run for every mutant of the rules
(docs/mutation.md).
"""

from collections import defaultdict
from datetime import datetime
from typing import Any

import pandas as pd
import yaml

from app.protocol.evidence import Evidence
from app.protocol.judge import Judged, judge
from app.settings import Settings
from tests.scenarios.conftest import SCENARIOS
from tests.scenarios.telling import HERE, ZONE, compare, differ, settings

SETTINGS = Settings.model_validate(settings(SCENARIOS))
# All reasons in the scenarios, in one file to read through: clause -> outcome -> reasons.
APPROVED = yaml.load((HERE / "reasons.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_every_scenario_has_the_outcomes_and_words_it_states(on_record: tuple[Evidence, datetime]) -> None:
    evidence, now = on_record
    judged = judge(evidence, SETTINGS, now, reasons=True)
    refs = evidence.logs.set_index("log_id")["ref"].to_dict()
    sessions = [
        (refs.get(s.log_id), s.call_id if isinstance(s.call_id, str) else None, s.status)
        for s in judged.sessions.itertuples()
    ]
    rows: dict[tuple[str | None, str | None], dict[str, dict[str, Any]]] = defaultdict(dict)
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in judged.table().to_dict("records"):
        ref, call_id, _ = sessions[row["session"]]
        if row["outcome"] != "not_applicable":
            said[row["clause"]][row["outcome"]].add(row["reason"])
        rows[ref, call_id][row["clause"]] = row
    staff = evidence.staff.groupby("staff_id")["name"].last()
    pupils = evidence.pupils.groupby("pupil_id")["name"].last()
    facts = {key[:2]: _facts(judged, staff, pupils, number, now) for number, key in enumerate(sessions)}
    status = {(ref, call_id): status for ref, call_id, status in sessions}
    told = {(session.log, session.call): session for scenario in SCENARIOS for session in scenario.sessions}

    assert set(rows) == set(told)
    assert [line for key, session in told.items() for line in differ(session, facts[key])] == []
    assert [line for key, session in told.items() for line in compare(session, rows[key], status[key])] == []
    approved = {
        (c, o, words) for c, outcomes in APPROVED.items() for o, reasons in outcomes.items() for words in reasons
    }
    assert {
        (c, o, words) for c, outcomes in said.items() for o, reasons in outcomes.items() for words in reasons
    } == approved


_PARTS = {"calls": "session", "after": "after", "reports": "report"}


def _facts(judged: Judged, staff: pd.Series, pupils: pd.Series, number: int, now: datetime) -> dict[str, Any]:
    """The facts of a session itself, in the words of the scenarios."""
    session = judged.sessions.loc[number]
    among = judged.pupils.loc[judged.pupils["session"] == number, "pupil_id"]
    calls = judged.calls[judged.calls["session"] == number].sort_values("place")
    alone = judged.alone[judged.alone["session"] == number]
    begun = session["started_at"].astimezone(ZONE)
    assert session["day"].date() == begun.date()
    assert session["minute"] == begun.hour * 60 + begun.minute
    return {
        "by": "" if pd.isna(session["staff_id"]) else staff[session["staff_id"]],
        "department": session["department"] or "",
        "pupils": sorted(pupils[among]),
        "one to one": "yes" if session["one_to_one"] else "no",
        "confidential": "yes" if session["confidential"] else "no",
        "from": begun,
        "to": session["ended_at"].astimezone(ZONE),
        "hours left": "" if pd.isna(due := session["due_at"]) else f"{(due - now).total_seconds() / 3600:.0f}",
        "alone": [
            f"{row.from_at.astimezone(ZONE):%H:%M}-{row.to_at.astimezone(ZONE):%H:%M}, {row.seconds:g} s"
            for row in alone.itertuples()
        ],
        "purpose": session["purpose"] if isinstance(session["purpose"], str) else "",
        "disputed": "yes" if session["disputed"] else "no",
        **{fact: calls.loc[calls["part"] == part, "call_id"].tolist() for fact, part in _PARTS.items()},
    }
