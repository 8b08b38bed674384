"""One batch of `build_profiles`: changed keys -> people -> profiles, behaviour and the outbox. Wiring only."""

import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_profiles import Behaviour, Consent, Profiles, Related
from headrace.identifiers.normalise import Normaliser
from headrace.lake import Lake, local_rows
from headrace.pipelines import profile_plan
from headrace.pipelines.profile_material import MEMBERS, Material
from headrace.pipelines.profile_placed import Moved, Placed, records_of
from headrace.pipelines.profile_plan import Plan
from headrace.pipelines.profile_rows import ProfileRows
from headrace.profiles import build, served, served_some
from headrace.profiles.fill import fill, index
from headrace.profiles.identity import Outcome, Person, Seen, step
from headrace.profiles.links import Ref, Rules
from headrace.profiles.people_tables import LakePeople
from headrace.profiles.records import IDENTIFIED, identified, seen
from headrace.profiles.served import Served
from headrace.profiles.some_rows import picked
from headrace.stores.files import LakeFiles
from headrace.tables import PEOPLE, PROFILES, REJECTS

log = logging.getLogger("headrace")
JOB = "build_profiles"
ASK_DUE_SECONDS = 60.0
DRIVER_PERSONS = 20_000
"""People whose profiles the driver compares and tells by itself; of more all is done in Spark."""
_AS_PLANNED = {
    # Planning again after each stage is a job for each, and Delta lists the files of every table again each time.
    "spark.sql.adaptive.enabled": "false",
}

Touched = Mapping[str, Mapping[str, str]]
"""By table, the keys that changed, each with its newest position."""


@dataclass(slots=True)
class Done:
    """What became of a batch."""

    records: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    served: Served = field(default_factory=Served)
    rejected: int = 0


