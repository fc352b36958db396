"""Two terms and their dates, placed around a given day."""

from datetime import date, timedelta
from typing import TypeVar

from app.settings import Period, PupilPolicies, RemotePeriod, Settings, Term, Training

NAME = "Ysgol Afon Wen"
TENANT = "0d3e0a5c-1111-4aaa-8bbb-000000000000"
TELEPHONES = {"SEN": "029 2018 0142", "PREP": "029 2018 0157"}  # of the DSPs; numbers reserved for fiction
POLICIES = {"TeamsMeetingPolicy": "Pupils", "TeamsCallingPolicy": "Pupils"}  # those that should apply to pupils

_WEEK = timedelta(weeks=1)
_Days = TypeVar("_Days", bound=Period)


class Calendar:
    """The last two terms up to `day`: this term's half-term and fortnight of remote learning, and a week of remote
    learning to come. The day is in the twelfth week of its term, so that there is enough to look back on."""

    def __init__(self, day: date) -> None:
        monday = day - timedelta(days=day.weekday())
        begins = monday - 11 * _WEEK
        before = begins - 20 * _WEEK
        self.day = day
        self.last_term = _round_to_weeks(Term, _name_term(before), before, 12)
        self.this_term = _round_to_weeks(Term, _name_term(begins), begins, 14)
        self.half_term = _round_to_weeks(Period, "Half-term", begins + 6 * _WEEK)
        self.remote = _round_to_weeks(RemotePeriod, "Remote learning after the flood", begins + 3 * _WEEK, 2)
        self.remote_ahead = _round_to_weeks(
            RemotePeriod, "Remote learning while the boilers are replaced", monday + _WEEK
        )

    def is_remote(self, day: date) -> bool:
        return self.remote.from_ <= day <= self.remote.to

    def school_days(self) -> list[date]:
        """The school days of both terms up to `day`."""
        terms = (self.last_term, self.this_term)
        days = [t.from_ + timedelta(days=i) for t in terms for i in range((t.to - t.from_).days + 1)]
        return [
            d for d in days if d <= self.day and d.weekday() < 5 and not self.half_term.from_ <= d <= self.half_term.to
        ]


def _round_to_weeks(kind: type[_Days], name: str, monday: date, weeks: int = 1) -> _Days:
    """A period from a Monday to the Friday of its last week."""
    friday = monday + (weeks - 1) * _WEEK + timedelta(days=4)
    return kind.model_validate({"name": name, "from": monday, "to": friday})


def _name_term(first: date) -> str:
    """A term's name, from the season of its sixth week. Terms twenty weeks apart never have the same name."""
    middle = first + 6 * _WEEK
    summer_ends = date(middle.year, 8, 15)
    season = "Lent" if middle.month < 4 else "Summer" if middle < summer_ends else "Michaelmas"
    return f"{season} {middle.year}"


def create_demo_settings(settings: Settings, day: date) -> Settings:
    """The settings of a demonstration filled up to `day`: its own name, tenant, terms, remote learning, training, DSPs'
    telephones and policies of pupils. The protocol's figures are those of the given settings."""
    calendar = Calendar(day)
    return settings.model_copy(
        update={
            "name": NAME,
            "tenant_id": TENANT,
            "terms": (calendar.last_term, calendar.this_term),
            "remote_learning": (calendar.remote, calendar.remote_ahead),
            "training": (
                Training(name="Safe video calls, all staff", reference="CPD 14/2", on=calendar.last_term.from_),
                Training(name="Recording and consent, tutors", reference="CPD 14/9", on=calendar.this_term.from_),
            ),
            "dsp_telephones": TELEPHONES,
            "pupil_policies": PupilPolicies.model_validate(POLICIES),
        }
    )
