"""The scenarios' worlds, imported once for all tests in this folder."""

import json
import os
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, select

from app.__main__ import cli
from app.clock import now
from app.protocol.evidence import Evidence
from app.school import School, open_school
from app.store import reading, tables
from tests.judged import list_outcomes
from tests.scenarios.calendars import store_calendars
from tests.scenarios.telling import Scenario, scenarios
from tests.scenarios.writing import enter_answers, write

SCENARIOS = scenarios()
IMPORTS = {
    "roster": "roster",
    "letters": "letters.csv",
    "consents": "consents.csv",
    "calls": "calls",
    "attendance": "attendance.json",
    "recordings": "recordings.json",
    "logs": "logs.csv",
}
EVIDENCE = "SCENARIOS_EVIDENCE"  # names a file with the evidence; the mutation run, which needs it often, makes one


class Worlds:
    """The result of importing all scenarios: `rows[(log_ref, call_id)][clause]`, and the `status` of each session."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, self.now = url, now()
        write(SCENARIOS, folder, self.now)
        self.environment = {"DATABASE_URL": url, "PROTOCOL_FILE": str(folder / "protocol.toml")}
        for kind, name in IMPORTS.items():
            self._run("import", kind, str(folder / name))
            if kind == "roster":
                self._in_school(store_calendars)
        self._in_school(enter_answers)
        self.rows: dict[tuple[str | None, str | None], dict[str, dict[str, Any]]] = defaultdict(dict)
        for row in json.loads(self._run("outcomes", "--format", "json")):
            self.rows[row["log_ref"] or None, row["call_id"] or None][row["clause"]] = row
        self._in_school(self._add_confidential)
        self.status = self._statuses(url)

    def _in_school(self, work: Callable[[list[Scenario], School], None]) -> None:
        """Do something in the school for which there is no command."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            work(SCENARIOS, open_school())

    def _add_confidential(self, _told: list[Scenario], school: School) -> None:
        """Add the sessions that no command prints."""
        printed = set(self.rows)
        for row in list_outcomes(school):
            if (key := (row["log_ref"] or None, row["call_id"] or None)) not in printed:
                self.rows[key][row["clause"]] = row

    def _run(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, env=self.environment, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    @staticmethod
    def _statuses(url: str) -> dict[tuple[str | None, str | None], str]:
        """The status of each session, which no command prints, by log reference and call id."""
        session, call, log = tables.sessions, tables.session_calls, tables.logs
        first = call.c.session_id == session.c.id, call.c.place == 0
        joined = session.outerjoin(call, first[0] & first[1]).outerjoin(log, log.c.id == session.c.log_id)
        with create_engine(url).connect() as connection:
            found = connection.execute(select(log.c.ref, call.c.call_id, session.c.status).select_from(joined))
            return {(ref, call_id): status for ref, call_id, status in found}

    def evidence(self) -> Evidence:
        """Everything on record in all worlds."""
        with create_engine(self.url).connect() as connection:
            logs = connection.scalars(select(tables.logs.c.id).where(tables.logs.c.current)).all()
            calls = connection.scalars(select(tables.calls.c.id)).all()
            return reading.read_evidence(connection, logs=logs, calls=calls)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str]) -> Worlds:
    return Worlds(tmp_path_factory.mktemp("scenarios"), new_database())


if EVIDENCE in os.environ:

    @pytest.fixture(scope="session")
    def on_record() -> tuple[Evidence, datetime]:
        evidence, moment = pd.read_pickle(os.environ[EVIDENCE])
        return evidence, moment

else:

    @pytest.fixture(scope="session")
    def on_record(worlds: Worlds) -> tuple[Evidence, datetime]:
        """Everything on record in all worlds, and the time at which it was."""
        return worlds.evidence(), worlds.now
