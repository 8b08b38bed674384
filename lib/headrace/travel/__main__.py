"""`python -m headrace.travel FOLDER`: write the example's events as files, all waves at once."""

import argparse
import random
from pathlib import Path

from headrace.travel.agency import Agency
from headrace.travel.channel import deliver, write_wave
from headrace.travel.people import ACTS, People
from headrace.travel.policies import write_policies
from headrace.travel.travellers import Travellers


def main() -> None:
    """Write the files and print what was written."""
    parser = argparse.ArgumentParser(
        prog="python -m headrace.travel", description="Write the travel company's change events as JSON-lines files."
    )
    parser.add_argument("folder", type=Path, help="folder to write into; made where missing")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another history (default: 7)")
    parser.add_argument("--steps", type=int, default=1_000, help="transactions after the snapshot (default: 1000)")
    parser.add_argument("--documents", type=Path, metavar="FOLDER", help="write the company's documents there as well")
    parser.add_argument("--people", type=Path, metavar="FOLDER", help="write callers and devices there as well")
    parser.add_argument("--conversations", type=Path, metavar="FOLDER", help="write what travellers ask and rate there")
    parser.add_argument("--no-schemas", action="store_true", help="leave the schema block out of keys and values")
    asked = parser.parse_args()
    agency = Agency(asked.seed, steps=asked.steps)
    waves = deliver(agency.database.log, random.Random(asked.seed), schemas=not asked.no_schemas)
    for number, files in enumerate(waves):
        for path, deliveries in zip(write_wave(files, number, asked.folder), files, strict=True):
            print(f"{path}: {len(deliveries)} messages")
    if asked.documents:
        print(f"{asked.documents}: {write_policies(asked.documents)} documents")
    if asked.people:
        people = People.of(agency.database, asked.seed)
        print(f"{asked.people}: {sum(people.write(act, asked.people) for act in range(ACTS))} rows of people")
    if asked.conversations:
        travellers = Travellers.of(agency.database, asked.seed)
        print(f"{asked.conversations}: {sum(travellers.write(asked.conversations))} events of conversations")


if __name__ == "__main__":
    main()
