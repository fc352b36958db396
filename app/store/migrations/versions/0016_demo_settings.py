"""A demonstration of 0.1.0 gets its own settings, which that version worked out anew each time."""

import json
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_WEEK, _TO_FRIDAY = timedelta(weeks=1), timedelta(days=4)


def upgrade() -> None:
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    known = {row.key: row.value for row in op.get_bind().execute(sa.select(meta))}
    if "demo" in known and "own_settings" not in known:
        settings = json.dumps(_settings(date.fromisoformat(known["demo"])))
        op.bulk_insert(meta, [{"key": "own_settings", "value": settings}])


def _settings(day: date) -> dict[str, object]:
    """Those by which 0.1.0 judged the demonstration that was filled up to a day."""
    monday = day - timedelta(days=day.weekday())
    this_term = monday - 11 * _WEEK
    last_term = this_term - 20 * _WEEK
    return {
        "name": "Ysgol Afon Wen",
        "tenant_id": "0d3e0a5c-1111-4aaa-8bbb-000000000000",
        "terms": [
            _period(_term_name(last_term), last_term, last_term + 11 * _WEEK + _TO_FRIDAY),
            _period(_term_name(this_term), this_term, monday + 2 * _WEEK + _TO_FRIDAY),
        ],
        "remote_learning": [
            _period("Remote learning after the flood", this_term + 3 * _WEEK, this_term + 4 * _WEEK + _TO_FRIDAY),
            _period("Remote learning while the boilers are replaced", monday + _WEEK, monday + _WEEK + _TO_FRIDAY),
        ],
        "training": [
            {"name": "Safe video calls, all staff", "reference": "CPD 14/2", "on": last_term.isoformat()},
            {"name": "Recording and consent, tutors", "reference": "CPD 14/9", "on": this_term.isoformat()},
        ],
    }


def _period(name: str, first: date, last: date) -> dict[str, str]:
    return {"name": name, "from": first.isoformat(), "to": last.isoformat()}


def _term_name(first: date) -> str:
    season = "Michaelmas" if first.month >= 7 else "Lent" if first.month <= 3 else "Summer"
    return f"{season} {first.year}"
