"""Print the tables of docs/sizing.md: what 100, 1,000 and 10,000 changes a second need on AWS, and what that costs.

    python scripts/sizing.py

Plain arithmetic over three lists: what was measured (with the page and the words it stands in), what is assumed, and
prices. Change an assumption or a price and run it again; a test compares the page with what is printed here.
"""

from dataclasses import dataclass
from math import ceil

RATES = (100, 1_000, 10_000)

MONTH_HOURS = 730
MONTH_SECONDS = MONTH_HOURS * 3600

# --- Prices: assumption, look up, dated 2026-11-26 ---
# From memory of public lists for eu-west-1, in US dollars without tax.

PRICES = {
    "glue_dpu_hour": 0.44,
    "kinesis_shard_hour": 0.017,
    "kinesis_kept_shard_hour": 0.02,  # more than 24 hours, up to 7 days
    "kinesis_million_puts": 0.016,  # of up to 25 KB each
    "s3_thousand_writes": 0.005,  # PUT, COPY, LIST
    "s3_thousand_reads": 0.0004,  # GET, HEAD
    "s3_gb_month": 0.023,
    "opensearch_node_hour": 0.20,  # r7g.large.search
    "opensearch_gb_month": 0.15,
    "kms_and_cloudwatch_month": 10.0,  # as in terraform/examples/minimal
}


@dataclass(frozen=True)
class Figure:
    """A number that was measured: its value, the page it stands on, and the words there."""

    what: str
    value: float
    shown: str
    page: str
    section: str
    words: str


MEASURED = {
    "carried": Figure(
        "changes a second that two cores carried for 5 minutes, from Kafka, 5 tables of 100,000 rows together",
        1_000, "1,000/s", "benchmarks.md", "Freshness", "1,000 changes a second",
    ),
    "read": Figure(
        "rows a second from Kinesis into Delta, two cores, emulator on the same cores",
        1_623, "1,623/s", "kinesis.md", "How it is tested", "| exact bounds, tasks read | 1,623 | 0.70 |",
    ),
    "decode": Figure(
        "counting and decoding 5,000 changes, two cores",
        0.3, "0.3 s", "benchmarks.md", "A small batch", "counting and decoding 0.3, typing",
    ),
    "reduce": Figure(
        "typing and reducing them",
        0.2, "0.2 s", "benchmarks.md", "A small batch", "typing and reducing 0.2",
    ),
    "journals": Figure(
        "journals of a batch",
        0.25, "0.25 s", "benchmarks.md", "A small batch", "the journals 0.25",
    ),
    "merge_10k": Figure(
        "10,000 changes of random keys into 10,000,000 rows, two cores",
        5.73, "5.73 s", "benchmarks.md", "Applying a batch", "| headrace | 5.73 | 17.42 |",
    ),
    "merge_200k": Figure(
        "200,000 of them",
        7.91, "7.91 s", "benchmarks.md", "Applying a batch", "| headrace | 7.91 | 11.59 |",
    ),
    "one_table": Figure(
        "a batch of 10,000 changes, one small table",
        2.5, "2.5 s", "benchmarks.md", "Freshness", "takes 2.5 s for one table and 6.5 s",
    ),
    "five_tables": Figure(
        "the same in five tables",
        6.5, "6.5 s", "benchmarks.md", "Freshness", "takes 2.5 s for one table and 6.5 s",
    ),
    "written": Figure(
        "MB written to a table for 200,000 changes of random keys",
        20.48, "20.48 MB", "benchmarks.md", "Applying a batch", "| headrace | 4.45 | 5.98 | 20.48 |",
    ),
    "stored": Figure(
        "MB of a table of 10,000,000 rows (the textbook recipe writes all of it)",
        1_079.78, "1,079.78 MB", "benchmarks.md", "Applying a batch", "| textbook | 41.50 | 126.11 | 1079.78 |",
    ),
    "embed": Figure(
        "passages a second and core that MiniLM embeds",
        6, "6/s", "knowledge.md", "Embedding", "about 6 passages a second and core",
    ),
    "publish": Figure(
        "passages a second published to OpenSearch",
        972, "972/s", "benchmarks.md", "The job against its parts", "972/s, 998/s",
    ),
}  # fmt: skip
M = {name: figure.value for name, figure in MEASURED.items()}
CORES_MEASURED = 2
RATE_MEASURED = M["carried"]


