"""Forms that somebody has begun and not sent, stored so that nothing typed is lost."""

import json
from typing import Any

from sqlalchemy import delete, insert

from app.access.policy import Person
from app.school import School
from app.store import tables


def save_draft(school: School, person: Person, form: str, content: dict[str, Any] | None) -> None:
    """Store what a person has typed into a form so far (values that JSON can hold), in place of the draft before; None
    deletes it. `app.access.forms.get_draft` reads it. The revision does not change, because nobody else sees a
    draft."""
    draft = tables.drafts.c
    with school.writing() as connection:
        connection.execute(delete(tables.drafts).where(draft.staff_id == person.staff_id, draft.form == form))
        if content is not None:
            connection.execute(
                insert(tables.drafts).values(
                    staff_id=person.staff_id, form=form, content=json.dumps(content), saved_at=school.now()
                )
            )
