"""A process that carries out operations as it is told, line by line, until its input ends: `python -m
tests.judging.worker`, in the folder of whichever version of the program."""

import json
import sys
from datetime import datetime

from app.judging.programs import SupersededError
from app.school import open_school
from tests.clock import stopped_at
from tests.judging.operations import carry_out


def main() -> None:
    for line in sys.stdin:
        told = json.loads(line)
        with stopped_at(datetime.fromisoformat(told["at"])):
            school = open_school(told["url"])
            try:
                carry_out(school, told["operation"])
                answer = "done"
            except SupersededError:
                answer = "superseded"
            school.engine.dispose()
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
