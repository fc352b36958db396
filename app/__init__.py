"""The school's protocol for videoconferencing with pupils: kept, judged and shown."""