@dataclass(frozen=True)
class Assumed:
    """A number that nobody measured."""

    what: str
    value: float
    shown: str


ASSUMED = {
    "bytes": Assumed("bytes of a change in the stream", 1_000, "1,000"),
    "tables": Assumed("tables: one of 10,000,000 rows that takes all changes, the others small", 5, "5"),
    "trigger": Assumed("seconds from batch to batch (`apply.trigger`)", 60, "60"),
    "most": Assumed("most changes of a batch (`max_records_per_batch`, its default)", 200_000, "200,000"),
    "per_key": Assumed("changes of a key in one batch: one, so nothing folds away", 1, "1"),
    "deletes": Assumed("tables with a delete in each batch (one commit more each)", 5, "5, all of them"),
    "headroom": Assumed("headroom: twice the cores and the shards that the mean rate needs", 2, "x 2"),
    "vcpu": Assumed("vCPU of Glue that do the work of a core of the benchmark's machine", 1, "1"),
    "worker_vcpu": Assumed("vCPU of a G.1X worker (1 DPU); one worker is the driver's", 4, "4"),
    "shard_records": Assumed("records a second a shard takes (AWS's quota)", 1_000, "1,000"),
    "shard_bytes": Assumed("bytes a second a shard takes (AWS's quota)", 1_000_000, "1,000,000"),
    "append_objects": Assumed("objects of an append: two data files, the commit, its checksum", 4, "4"),
    "merge_objects": Assumed("objects of a MERGE: the same and two deletion vectors", 6, "6"),
    "lists": Assumed("LIST requests of a commit", 4, "4"),
    "heads": Assumed("GET and HEAD requests of a commit", 7, "7"),
    "files": Assumed("files of a table: half of `compact_at_files`; the large table 9 more", 32, "32"),
    "scans": Assumed("scans of a MERGE (benchmarks.md says three), each file in 3 GETs", 9, "3 x 3"),
    "log_bytes": Assumed("bytes of a change in `changes_log`", 500, "500"),
    "log_days": Assumed("days the log is stored: `log.keep` and 7 days as an old version in S3", 21, "21"),
    "file_days": Assumed("days a replaced file is stored: `vacuum_keep` and 7 days as an old version", 14, "14"),
    "texts": Assumed("new passages for each change (one change in a hundred touches a text)", 0.01, "0.01"),
    "passages": Assumed("passages in the index, 384 numbers each", 1_000_000, "1,000,000"),
    "nodes": Assumed("OpenSearch nodes r7g.large.search (Terraform's default), 100 GB each", 2, "2"),
    "node_gb": Assumed("GB of a node", 100, "100"),
}
A = {name: one.value for name, one in ASSUMED.items()}


