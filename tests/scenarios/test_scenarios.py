"""Every scenario told in the YAML files beside this: imported and judged by the public commands."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, select

from app.__main__ import cli
from app.protocol import CLAUSES
from app.school import open_school
from app.settings import ROOT
from app.store import tables
from tests.scenarios.telling import HERE, Scenario, Session, enter_answers, scenarios, write

SCENARIOS = scenarios()
IMPORTS = {
    "roster": "roster",
    "letters": "letters.csv",
    "consents": "consents.csv",
    "calls": "calls",
    "recordings": "recordings.json",
    "logs": "logs.csv",
}


class School:
    """What came out: `rows[(log_ref, call_id)][clause]` and the status of each session."""

    def __init__(self, folder: Path, url: str) -> None:
        write(SCENARIOS, folder, datetime.now(UTC))
        self.environment = {"DATABASE_URL": url, "PROTOCOL_FILE": str(HERE / "protocol.toml")}
        for kind, name in IMPORTS.items():
            self._run("import", kind, str(folder / name))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            enter_answers(SCENARIOS, open_school())
        self.rows: dict[tuple[str | None, str | None], dict[str, dict]] = defaultdict(dict)
        for row in json.loads(self._run("outcomes", "--format", "json")):
            self.rows[row["log_ref"] or None, row["call_id"] or None][row["clause"]] = row
        self.status = self._statuses(url)

    def _run(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, env=self.environment, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    @staticmethod
    def _statuses(url: str) -> dict[tuple[str | None, str | None], str]:
        """A session's status, which the screens show and no command prints."""
        session, call, log = tables.sessions, tables.session_calls, tables.logs
        first = call.c.session_id == session.c.id, call.c.place == 0
        joined = session.outerjoin(call, first[0] & first[1]).outerjoin(log, log.c.id == session.c.log_id)
        with create_engine(url).connect() as connection:
            found = connection.execute(select(log.c.ref, call.c.call_id, session.c.status).select_from(joined))
            return {(ref, call_id): status for ref, call_id, status in found}


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str]) -> School:
    return School(tmp_path_factory.mktemp("scenarios"), new_database())


def test_each_clause_is_told_at_least_three_times() -> None:
    told = defaultdict(set)
    for scenario in SCENARIOS:
        for session in scenario.sessions:
            for clause, words in session.outcomes.items():
                told[clause].add((scenario.number, words[0]))
    assert set(told) == {clause.name for clause in CLAUSES}
    for clause, ways in told.items():
        assert len(ways) >= 3, clause
        assert {"met", "breach"} <= {outcome for _, outcome in ways}, clause
        assert {outcome for _, outcome in ways} - {"met", "breach"}, clause


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file}: {s.name}")
def test_scenario(scenario: Scenario, school: School) -> None:
    found = {key for key in school.rows if scenario.owns(*key)}
    assert found == {(session.log, session.call) for session in scenario.sessions}
    differences = [line for session in scenario.sessions for line in _compare(session, school)]
    if differences:
        pytest.fail("\n".join([scenario.told["story"], *differences]), pytrace=False)


def _compare(session: Session, school: School) -> list[str]:
    """Every difference between what was expected and what came out, in words."""
    rows = school.rows[session.log, session.call]
    lines = []
    for clause, words in session.outcomes.items():
        row = rows[clause]
        came = [row["outcome"], row["evidence"] or "", "disputed" if row["disputed"] else ""]
        evidence = next((w for w in words[1:] if w != "disputed"), came[1])
        expected = [words[0], evidence, "disputed" if "disputed" in words else ""]
        if came != expected:
            lines.append(f"{clause}: expected {' '.join(words)}, came {' '.join(came).strip()} ({row['reason']})")
    for clause, parts in session.reasons.items():
        reason = rows[clause]["reason"]
        lines += [f"{clause}: the reason lacks {part!r}: {reason}" for part in parts if part not in reason]
    if session.status and (came_status := school.status[session.log, session.call]) != session.status:
        lines.append(f"status: expected {session.status}, came {came_status}")
    return lines


def test_the_commands_from_outside(tmp_path: Path, new_database: Callable[[], str]) -> None:
    told = [s for s in SCENARIOS if s.file == "status"][:1]
    write(told, tmp_path, datetime.now(UTC))
    environment = os.environ | {
        "DATABASE_URL": new_database(),
        "PROTOCOL_FILE": str(HERE / "protocol.toml"),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    for kind in ("roster", "letters", "calls", "logs"):
        run("import", kind, str(tmp_path / IMPORTS[kind]))
    outcomes = json.loads(run("outcomes", "--format", "json"))
    assert [row["clause"] for row in outcomes] == [clause.name for clause in CLAUSES]
    assert {row["outcome"] for row in outcomes} == {"met", "not_applicable"}
