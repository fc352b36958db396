"""Forms that somebody has begun and not sent, so that nothing typed is lost."""

import json
from typing import Any

from sqlalchemy import delete, insert

from app.access.policy import Person
from app.school import School
from app.store import tables


def save_draft(school: School, person: Person, form: str, content: dict[str, Any] | None) -> None:
    """Replace the stored draft of a form by what the person has typed so far (values that JSON knows); None deletes
    it. The revision stays, since nobody else sees a draft. `app.access.forms.get_draft` reads it."""
    draft = tables.drafts.c
    with school.engine.begin() as connection:
        connection.execute(delete(tables.drafts).where(draft.staff_id == person.staff_id, draft.form == form))
        if content is not None:
            connection.execute(
                insert(tables.drafts).values(
                    staff_id=person.staff_id, form=form, content=json.dumps(content), saved_at=school.now()
                )
            )
