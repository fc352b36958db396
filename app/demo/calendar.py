"""Two terms and their dates, placed around the current day."""

from dataclasses import dataclass
from datetime import date, timedelta

from app.settings import Period, Settings, Training

NAME = "Ysgol Afon Wen"
TENANT = "0d3e0a5c-1111-4aaa-8bbb-000000000000"

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Calendar:
    """The terms up to `day`, this one's half-term, and its fortnight of remote learning; another week of it, which
    is still to come."""

    day: date
    last_term: Period
    this_term: Period
    half_term: Period
    remote: Period
    remote_ahead: Period

    def is_remote(self, day: date) -> bool:
        return self.remote.from_ <= day <= self.remote.to

    def school_days(self) -> list[date]:
        """The days of both terms up to `day` on which there is school."""
        terms = (self.last_term, self.this_term)
        days = [t.from_ + timedelta(days=i) for t in terms for i in range((t.to - t.from_).days + 1)]
        return [
            d for d in days if d <= self.day and d.weekday() < 5 and not self.half_term.from_ <= d <= self.half_term.to
        ]


def calendar(day: date) -> Calendar:
    """The day lies in the twelfth week of its term, so that there is enough behind it to look back on."""
    monday = day - timedelta(days=day.weekday())
    begins = monday - 11 * _WEEK
    friday = timedelta(days=4)
    before = begins - 20 * _WEEK

    def period(name: str, first: date, last: date) -> Period:
        return Period.model_validate({"name": name, "from": first, "to": last})

    return Calendar(
        day,
        period(_term_name(before), before, before + 11 * _WEEK + friday),
        period(_term_name(begins), begins, monday + 2 * _WEEK + friday),
        period("Half-term", begins + 6 * _WEEK, begins + 6 * _WEEK + friday),
        period("Remote learning after the flood", begins + 3 * _WEEK, begins + 4 * _WEEK + friday),
        period("Remote learning while the boilers are replaced", monday + _WEEK, monday + _WEEK + friday),
    )


def _term_name(first: date) -> str:
    """The season is that of the sixth week: terms twenty weeks apart never have the same."""
    middle = first + 6 * _WEEK
    summer_ends = date(middle.year, 8, 15)
    season = "Lent" if middle.month < 4 else "Summer" if middle < summer_ends else "Michaelmas"
    return f"{season} {middle.year}"


def demonstration(settings: Settings, day: date) -> Settings:
    """The settings by which the demonstration filled up to `day` is judged: its own name, tenant, terms and
    remote learning; the protocol's figures are the school's."""
    laid_out = calendar(day)
    return settings.model_copy(
        update={
            "name": NAME,
            "tenant_id": TENANT,
            "terms": (laid_out.last_term, laid_out.this_term),
            "remote_learning": (laid_out.remote, laid_out.remote_ahead),
            "training": (
                Training(name="Safe video calls, all staff", reference="CPD 14/2", on=laid_out.last_term.from_),
                Training(name="Recording and consent, tutors", reference="CPD 14/9", on=laid_out.this_term.from_),
            ),
        }
    )
