"""The school's protocol for videoconferencing with pupils: whether sessions comply, and what follows."""

import pandas as pd

# Most frames hold a session or two. With text in Python's objects instead of Arrow's arrays, judging a session takes a
# third less time, and judging many takes as long as before.
pd.options.mode.string_storage = "python"
