"""Writes the scenarios as the files that the program imports.

`write(scenarios, folder, now)` writes `roster/*.csv`, `logs.csv`, `letters.csv`, `consents.csv`, `calls/*.json`,
`attendance.json` and `recordings.json`, and the settings as `protocol.toml`. `enter_answers(scenarios, school)` enters
what people enter by hand afterwards.
"""

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import tomli_w

from app.access.forms import list_pupils_to_choose
from app.access.parents import list_consents
from app.access.people import find_person
from app.access.remote_pupils import list_remote_learning
from app.management.remote_pupils import end_remote_learning, enter_remote_learning
from app.parents.consents import answer_consent, withdraw_consent
from app.school import School
from tests.scenarios.telling import ANSWERS, LOG_WORDS, PASTORAL_ANSWERS, Scenario, Untold, settings

TENANT = "5c7001aa-0000-4000-8000-000000000001"
ELSEWHERE = "e15e3e7e-0000-4000-8000-000000000002"
LETTERS = {"introduction": "2020-09-01", "one_to_one": "2020-12-15"}


def write(told: list[Scenario], folder: Path, now: datetime) -> None:
    """Write what happened in all scenarios. A call with `ended` ends that long before `now`."""
    (folder / "roster").mkdir(parents=True)
    (folder / "calls").mkdir()
    _table(folder / "roster" / "schools.csv", [row for s in told for row in _schools(s)])
    _table(folder / "roster" / "staff.csv", [row for s in told for row in _staff(s)])
    _table(folder / "roster" / "pupils.csv", [row for s in told for row in _pupils(s)])
    _table(folder / "logs.csv", [_log(s, name) for s in told for name in s.logs])
    _table(folder / "letters.csv", [row for s in told for row in _letters(s)])
    _table(folder / "consents.csv", [_consent(s, c) for s in told for c in s.told.get("consents", [])])
    for scenario in told:
        if scenario.calls:
            records = [_call(scenario, name, now) for name in scenario.calls if not _is_report(scenario, name)]
            (folder / "calls" / f"{scenario.number:04d}.json").write_text(json.dumps({"value": records}))
    reports = [_report(s, name) for s in told for name in s.calls if _is_report(s, name)]
    (folder / "attendance.json").write_text(json.dumps({"value": reports}))
    (folder / "protocol.toml").write_text(tomli_w.dumps(settings(told)), encoding="utf-8")
    recordings = [_recording(s) for s in told if "recording" in s.told]
    (folder / "recordings.json").write_text(json.dumps({"value": recordings}))


def _table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _schools(s: Scenario) -> list[dict[str, str]]:
    return [
        {
            "code": s.school(code),
            "name": school["name"],
            "senior": school["senior"],
            "email_domain": f"{code.lower()}.w{s.number}.example",
        }
        for code, school in s.cast["schools"].items()
    ]


def _person(s: Scenario, who: str, person: dict[str, str]) -> dict[str, str]:
    """The columns that staff and pupils have in common."""
    return {
        "email": s.email(who),
        "name": person["name"],
        "school": s.school(person["school"]),
        "entra_id": s.entra(who),
    }


def _staff(s: Scenario) -> list[dict[str, str]]:
    return [
        _person(s, who, person)
        | {
            "department": person["department"],
            "roles": person["roles"],
            "year_groups": person.get("year_groups", ""),
            "houses": person.get("houses", ""),
        }
        for who, person in s.cast["staff"].items()
    ]


def _pupils(s: Scenario) -> list[dict[str, str]]:
    return [
        _person(s, who, person)
        | {"year_group": person["year_group"], "house": person["house"], "tutor_email": s.email(person["tutor"])}
        for who, person in s.cast["pupils"].items()
    ]


def _log(s: Scenario, name: str) -> dict[str, str]:
    log = s.logs[name]
    usual = ANSWERS | (PASTORAL_ANSWERS if log["purpose"] == "pastoral" else {})
    answers = ({} if log.get("terse") == "yes" else usual) | {k: v for k, v in log.items() if k not in LOG_WORDS}
    return {
        "ref": s.ref(name),
        "staff_email": s.email(log["by"]),
        "pupil_emails": ";".join(s.email(who) for who in log["pupils"]),
        "purpose": log["purpose"],
        "started_at": s.written(log["from"]),
        "ended_at": s.written(log["to"]),
        "second_staff_emails": ";".join(s.email(who) for who in log.get("invited", [])),
    } | answers


