"""Overview: is the protocol kept, what drifts, where, and what waits."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from app import access, charts
from app.protocol import CLAUSES, figures
from app.screen import (
    PURPOSE_WORDS,
    TITLES,
    behind,
    choose_days,
    filtered,
    on_day,
    percent,
    require,
    say,
    table,
)

school, person = require("overview")


@st.cache_data(max_entries=20, show_spinner=False)
def sessions_of(days: tuple[date, date], key: tuple) -> pd.DataFrame:
    rows = access.overview(school, person, days)
    return rows.assign(band=charts.band(rows["hour"]), week=rows["day"] - pd.to_timedelta(rows["day"].dt.day_of_week, "D"))


st.title("Overview")
key = (person, access.revision(school), school.today(), str(school.engine.url))

with st.container(horizontal=True, vertical_alignment="bottom"):
    days = choose_days(school, "overview")
rows = sessions_of(days, key)
length = days[1] - days[0] + timedelta(days=1)
earlier = sessions_of((days[0] - length, days[0] - timedelta(days=1)), key)

with st.expander("Narrow down: school, department, purpose"):
    left, middle, right = st.columns(3)
    kept_filters = []
    for place, column, label, words in (
        (left, "school", "School", str),
        (middle, "department", "Department", str),
        (right, "purpose", "Purpose", lambda purpose: PURPOSE_WORDS.get(purpose, purpose.title())),
    ):
        with place:
            before = len(rows)
            narrowed = filtered(rows, column, label, f"overview {column}", words)
            chosen = st.session_state.get(f"overview {column}")
            rows, earlier = narrowed, earlier[earlier[column].isin(chosen)] if chosen else earlier

say(
    "{first} to {last}. Counselling is confidential and in none of these figures.",
    first=on_day(days[0]),
    last=on_day(days[1]),
)

if rows.empty:
    st.info("There are no sessions on these days. Choose other days, or import call records and logs.")
    st.stop()


def totals(of: pd.DataFrame) -> dict[str, float]:
    told = figures(of[[clause.name for clause in CLAUSES]])
    kept, shown = int(told[["met", "exempt"]].sum().sum()), int(told[["met", "exempt", "breach"]].sum().sum())
    gaps = int(told["no_evidence"].sum())
    return {
        "sessions": len(of), "kept": kept, "shown": shown, "gaps": gaps, "all_kept": int((of["status"] != "breach").sum()),
        "breaches": int((of["status"] == "breach").sum()), "unlogged": int((~of["has_log"]).sum()),
    }  # fmt: skip


now, then = totals(rows), totals(earlier)
weeks = charts.rates(rows, ["week"], None)


def change(here: float, there: float, unit: str = "") -> str | None:
    return (
        f"{here - there:+.1f}{unit} against the {length.days} days before" if then["sessions"] >= charts.FEW else None
    )


per_week = rows.groupby("week").agg(
    n=("session_id", "size"),
    broken=("status", lambda s: (s == "breach").sum()),
    silent=("has_log", lambda s: (~s).sum()),
)
with st.container(horizontal=True):
    share = now["kept"] / now["shown"] if now["shown"] else None
    share_then = then["kept"] / then["shown"] if then["shown"] else None
    st.metric(
        "Protocol kept",
        f"{share * 100:.1f} %"
        if share is not None and now["sessions"] >= charts.FEW
        else f"{now['kept']} of {now['shown']}",
        change((share or 0) * 100, (share_then or 0) * 100, " points"),
        chart_data=[round(r * 100, 2) for r in weeks["rate"].dropna()],
        border=True,
        help=f"{percent(share, now['kept'], now['shown'])} outcomes of all clauses with evidence: kept, or covered by an exception.",
    )
    st.metric(
        "Sessions with a clause not kept",
        f"{now['breaches']:,} of {now['sessions']:,}",
        change(
            100 * now["breaches"] / max(now["sessions"], 1),
            100 * then["breaches"] / max(then["sessions"], 1),
            " points",
        ),
        delta_color="inverse",
        chart_data=per_week["broken"].tolist(),
        border=True,
    )
    st.metric(
        "Calls not logged",
        f"{now['unlogged']:,} of {now['sessions']:,}",
        change(
            100 * now["unlogged"] / max(now["sessions"], 1),
            100 * then["unlogged"] / max(then["sessions"], 1),
            " points",
        ),
        delta_color="inverse",
        chart_data=per_week["silent"].tolist(),
        border=True,
    )
    known = now["shown"] / (now["shown"] + now["gaps"]) if now["shown"] else 0
    known_then = then["shown"] / (then["shown"] + then["gaps"]) if then["shown"] else 0
    st.metric(
        "With evidence",
        f"{known * 100:.1f} %",
        change(known * 100, known_then * 100, " points"),
        border=True,
        help=f"{now['shown']:,} of {now['shown'] + now['gaps']:,} outcomes that apply have evidence. No evidence never counts as kept.",
    )

# --- what waits -----------------------------------------------------------------------------------------

st.header("What waits")
waiting = []
unlogged = rows[~rows["has_log"]]
overdue = int((unlogged["logged"] == "breach").sum())
if len(unlogged):
    waiting.append(
        (
            f"**{len(unlogged):,}** calls with pupils that nobody logged, **{overdue:,}** of them past their time",
            "sessions",
            {"show": "unlogged"},
        )
    )
disputed = int(rows["disputed"].sum())
if disputed:
    waiting.append(
        (
            f"**{disputed:,}** sessions in which the log says the opposite of the call record",
            "sessions",
            {"show": "disputed"},
        )
    )
if access.sees(person, "oldest open concern"):
    oldest = access.oldest_concern(school, person)
    if oldest:
        owner = oldest["owner"] or "nobody: no DSP was alerted"
        say(
            "<b>{n}</b> open concerns. The oldest, {ref}, is {age} days old, level “{level}”, with {owner}.",
            n=oldest["waiting"], ref=oldest["ref"], age=oldest["age_days"], level=oldest["level"], owner=owner,
        )  # fmt: skip
version = school.settings.version_on(school.today())
if version and version.next_review and version.next_review < school.today():
    st.warning(
        f"The protocol in force, “{version.name}”, was to be reviewed by {on_day(version.next_review)}. Enter the new version in the settings."
    )
for words, page, where in waiting:
    st.markdown(words)
    if access.sees(person, "sessions") and "senior_deputy_head" in person.roles:
        st.page_link(f"pages/{page}.py", label="Show them", icon=":material/arrow_forward:", query_params=where)
if not waiting:
    st.write("Nothing waits.")

# --- where and when ---------------------------------------------------------------------------------------

st.header("By department and time of day")
measure = st.selectbox(
    "Clause",
    [None, *TITLES],
    format_func=lambda name: TITLES[name] if name else "All clauses together",
    key="overview clause",
)
cells = charts.rates(rows, ["department", "band"], measure)
if cells.empty:
    st.info("No session of these days has evidence on this clause.")
else:
    say("{sentence}", sentence=charts.heat_sentence(cells, TITLES.get(measure, "All clauses")))
    event = st.altair_chart(
        charts.heat_map(cells),
        on_select="rerun",
        selection_mode="cell",
        key=f"heat {days} {measure} {len(rows)}",
        alt="Heat map of compliance by department and hour; the same figures are in the table below it.",
    )
    st.caption(
        "The percentage of outcomes kept; fewer than three sessions show their number alone. Click a cell for its sessions."
    )
    points = event["selection"]["cell"] if event else []
    names = [f"{cell.department} · {cell.band}" for cell in cells.itertuples()]
    picked = st.selectbox(
        "Or choose department and hour",
        names,
        index=None,
        placeholder="Department · hour",
        key=f"cell {days} {measure} {len(rows)}",
    )
    if picked:
        points = [dict(zip(("department", "band"), picked.split(" · "), strict=True))]
    if points:
        department, hour = points[0]["department"], points[0]["band"]
        here = rows[(rows["department"] == department) & (rows["band"] == hour)]
        if measure:
            here = here[here[measure] != "not_applicable"]
        st.subheader("The sessions of this cell")
        say("{department}, hour {hour}: {n} sessions, the newest first.", department=department, hour=hour, n=len(here))
        shown = here.sort_values(["day", "minute"], ascending=False)
        clauses = [clause.name for clause in CLAUSES]
        broken = (shown[clauses] == "breach").apply(lambda row: ", ".join(TITLES[c] for c in clauses if row[c]), axis=1)
        listing = pd.DataFrame(
            {
                "When": [
                    f"{on_day(d)}, {m // 60:02}:{m % 60:02}" for d, m in zip(shown["day"], shown["minute"], strict=True)
                ],
                "Staff": shown["staff_name"].fillna("–") if "senior_deputy_head" in person.roles else "",
                "Purpose": shown["purpose"].map(
                    lambda p: PURPOSE_WORDS.get(p, "Other") if isinstance(p, str) else "not logged"
                ),
                "Not kept": broken if len(shown) else "",
            }
        )
        if "senior_deputy_head" not in person.roles:
            listing = listing.drop(columns="Staff")
            table(listing, "Sessions of the chosen cell", "sessions of a cell")
        else:
            st.write("Select a row to open the session.")
            picked_rows = table(
                listing, "Sessions of the chosen cell", "sessions of a cell",
                on_select="rerun", selection_mode="single-row", key=f"cell rows {days} {measure} {department} {hour} {len(here)}",
            )  # fmt: skip
            if picked_rows["selection"]["rows"]:
                number = int(shown["session_id"].iloc[picked_rows["selection"]["rows"][0]])
                st.switch_page("pages/sessions.py", query_params={"session": str(number)})
    behind(
        cells.rename(
            columns={
                "department": "Department",
                "band": "Hour",
                "kept": "Kept",
                "of": "Outcomes",
                "sessions": "Sessions",
                "rate": "Share kept",
            }
        ),
        "department and hour",
        "Compliance by department and hour",
    )

# --- clause by clause ---------------------------------------------------------------------------------------

st.header("Clause by clause")
told = figures(rows[[clause.name for clause in CLAUSES]])
told.insert(0, "title", [TITLES[name] for name in told.index])
known_clauses = told[told["rate"].notna() & (told[["met", "exempt", "breach"]].sum(axis=1) >= charts.FEW)]
if not known_clauses.empty:
    least = known_clauses.sort_values("rate").iloc[0]
    kept_least = int(least["met"] + least["exempt"])
    say(
        "Least kept: {title}, {words}.",
        title=least["title"],
        words=percent(least["rate"], kept_least, kept_least + int(least["breach"])),
    )
st.altair_chart(charts.clause_bars(told), alt="Compliance of each clause; the same figures are in the table below.")
behind(
    told.reset_index(drop=True).rename(
        columns={
            "title": "Clause",
            "met": "Kept",
            "exempt": "Exception",
            "breach": "Not kept",
            "no_evidence": "No evidence",
            "not_applicable": "Does not apply",
            "rate": "Share kept",
            "evidence_share": "Share with evidence",
        }
    ),
    "clause by clause",
    "Outcomes of each clause",
)

# --- week by week -------------------------------------------------------------------------------------------

st.header("Week by week")
weekly = charts.rates(rows, ["week"], measure)
if weekly.empty:
    st.info("No session of these days has evidence on this clause.")
else:
    say("{what}. {sentence}", what=TITLES.get(measure, "All clauses"), sentence=charts.week_sentence(weekly))
    st.altair_chart(charts.week_line(weekly), alt="Compliance week by week; the same figures are in the table below.")
    behind(
        weekly.assign(week=[on_day(week) for week in weekly["week"]]).rename(
            columns={"week": "Week of", "kept": "Kept", "of": "Outcomes", "sessions": "Sessions", "rate": "Share kept"}
        ),
        "week by week",
        "Compliance week by week",
    )

# --- counselling --------------------------------------------------------------------------------------------

counts = access.counselling_counts(school, person)
if not counts.empty:
    st.header("Counselling")
    for row in counts.itertuples():
        say("{term}: {n} sessions up to {until}.", term=row.term, n=row.sessions, until=on_day(row.until))
    st.caption(
        "Counted for whole terms and completed weeks, in steps of three, so that no figure tells of one session."
    )
