"""Every scenario in the YAML files of this folder, imported and judged by the public commands."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from app.clock import now
from app.protocol.clauses import CLAUSES
from tests import running
from tests.scenarios.conftest import IMPORTS, SCENARIOS, Worlds
from tests.scenarios.telling import HERE, Scenario, compare
from tests.scenarios.writing import write


def test_each_clause_has_at_least_three_scenarios() -> None:
    told = defaultdict(set)
    for scenario in SCENARIOS:
        for session in scenario.sessions:
            for clause, words in session.outcomes.items():
                told[clause].add((scenario.number, words[0]))
    assert set(told) == set(CLAUSES)
    for clause, ways in told.items():
        assert len(ways) >= 3, clause
        assert {"met", "breach"} <= {outcome for _, outcome in ways}, clause
        assert {outcome for _, outcome in ways} - {"met", "breach"}, clause


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file}: {s.name}")
def test_scenario(scenario: Scenario, worlds: Worlds) -> None:
    found = {key for key in worlds.rows if scenario.owns(*key)}
    assert found == {(session.log, session.call) for session in scenario.sessions}
    differences = [
        line
        for session in scenario.sessions
        for key in [(session.log, session.call)]
        for line in compare(session, worlds.rows[key], worlds.status[key])
    ]
    if differences:
        pytest.fail("\n".join([scenario.told["story"], *differences]), pytrace=False)


def test_scenarios_pass_through_the_commands(tmp_path: Path, new_database: Callable[[], str]) -> None:
    told = [s for s in SCENARIOS if s.file == "status"][:1]
    write(told, tmp_path, now())
    database = new_database()

    def run(*words: str | Path) -> str:
        done = running.run(database, *words, PROTOCOL_FILE=str(HERE / "protocol.toml"))
        assert done.returncode == 0, done.stderr
        return done.stdout

    for kind in ("roster", "letters", "calls", "logs"):
        run("import", kind, tmp_path / IMPORTS[kind])
    outcomes = json.loads(run("outcomes", "--format", "json"))
    assert [row["clause"] for row in outcomes] == list(CLAUSES)
    assert {row["outcome"] for row in outcomes} == {"met", "not_applicable"}
