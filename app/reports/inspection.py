"""The inspection pack as a PDF: the protocol in force, how well it is followed, and what is done about breaches."""

from collections.abc import Mapping
from datetime import timedelta

from app.access.overview import get_protocol_figures
from app.access.policy import Person
from app.access.protocol_settings import list_decisions
from app.access.pupil_policies import get_pupil_policies
from app.access.reporting import check_audit_trail, count_by_deadline, count_registers, count_resolved_breaches
from app.formatting import how_many, on_day
from app.judging.what_if import describe_groups
from app.protocol.clauses import CLAUSES
from app.reports import assurance, governors
from app.reports.disclosure import format_count, format_part
from app.reports.endings import describe_endings
from app.reports.pdf import create_pdf
from app.school import School
from app.settings import WEEKDAYS, Rules, Slot
from app.vocabulary.terms import LetterKind, RetainedKind

_REGISTERS = {
    "pupils": "Pupils on the roster",
    "introduction": "of these, parents sent the letter of introduction",
    "one_to_one": "of these, parents sent the letter on one-to-ones",
    "given": "Parents' consents given",
    "asked": "awaiting an answer",
    "refused": "refused",
    "withdrawn": "withdrawn",
    "late": "Sessions that began before consent came or SLT was informed",
}


def create_inspection_pack(school: School, person: Person) -> bytes:
    """The inspection pack as a PDF, from the last two terms that have begun until today, or for the last year if none
    has."""
    today = school.today()
    terms = [t for t in school.settings.terms if t.from_ <= today][-2:]
    days = (terms[0].from_ if terms else today - timedelta(days=364), today)
    by_term = {}
    for term in terms:
        figures = get_protocol_figures(school, person, (term.from_, min(term.to, today)))
        by_term[term.name] = governors.add_state(governors.compute_rates_by_clause(figures), lowest=0)
    fault = check_audit_trail(school, person)
    registers, words = count_registers(school, person, days), assurance.find_words(school)
    data = governors.describe_paper(school, "Videoconferencing with pupils: inspection pack") | {
        "version": governors.describe_version(school),
        "versions": [f"{v.name}, in force from {on_day(v.from_)}" for v in school.settings.versions],
        "rules": describe_rules(school.settings.rules_on(today)),
        "measured": governors.HOW_MEASURED,
        "small": governors.SMALL_COUNTS,
        "terms": list(by_term),
        "points": assurance.describe_points(by_term),
        "text": assurance.describe_text(school),
        "confirmed": assurance.describe_confirmations(school, person),
        "clauses": [
            {
                "title": c.title,
                "words": words[c.name],
                "applies": c.applies_to,
                "decided": c.decided_by,
                "heading": c.reference.heading,
                "reference": str(c.reference),
            }
            for c in CLAUSES.values()
        ],
        "period": f"{on_day(days[0])} to {on_day(days[1])}",
        "done": describe_endings(
            count_resolved_breaches(school, person, days), count_by_deadline(school, person, days)
        ),
        "spot_checks": assurance.describe_spot_checks(school, person, days),
        "decisions": list_decisions(school, person, days),
        "registers": [[label, _describe_register(name, registers)] for name, label in _REGISTERS.items()],
        "policies": [figures.describe() for figures in get_pupil_policies(school, person)],
        "training": [[t.name, t.reference, on_day(t.on)] for t in school.settings.training],
        "trail": fault or "All entries are unaltered.",
        "retention": [
            [kind.label, how_many(getattr(school.settings.retention, kind), "year")] for kind in RetainedKind
        ],
    }
    return create_pdf("inspection", data)


def describe_rules(rules: Rules) -> str:
    """The times and limits in force, as text."""
    slots = "; ".join(map(_describe_slot, rules.one_to_one_slots))
    return (
        f"Academic tuition from {rules.academic_hours[0]:%H:%M} to {rules.academic_hours[1]:%H:%M}. One-to-ones: "
        f"{slots or 'no times set'}. Grace when joining and leaving: {rules.grace_seconds:g} seconds. Camera on for at "
        f"least {rules.camera_share:.0%} of the time. Calls must be logged within {rules.log_within_hours:g} hours. A "
        f"log and its call may lie {rules.match_minutes:g} minutes apart. A breach must be resolved within "
        f"{how_many(rules.breach_days, 'school day')}."
    )


def _describe_slot(slot: Slot) -> str:
    """A time for one-to-ones as text: "Tutor time 08:40 to 09:00 (Mon to Fri)"."""
    names = [day.capitalize() for day in slot.days]
    days = "Mon to Fri" if slot.days == WEEKDAYS[:5] else ", ".join(names)
    return f"{slot.name} {slot.from_:%H:%M} to {slot.to:%H:%M}{describe_groups(slot)} ({days})"


def _describe_register(name: str, registers: Mapping[str, int]) -> str:
    if name in set(LetterKind):
        return format_part(registers[name], registers["pupils"])
    return format_count(registers[name])