@dataclass(frozen=True)
class Size:
    """What one rate needs, computed from the figures above. `workers` is None where they do not reach that far."""

    rate: int

    @property
    def is_measured(self) -> bool:
        """Whether a run carried this rate."""
        return self.rate <= RATE_MEASURED

    # --- A batch ---

    @property
    def changes(self) -> float:
        """Changes of a batch."""
        return min(self.rate * A["trigger"], A["most"])

    @property
    def interval(self) -> float:
        """Seconds from batch to batch."""
        return self.changes / self.rate

    @property
    def parts(self) -> dict[str, float]:
        """Seconds of a batch on the two cores that were measured."""
        share = max(0.0, (self.changes - 10_000) / 190_000)
        return {
            "read": self.changes / M["read"],
            "decode, type, reduce": self.changes / 5_000 * (M["decode"] + M["reduce"]),
            "MERGE, large table": M["merge_10k"] + share * (M["merge_200k"] - M["merge_10k"]),
            "the other tables": (A["tables"] - 1) * (M["five_tables"] - M["one_table"]) / 4,
            "journals": M["journals"],
        }

    @property
    def seconds(self) -> float:
        """All of them."""
        return sum(self.parts.values())

    @property
    def cores(self) -> float:
        """Cores with headroom, if more cores made a batch as much quicker."""
        return self.seconds / self.interval * CORES_MEASURED * A["headroom"] / A["vcpu"]

    @property
    def workers(self) -> int | None:
        """G.1X workers of `apply_changes`, the driver's included."""
        return 1 + ceil(self.cores / A["worker_vcpu"]) if self.is_measured else None

    # --- Knowledge ---

    @property
    def passages(self) -> float:
        """New passages a second."""
        return self.rate * A["texts"]

    @property
    def index_cores(self) -> float:
        """Cores that embed them, with headroom."""
        return self.passages / M["embed"] * A["headroom"] / A["vcpu"]

    @property
    def index_workers(self) -> int | None:
        """G.1X workers of `index_knowledge`, the driver's included."""
        return 1 + ceil(self.index_cores / A["worker_vcpu"]) if self.is_measured else None

    # --- Kinesis ---

    @property
    def shards(self) -> int:
        """Shards of the stream of changes."""
        needed = max(self.rate / A["shard_records"], self.rate * A["bytes"] / A["shard_bytes"])
        return max(1, ceil(needed * A["headroom"]))

    # --- S3 ---

    @property
    def batches(self) -> float:
        """Batches of a month."""
        return MONTH_SECONDS / self.interval

    @property
    def commits(self) -> float:
        """Commits of a batch: log, changed keys, batches, a MERGE for each table, tombstones."""
        return 3 + A["tables"] + A["deletes"]

    @property
    def writes(self) -> float:
        """PUT, COPY and LIST requests of a batch. Deletes cost nothing and are left out."""
        appends = self.commits - A["tables"]
        objects = appends * A["append_objects"] + A["tables"] * A["merge_objects"]
        checkpoints = self.commits * 2 / 50  # Delta's, every 50 commits
        spark = 4  # offsets and commits, each written and copied to its name
        return objects + checkpoints + spark + self.commits * A["lists"]

    @property
    def reads(self) -> float:
        """GET and HEAD requests of a batch."""
        files = A["tables"] * A["files"] + 9
        return files * A["scans"] + self.commits * A["heads"]

    @property
    def gigabytes(self) -> float:
        """Stored in S3."""
        log = self.rate * A["log_bytes"] * A["log_days"] * 86_400 / 1e9
        replaced = self.rate * M["written"] * 1e6 / 200_000 * A["file_days"] * 86_400 / 1e9
        return log + replaced + M["stored"] / 1e3

    # --- Dollars a month ---

    @property
    def costs(self) -> dict[str, float | None]:
        """Dollars a month by part; None where the part has no size."""
        p = PRICES
        hour = p["kinesis_shard_hour"] + p["kinesis_kept_shard_hour"]
        nodes = A["nodes"] * (p["opensearch_node_hour"] * MONTH_HOURS + A["node_gb"] * p["opensearch_gb_month"])
        return {
            "Glue, `apply_changes`": _glue(self.workers),
            "Kinesis, kept 7 days": self.shards * hour * MONTH_HOURS
            + self.rate * MONTH_SECONDS / 1e6 * p["kinesis_million_puts"],
            "S3, PUT, COPY, LIST": self.batches * self.writes / 1e3 * p["s3_thousand_writes"],
            "S3, GET, HEAD": self.batches * self.reads / 1e3 * p["s3_thousand_reads"],
            "S3, stored": self.gigabytes * p["s3_gb_month"],
            "KMS, CloudWatch": p["kms_and_cloudwatch_month"],
            "Glue, `index_knowledge`": _glue(self.index_workers),
            "OpenSearch": nodes if self.is_measured else None,
        }


def _glue(workers: int | None) -> float | None:
    return None if workers is None else workers * PRICES["glue_dpu_hour"] * MONTH_HOURS


KNOWLEDGE = ("Glue, `index_knowledge`", "OpenSearch")


def _number(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + "---|" * len(cells)]


def measured() -> list[str]:
    """The table of measured figures."""
    link = "[{0}]({1}#{2})"
    rows = [
        _row(one.what, one.shown, link.format(one.section, one.page, one.section.lower().replace(" ", "-")))
        for one in MEASURED.values()
    ]
    return [*_head("measured", "value", "where"), *rows]


def assumed() -> list[str]:
    """The table of assumptions."""
    return [*_head("assumed", "value"), *(_row(one.what, one.shown) for one in ASSUMED.values())]