def _letters(s: Scenario) -> list[dict[str, str]]:
    usual = [[who, kind, day] for who in s.cast["pupils"] for kind, day in LETTERS.items()]
    return [
        {"pupil_email": s.email(who), "kind": kind, "sent_on": day} for who, kind, day in s.told.get("letters", usual)
    ]


def _consent(s: Scenario, consent: dict[str, str]) -> dict[str, str]:
    def when(key: str) -> str:
        text = consent.get(key, "")
        return text if re.fullmatch(r"\d{4}-\d\d-\d\d|", text) else s.written(text)

    return {
        "pupil_email": s.email(consent["pupil"]),
        "kind": consent["kind"],
        "covers_from": when("from"),
        "covers_to": when("to"),
        "reason": consent.get("reason", ""),
        "obtained_at": when("obtained"),
        "given_by": "a parent",
        "slt_informed_at": when("slt informed"),
    }


def enter_answers(told: list[Scenario], school: School) -> None:
    """Enter by hand remote learning, and what parents answered after the register was imported."""
    for s in told:
        _enter_remote_learning(s, school)
        for consent in s.told.get("consents", []):
            for answer in consent.keys() & {"refused", "withdrawn"}:
                who = next(who for who, p in s.cast["staff"].items() if "senior_deputy_head" in p["roles"])
                person = find_person(school, s.email(who))
                assert person
                consents = list_consents(school, person)
                mine = consents["email"] == s.email(consent["pupil"])
                consent_id = int(consents.loc[mine, "consent_id"].iloc[0])
                at = s.time(consent[answer])
                if answer == "refused":
                    answer_consent(school, person, consent_id, given=False, parent="a parent", at=at)
                else:
                    withdraw_consent(school, person, consent_id, parent="a parent", at=at)


def _enter_remote_learning(s: Scenario, school: School) -> None:
    for told in s.told.get("remote", []):
        who = next(who for who, p in s.cast["staff"].items() if "senior_deputy_head" in p["roles"])
        person = find_person(school, s.email(who))
        assert person
        pupils = list_pupils_to_choose(school, person).set_index("email")["pupil_id"]
        pupil = int(pupils[s.email(told["pupil"])])
        days = date.fromisoformat(told["from"]), date.fromisoformat(told["to"])
        enter_remote_learning(school, person, pupil, *days, told["reason"])
        if "ended after" in told:
            entries = list_remote_learning(school, person)
            entry = int(entries.loc[entries["pupil_id"] == pupil, "entry_id"].iloc[0])
            end_remote_learning(school, person, entry, date.fromisoformat(told["ended after"]))


def _recording(s: Scenario) -> dict[str, Any]:
    """A recording, given as the `call` or, if Graph's list lacks the call's id, as `organiser` and `at` (a time)."""
    told = s.told["recording"]
    organiser = told.get("organiser") or _organiser(s, s.calls[told["call"]])
    at = s.time(told["at"])
    return {
        "@odata.type": "#microsoft.graph.callRecording",
        "id": f"recording-{s.number}",
        "meetingId": f"meeting-{s.number}",
        "callId": s.call_id(told["call"]) if "call" in told else None,
        "createdDateTime": _graph_time(at),
        "endDateTime": _graph_time(at + timedelta(minutes=20)),
        "meetingOrganizer": {"user": {"id": s.entra(organiser), "displayName": None, "tenantId": TENANT}},
        "recordingContentUrl": None,
    }


# --- call records in Graph's shape ----------------------------------------------------------------


def _graph_time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def _organiser(s: Scenario, call: dict[str, Any]) -> str:
    staff = [row[0] for row in call["who"] if row[0] in s.cast["staff"]]
    return str(call.get("organiser") or (staff or [call["who"][0][0]])[0])


def _instant(s: Scenario, at: str) -> datetime:
    """A time in UTC. Adding to it is not affected by changes of the clocks."""
    return s.time(at).astimezone(UTC)


