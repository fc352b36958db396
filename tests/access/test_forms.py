"""What the forms need."""

from datetime import datetime, timedelta

import pandas as pd

from app.access.forms import get_draft, get_own_log, list_calls_to_log
from app.intake.transaction import span
from app.judging.rejudge import Affected, rejudge
from app.school import School
from app.sessions.drafts import save_draft
from app.store import tables
from tests.access.school import LAST_WEEK, NUMBER, PUPIL, add_row, at_hour, someone
from tests.people import found


def test_list_calls_to_log_fills_in_what_the_call_shows(school: School) -> None:
    row = list_calls_to_log(school, someone(school, "tutor10")).iloc[0]
    assert (row["pupils"], row["pupil_emails"]) == ("Carys", "carys@pupils.example")
    assert (row["started_at"].hour, row["ended_at"].hour) == (10, 11)
    assert bool(row["staff_opened"])
    assert not row["pupil_left_alone"]
    assert pd.isna(row["recorded"])


def test_list_calls_to_log_proposes_the_purpose_of_the_newest_log_with_a_pupil(school: School) -> None:
    tutor = someone(school, "tutor10")
    logs = [("Carys", "music", 9), ("Carys", "academic", 8), ("Bethan", "pastoral", 7)]
    with school.writing() as connection:
        for number, (pupil, purpose, days) in enumerate(logs, start=900):
            at = at_hour(LAST_WEEK - timedelta(days=days))
            when = {"started_at": at, "ended_at": at + timedelta(minutes=30), "entered_at": at}
            log = {"id": number, "ref": f"N-{number}", "version": 1, "current": True, "fingerprint": str(number)}
            by = {"staff_id": tutor.staff_id, "entered_by": tutor.staff_id, "purpose": purpose}
            add_row(connection, tables.logs, **log, **when, **by)
            add_row(connection, tables.log_pupils, log_id=number, pupil_id=PUPIL[pupil])
            rejudge(connection, school, Affected(times=[span(at, at + timedelta(minutes=30))]))
    assert list_calls_to_log(school, tutor)["purpose"].tolist() == ["academic"]


def test_get_own_log_is_for_its_author_alone(school: School) -> None:
    log = found(get_own_log(school, someone(school, "teacher"), f"L-{NUMBER['aled']}"))
    assert (log["purpose"], log["pupil_emails"], log["concern"]) == ("academic", "aled@pupils.example", "yes")
    assert log["recorded"] == ""
    assert datetime.fromisoformat(log["started_at"]) == at_hour(LAST_WEEK)
    assert get_own_log(school, someone(school, "sdh"), f"L-{NUMBER['aled']}") is None


def test_get_draft_is_for_its_writer_alone(school: School) -> None:
    teacher = someone(school, "teacher")
    save_draft(school, teacher, "log", {"notes": "half a"})
    save_draft(school, teacher, "log", {"notes": "half a sentence"})
    assert get_draft(school, teacher, "log") == {"notes": "half a sentence"}
    assert get_draft(school, someone(school, "sdh"), "log") is None
    save_draft(school, teacher, "log", None)
    assert get_draft(school, teacher, "log") is None