class ProfileBatches:
    """Takes batches of changed keys. All methods belong to the job's thread."""

    def __init__(self, lake: Lake, settings: Profiles, rows: ProfileRows, normaliser: Normaliser) -> None:
        self._lake, self._settings, self._rows, self._normaliser = lake, settings, rows, normaliser
        self._rules = Rules.of(settings)
        self.people = LakePeople(lake)
        self._placed = Placed(lake, settings, rows, self.people)
        self._files = LakeFiles(lake.root)
        self._ask_due_at = 0.0
        self._found_by = settings.found_by()
        self._owning = {name for one in _feeds(settings) for name in one.by} - settings.records.keys()
        self._material = Material(lake, settings, rows, self._placed, self._owning)

    def fill(self, batch: int, unclean: bool) -> Done:
        """Bring everything up to date from all rows there are: the first time, and after other settings.

        Args:
            unclean: an unfinished fill may have left entries in the index that no difference shows.
        """
        # A row must be placed where it is counted, and others go on writing.
        with self._rows.standing_still():
            return self._fill(batch, unclean)

    def _fill(self, batch: int, unclean: bool) -> Done:
        self.people.begin()
        found, rejected = self._identified()
        records, links = found.agg(F.count("*"), F.coalesce(F.sum(F.size("identifiers")), F.lit(0))).collect()[0]
        if links > self._settings.driver_links:
            events = fill(self._lake, found, self._rules, batch)
        else:
            known = {ref for ref, one in self.people.everybody().items() if not one.deleted}
            now = seen(found.toArrow().to_pylist())
            gone = [Seen(ref, "", "", None) for ref in known - {one.ref for one in now}]
            outcome = step(self.people, [*now, *gone], self._rules, all_over=True)
            self.people.write(outcome, batch)
            if unclean:
                index(self._lake, found, self._rules, batch)
            events = _counted(outcome)
        self.people.begin()
        self._placed.fill(batch)
        return Done(records, events, self._serve(None, (), batch), rejected)

    def take(self, touched: Touched, batch: int) -> Done:
        """Bring everything that hangs on these keys up to date."""
        few = sum(map(len, touched.values())) <= DRIVER_PERSONS
        with self._lake.setting(_AS_PLANNED if few else {}):
            return self._take(touched, batch)

    def finish(self, plan: Plan) -> Served:
        """Do a batch again that a crash cut off somewhere."""
        self.people.begin()
        return self._carry_out(plan, again=True)

    def _take(self, touched: Touched, batch: int) -> Done:
        self.people.begin()
        changed, rejected = self._seen(touched)
        moved = self._placed.moved(touched)
        self.people.records({*(one.ref for one in changed), *records_of(moved)})  # one read in place of two
        outcome = step(self.people, changed, self._rules)
        plan = Plan(batch, [one.ref for one in changed], outcome, moved)
        profile_plan.keep(self._files, plan)
        return Done(len(changed), _counted(outcome), self._carry_out(plan), rejected)

    def _carry_out(self, plan: Plan, again: bool = False) -> Served:
        self.people.write(plan.outcome, plan.batch, again)
        persons = {*plan.outcome.persons, *self.people.persons_of(plan.changed).values()}
        persons |= self._sharing(plan.outcome)
        self._placed.sum_up(plan.moved, plan.batch)
        persons |= self._placed.persons(plan.moved)
        if self._asks_due():
            persons |= self._due()
        done = self._serve_some(persons, plan, again) if persons else Served()
        self._placed.keep(plan.moved, plan.batch)
        return done

    def _seen(self, touched: Touched) -> tuple[list[Seen], int]:
        """The records whose rows changed, as they are now; how many values were refused."""
        found: list[Seen] = []
        rejected = 0
        for name, record in self._settings.records.items():
            keys = touched.get(record.table)
            if not keys:
                continue
            here: list[Seen] = []
            if self._rows.there(record.table):
                rows = self._rows.records(name, keys)
                some = identified(rows, name, self._normaliser, self._rules).toArrow().to_pylist()
                rejected += self._reject_some([row for row in some if row["problem"]], record.table)
                here = seen(some)
            there = {one.ref.key for one in here}
            found += here
            found += [Seen(Ref(name, key), "", "", None, keys[key]) for key in keys if key not in there]
        return found, rejected

    def _identified(self) -> tuple[DataFrame, int]:
        """Every record there is, schema `records.IDENTIFIED`; how many values were refused."""
        found, rejected = local_rows(self._lake.spark, [], IDENTIFIED), 0
        for name, record in self._settings.records.items():
            if self._rows.there(record.table):
                rows = self._rows.records(name)
                some = identified(rows, name, self._normaliser, self._rules).localCheckpoint()
                rejected += self._reject(some.where("problem IS NOT NULL"), record.table)
                found = found.unionByName(some)
        return found, rejected

    def _sharing(self, outcome: Outcome) -> set[str]:
        """Everybody who has an identifier that changed hands, where rows belong to identifiers."""
        told = {value for value, _ in (*outcome.added, *outcome.removed) if value.kind in self._owning}
        return set[str]().union(*self.people.persons_having(told, served.MOST_PERSONS).values())

    def due(self) -> bool:
        """Whether time alone changes somebody's profile now; looked up at most once a minute."""
        found = self._asks_due() and bool(self._due())
        if found:
            self._ask_due_at = 0.0  # the batch that follows asks who
        return found

    def _asks_due(self) -> bool:
        if time.monotonic() < self._ask_due_at:
            return False
        self._ask_due_at = time.monotonic() + ASK_DUE_SECONDS
        return True

    def _due(self) -> set[str]:
        """People whose profile changes by the passing of time."""
        profiles = self._lake.read(self._lake.ensure(PROFILES)).where(F.col("due_at") <= F.lit(datetime.now(UTC)))
        return {row["person"] for row in profiles.where("NOT deleted").select("person").collect()}

    def _serve_some(self, persons: Collection[str], plan: Plan, again: bool) -> Served:
        """Serve these people.

        Args:
            again: stores may have been told of some already, and are told of all.
        """
        if again or len(persons) > DRIVER_PERSONS:
            return self._serve(persons, plan.moved, plan.batch, again)
        before = served_some.held(self._lake, persons)
        refs = {*plan.outcome.people, *(ref for one in before.values() for ref in one.records)}
        members = [one for one in self.people.records(refs).values() if not one.deleted and one.person in persons]
        of_them = local_rows(self._lake.spark, [_member(one) for one in members], MEMBERS)
        parts = self._material.of_some(of_them, plan.moved, plan.batch, few=True)
        built = build.profiles(parts, self._settings, datetime.now(UTC)).toArrow().to_pylist()
        done = served_some.serve(self._lake, self.people, built, before, persons, self._found_by, plan.batch)
        refused = [one for one in built if one["refused"]]
        if refused:
            self._refuse(local_rows(self._lake.spark, [(one["refused"],) for one in refused], "refused array<string>"))
        return done

    def _serve(
        self, persons: Collection[str] | None, moved: Collection[Moved], batch: int, again: bool = False
    ) -> Served:
        now = datetime.now(UTC)
        people = self._lake.read(self._lake.ensure(PEOPLE)).where("NOT deleted")
        if persons is not None:
            people = picked(people, "person", persons)
        people = people.select("record", "key", "own", "person", "identifiers").localCheckpoint()
        material = self._material
        parts = material.of_all(people) if persons is None else material.of_some(people, moved, batch, few=False)
        built = build.profiles(parts, self._settings, now).localCheckpoint()
        done = served.serve(self._lake, built, persons, self._found_by, batch, again)
        self._refuse(built.where("size(refused) > 0"))
        return done

    def _reject_some(self, rows: Sequence[Mapping[str, object]], table: str) -> int:
        if not rows:
            return 0
        told = [tuple(row[name] for name in ("problem", "key", "position")) for row in rows]
        return self._reject(local_rows(self._lake.spark, told, "problem string, key string, position string"), table)

    def _reject(self, rows: DataFrame, table: str) -> int:
        return self._park(
            rows.select(
                F.lit(table).alias("table"), F.lit("oversize identifier").alias("reason"),
                F.col("problem").alias("detail"), "key", "position",
            )
        )  # fmt: skip

    def _refuse(self, built: DataFrame) -> int:
        one = F.from_json(
            "_one", "section string, record string, key string, field string, size bigint, `limit` bigint"
        )
        rows = built.select(F.explode("refused").alias("_one")).select(one.alias("_"), "_one").select("_.*", "_one")
        detail = F.concat(
            F.lit("expected at most "), "limit", F.lit(" bytes in "), "field", F.lit("; found "), "size",
            F.lit(". Raise profiles.max_field_bytes, or shorten it."),
        )  # fmt: skip
        return self._park(
            rows.select(
                F.col("record").alias("table"), F.lit("oversize field").alias("reason"), detail.alias("detail"), "key",
                F.lit(None).cast("string").alias("position"),
            )
        )  # fmt: skip

    def _park(self, rows: DataFrame) -> int:
        now = datetime.now(UTC)
        told = rows.withColumns(
            {"source": F.lit(JOB), "rejected_at": F.lit(now), "batch": F.lit(JOB), "day": F.lit(now.date())}
        ).localCheckpoint()
        count = told.count()
        if count:
            self._lake.append(told, self._lake.ensure(REJECTS, job=JOB))
        return count


def _feeds(settings: Profiles) -> list[Related | Behaviour | Consent]:
    some: list[Related | Behaviour | Consent] = [*settings.related.values(), *settings.behaviour.values()]
    return [*some, settings.consent] if settings.consent else some


def _member(one: Person) -> tuple[object, ...]:
    return (*one.node.ref, one.node.own, one.person, [value._asdict() for value in one.node.values])


def _counted(outcome: Outcome) -> dict[str, int]:
    return dict(Counter(event.kind for event in outcome.events))
