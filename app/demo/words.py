"""What the people of the fictional school write in logs and concerns."""

FORGOTTEN = ("dress_ok", "background_ok", "private_recording", "room")
ELSE = ("Parents' evening", "Duke of Edinburgh planning", "Revision club", "Debating")

# What came up in a session, how it is filed, and how far into the two terms it was.
CONCERNS = (
    (0.06, "Looked unwell and said there had been no breakfast again.", "seen_or_heard"),
    (0.15, "Said that there is often shouting at home at night and that sleep is hard.", "disclosure"),
    (0.27, "Became tearful when asked about the weekend and did not want to say why.", "distress"),
    (0.38, "A man nobody introduced walked through the room several times.", "unknown_adult"),
    (0.69, "Said that nobody at home knows about being bullied in a group chat.", "disclosure"),
    (0.81, "Very quiet for the third week, gave short answers and looked away.", "distress"),
    (0.93, "Heard an argument in the next room; the pupil muted and came back upset.", "seen_or_heard"),
)
SENIOR_FROM = 0.5  # the later ones are of the Senior School, whose DSP is shown first
HOME_ALONE = "Alone in the house since breakfast; no adult expected before four o'clock."