def join_url(s: Scenario, name: str) -> str:
    """The link that joins a call. Several calls may share one."""
    call = s.calls[name]
    link = f"w{s.number}{call.get('link', name)}"
    thread = f"19:{link}@thread.tacv2" if call.get("type") == "channel" else f"19:meeting_{link}@thread.v2"
    return f"https://teams.microsoft.com/l/meetup-join/{thread.replace(':', '%3a').replace('@', '%40')}/0"


def _call(s: Scenario, name: str, now: datetime) -> dict[str, Any]:
    call = s.calls[name]
    rows = call["who"]
    latest = max(s.time(row[2]) for row in rows)
    shift = timedelta(0)
    if "ended" in call:  # "3 hours ago"
        shift = now.replace(microsecond=0) - timedelta(hours=float(call["ended"].split()[0])) - latest
    times = [(_instant(s, row[1]) + shift, _instant(s, row[2]) + shift) for row in rows]
    kind = call.get("type", "meeting")
    if kind == "peer to peer":
        legs = [slice(i, i + 2) for i in range(0, len(rows), 2)]
        sessions = [_direct(s, rows[leg], times[leg], f"{name}-{leg.start}") for leg in legs]
    else:
        sessions = [_joined(s, row, span, f"{name}-{i}") for i, (row, span) in enumerate(zip(rows, times, strict=True))]
    organiser = _organiser(s, call)
    host = s.cast["strangers"]["personal"] if organiser == "elsewhere" else None
    identity = (
        {"id": f"host-{s.number}", "displayName": None, "tenantId": ELSEWHERE} if host else _identity(s, organiser)
    )
    record = {
        "id": s.call_id(call.get("id of", name)),
        "version": int(call.get("version", "1")),
        "type": "peerToPeer" if kind == "peer to peer" else "groupCall",
        "modalities": ["audio", "video", "screenSharing"],
        "lastModifiedDateTime": _graph_time(max(t for _, t in times) + timedelta(minutes=40)),
        "startDateTime": _graph_time(min(t for t, _ in times)),
        "endDateTime": _graph_time(max(t for _, t in times)),
        "joinWebUrl": None if kind == "peer to peer" else join_url(s, name),
        "organizer_v2": {"id": (identity or {}).get("id"), "identity": {"user": identity}},
        "sessions": sessions,
        "sessions@odata.nextLink": None,
    }
    if "listed" in call:
        record["participants_v2"] = [
            {"id": s.entra(who), "identity": {"user": _identity(s, who)}} for who in call["listed"]
        ]
    return record


def _is_report(s: Scenario, name: str) -> bool:
    return bool(s.calls[name].get("type") == "report")


def _report(s: Scenario, name: str) -> dict[str, Any]:
    """An attendance report. Somebody who was there twice has two intervals."""
    call, rows = s.calls[name], s.calls[name]["who"]
    spans: dict[str, list[dict[str, str]]] = {}
    for who, joined, left, *_ in rows:
        interval = {"joinDateTime": _graph_time(s.time(joined)), "leaveDateTime": _graph_time(s.time(left))}
        spans.setdefault(who, []).append(interval)
    return {
        "id": s.call_id(name).removeprefix("attendance:"),
        "totalParticipantCount": len(spans),
        "meetingStartDateTime": _graph_time(min(s.time(row[1]) for row in rows)),
        "meetingEndDateTime": _graph_time(max(s.time(row[2]) for row in rows)),
        "joinWebUrl": join_url(s, name),
        "participants": {"organizer": {"identity": {"user": _identity(s, _organiser(s, call))}}},
        "attendanceRecords": [
            {"identity": _identity(s, who), "role": "Attendee", "attendanceIntervals": intervals}
            for who, intervals in spans.items()
        ],
    }