def sizes() -> list[str]:
    """The table of sizes."""
    found = [Size(rate) for rate in RATES]
    lines = _head("changes a second", *(f"{size.rate:,}" for size in found))
    parts = {f"{name}, s": [size.parts[name] for size in found] for name in found[0].parts}
    numbers: dict[str, list[float]] = {
        "changes of a batch": [size.changes for size in found],
        "seconds from batch to batch": [size.interval for size in found],
        **parts,
        "**a batch on two cores, s**": [size.seconds for size in found],
        "two cores are busy, %": [100 * size.seconds / size.interval for size in found],
        "cores with headroom, if cores add up": [size.cores for size in found],
        "Kinesis shards": [size.shards for size in found],
        "batches a day": [size.batches / MONTH_HOURS * 24 for size in found],
        "commits to Delta a day": [size.batches / MONTH_HOURS * 24 * size.commits for size in found],
        "S3 writes and lists of a batch": [size.writes for size in found],
        "S3 reads of a batch": [size.reads for size in found],
        "S3 writes and lists a month, million": [size.batches * size.writes / 1e6 for size in found],
        "S3 reads a month, million": [size.batches * size.reads / 1e6 for size in found],
        "GB in S3": [size.gigabytes for size in found],
        "new passages a second": [size.passages for size in found],
        "cores that embed, with headroom": [size.index_cores for size in found],
        "publishing, % of what was measured": [100 * size.passages / M["publish"] for size in found],
    }
    lines += [_row(name, *map(_number, values)) for name, values in numbers.items()]
    for name, workers in (
        ("**G.1X workers, `apply_changes`**", [size.workers for size in found]),
        ("**G.1X workers, `index_knowledge`**", [size.index_workers for size in found]),
    ):
        lines.append(_row(name, *("not measured" if one is None else str(one) for one in workers)))
    lines.append(_row("**G.1X workers, `build_profiles`**", *("not measured" for _ in found)))
    nodes = f"{A['nodes']:.0f}"
    lines.append(_row("**OpenSearch nodes**", *(nodes if size.is_measured else "not measured" for size in found)))
    return lines


def costs() -> list[str]:
    """The table of dollars a month."""
    found = [Size(rate) for rate in RATES]
    lines = _head("US dollars a month", *(f"{size.rate:,}/s" for size in found))
    for name in found[0].costs:
        values = [size.costs[name] for size in found]
        lines.append(_row(name, *("not measured" if one is None else f"{one:,.0f}" for one in values)))
    tables = [_sum(size, without=KNOWLEDGE) for size in found]
    lines.append(_row("**tables alone**", *tables))
    lines.append(_row("**with knowledge**", *(_sum(size) for size in found)))
    return lines


def _sum(size: Size, without: tuple[str, ...] = ()) -> str:
    wanted = [value for name, value in size.costs.items() if name not in without]
    known = sum(value for value in wanted if value is not None)
    return f"{known:,.0f}" if None not in wanted else f"{known:,.0f} and Glue" + (", OpenSearch" * (not without))


def prices() -> list[str]:
    """The table of prices."""
    names = {
        "glue_dpu_hour": "Glue, DPU-hour",
        "kinesis_shard_hour": "Kinesis, shard-hour",
        "kinesis_kept_shard_hour": "Kinesis, shard-hour more where records are kept 2 to 7 days",
        "kinesis_million_puts": "Kinesis, a million records of up to 25 KB",
        "s3_thousand_writes": "S3, a thousand PUT, COPY or LIST",
        "s3_thousand_reads": "S3, a thousand GET or HEAD",
        "s3_gb_month": "S3, GB-month",
        "opensearch_node_hour": "OpenSearch, r7g.large.search, hour",
        "opensearch_gb_month": "OpenSearch, gp3, GB-month",
        "kms_and_cloudwatch_month": "KMS and CloudWatch, a month",
    }
    return [*_head("price: assumption, look up", "$"), *(_row(names[name], f"{one:g}") for name, one in PRICES.items())]


PARTS = {"sizes": sizes, "costs": costs, "measured": measured, "assumed": assumed, "prices": prices}
"""The tables by the name that stands before each on the page."""


def main() -> None:
    """Print all tables."""
    for name, lines in PARTS.items():
        print(f"<!-- scripts/sizing.py: {name} -->", *lines(), "", sep="\n")


if __name__ == "__main__":
    main()
