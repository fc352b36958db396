"""The school's protocol for videoconferencing with pupils: whether it is kept, and what follows."""