def _identity(s: Scenario, who: str, words: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """How Graph identifies somebody. `words` are what the scenario says about how they took part."""
    stranger = s.cast["strangers"].get(who)
    if stranger == "nameless":
        return None
    if stranger == "guest":
        return {"id": f"teamsvisitor:{s.entra(who)}", "displayName": None, "tenantId": None}
    if stranger == "phone":
        return {"id": "+441600000000", "displayName": None, "tenantId": None}
    if stranger == "bot":
        return {"id": s.entra(who), "displayName": "Note taker", "tenantId": None}
    if stranger == "personal account":
        return {"id": s.entra(who), "displayName": None, "tenantId": ELSEWHERE, "userPrincipalName": "me@home.example"}
    person = s.cast["staff"].get(who) or s.cast["pupils"][who]
    tenants = {"tenant elsewhere": ELSEWHERE, "tenant unsaid": None}
    return {
        "id": None if "known by email" in words else s.entra(who),
        "displayName": person["name"],
        "tenantId": next((tenants[word] for word in words if word in tenants), TENANT),
        "userPrincipalName": s.email(who).upper() if "known by email" in words else None,
    }


_SET = {"guest": "guest", "phone": "phone", "bot": "applicationInstance"}


def _endpoint(s: Scenario, row: list[str]) -> dict[str, Any]:
    who, words = row[0], tuple(row[3:])
    identity = _identity(s, who, words)
    key = _SET.get(s.cast["strangers"].get(who, ""), "user")
    return {
        "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
        "name": None,
        "userAgent": None,
        "identity": identity and {key: identity},
        "associatedIdentity": identity if key == "user" else None,
    }


_OTHER_WORDS = ("screen", "no media", "failed", "test", "tenant elsewhere", "tenant unsaid", "known by email")


def _streams(s: Scenario, row: list[str], direction: str) -> list[dict[str, Any]]:
    """The camera video that somebody sent."""
    streams: list[dict[str, Any]] = []
    for word in row[3:]:
        if word == "on":
            streams.append({"startDateTime": None, "endDateTime": None, "packetUtilization": 4200})
        elif word == "no packets":
            streams.append({"startDateTime": None, "endDateTime": None, "packetUtilization": 0})
        elif word.startswith("on "):
            start, end = (text and _graph_time(s.time(text)) for text in word.removeprefix("on ").split("-"))
            streams.append({"startDateTime": start or None, "endDateTime": end or None, "packetUtilization": 4200})
        elif word not in _OTHER_WORDS:
            raise Untold(f"{s.file}, {s.name!r}: a call knows no {word!r}")
    return [{"streamId": str(i), "streamDirection": direction} | stream for i, stream in enumerate(streams)]


def _session(
    name: str, span: tuple[datetime, datetime], caller: dict[str, Any], callee: dict[str, Any], media: Any
) -> dict[str, Any]:
    start, end = map(_graph_time, span)
    segment = {"id": name, "startDateTime": start, "endDateTime": end, "failureInfo": None, "media": media}
    return {
        "id": name,
        "modalities": ["audio", "screenSharing"],
        "startDateTime": start,
        "endDateTime": end,
        "isTest": False,
        "failureInfo": None,
        "caller": caller,
        "callee": callee,
        "segments": [segment | {"caller": caller, "callee": callee}],
    }


def _joined(s: Scenario, row: list[str], span: tuple[datetime, datetime], name: str) -> dict[str, Any]:
    """One person's session with the meeting service. Everybody also receives video in it."""
    service = {"@odata.type": "#microsoft.graph.callRecords.serviceEndpoint", "name": None, "userAgent": None}
    received = {"streamId": "r", "streamDirection": "calleeToCaller", "packetUtilization": 9000}
    media = [
        {"label": "main-audio", "streams": [{"streamId": "a", "streamDirection": "callerToCallee"}]},
        {"label": "main-video", "streams": [*_streams(s, row, "callerToCallee"), received]},
    ]
    if "screen" in row:
        shared = {"streamId": "s", "streamDirection": "callerToCallee", "packetUtilization": 700}
        media.append({"label": "vbss", "streams": [shared]})
    session = _session(name, span, _endpoint(s, row), service, [] if "no media" in row else media)
    if "test" in row:
        session["isTest"] = True
    if "failed" in row:
        session |= {"failureInfo": {"stage": "callSetup", "reason": "Not reached"}, "segments": []}
    return session


def _direct(s: Scenario, rows: list[list[str]], times: Any, name: str) -> dict[str, Any]:
    """One leg of a call between two people. The first one is the caller."""
    caller, callee = rows
    video = [*_streams(s, caller, "callerToCallee"), *_streams(s, callee, "calleeToCaller")]
    return _session(
        name, times[0], _endpoint(s, caller), _endpoint(s, callee), [{"label": "main-video", "streams": video}]
    )
