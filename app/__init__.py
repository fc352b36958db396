"""The school's protocol for videoconferencing with pupils: whether sessions comply, and what follows."""
