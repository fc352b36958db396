"""The settings file: what is wrong is named with its fix."""

from pathlib import Path

import pytest

from app.settings import ROOT, SettingsError, load_settings


def written(folder: Path, more: str) -> Path:
    file = folder / "protocol.toml"
    text = (ROOT / "data/protocol.toml").read_text(encoding="utf-8")
    file.write_text(f"{text}\n{more}\n", encoding="utf-8")
    return file


def test_load_settings_reads_the_pupils_policies(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")).pupil_policies is None
    policies = load_settings(
        written(
            tmp_path, '[pupil_policies]\nTeamsMeetingPolicy = " Pupils "\nTeamsCallingPolicy = ["None", "Sixth form"]'
        )
    ).pupil_policies
    assert policies is not None
    assert policies.by_kind == {"TeamsMeetingPolicy": ("Pupils",), "TeamsCallingPolicy": ("None", "Sixth form")}
    policies = load_settings(written(tmp_path, '[pupil_policies]\nTeamsMeetingPolicy = "Pupils"')).pupil_policies
    assert policies is not None
    assert policies.by_kind == {"TeamsMeetingPolicy": ("Pupils",)}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "pupil_policies: name the pupils' policy"),
        ("TeamsMeetingPolicy = []", "pupil_policies: name the pupils' policy"),
        ("TeamsMeetingPolicy = 5", "pupil_policies.TeamsMeetingPolicy: write one name"),
        ('TeamsCallingPolicy = ["a", " "]', "pupil_policies.TeamsCallingPolicy: write one name"),
        ('TeamsMessagingPolicy = "a"', "pupil_policies.TeamsMessagingPolicy: not an entry of the settings"),
        ('meeting = "a"', "pupil_policies.meeting: not an entry of the settings"),
    ],
)
def test_load_settings_names_what_is_wrong_with_pupil_policies(tmp_path: Path, entry: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(written(tmp_path, f"[pupil_policies]\n{entry}"))


def test_load_settings_reads_the_groups_of_the_roster(tmp_path: Path) -> None:
    lines = ("[entra_roster]", 'staff = "Staff"', 'pupils = "@pupils.habs.example"', 'year_groups.9 = ["Y9", "Staff"]')
    text = "\n".join(lines)
    wanted = load_settings(written(tmp_path, text)).entra_roster
    assert wanted is not None
    assert (wanted.year_groups, wanted.list_groups()) == ({"9": ("Y9", "Staff")}, ("Staff", "Y9"))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "entra_roster: name the groups or the domain of `staff`"),
        ('pupils = "Pupils"\ntutor_groups = "9A"', "entra_roster: name the groups or the domain of `staff` as well"),
        ("staff = 5", "entra_roster.staff: write one name"),
        ('staff = "Staff"\ntutors = "T"', "entra_roster.tutors: not an entry of the settings"),
        ('staff = "Staff"\nroles = {hoy = 9}', "entra_roster.roles.hoy: write one name"),
    ],
)
def test_load_settings_names_what_is_wrong_with_the_groups_of_the_roster(
    tmp_path: Path, entry: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(written(tmp_path, f"[entra_roster]\n{entry}"))
