# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # SQL on a live stream, and how it becomes a job
#
# Bookings arrive as files while this notebook runs. Spark reads them as a stream, a view gives the stream a name, and
# SQL asks it while it grows. Then the same two expressions become settings of the job `apply_changes`, whose table is
# right where the stream is not: events come late, twice, and some bookings are cancelled. It takes about a minute.

# %% [markdown]
# **Where it runs.** On a laptop as it stands, in the environment that `make notebooks-test` makes
# (`.venv/notebooks`). On Databricks (a cluster with Spark 4.1) install the wheel first: `%pip install
# "<wheel>[read,knowledge]"`. In Glue Studio begin with a cell of these magics, and show a plot with `%matplot plt`:
#
#     # %glue_version 6.0
#     # %additional_python_modules s3://bucket/headrace-0.1.0.gluewheels.zip,deltalake
#     # %%configure
#     # {"--datalake-formats": "delta"}
#
# Run on a laptop only, so far: neither Glue Studio nor Databricks was at hand.

# %%
RUNTIME = "local"  # "glue" in Glue Studio, "databricks" on Databricks
FOLDER = ""  # there a folder that all workers reach, such as "s3://bucket/folder"; on a laptop a temporary one is made

import matplotlib.pyplot as plt
import pandas as pd

from headrace.notebooks.place import make_place, quick
from headrace.pipelines.runtime import spark_session

spark = spark_session("headrace notebook", settings=quick(RUNTIME), runtime=RUNTIME)
place = make_place(FOLDER, RUNTIME)
pd.set_option("display.max_colwidth", 100)
print(f"Spark {spark.version}, runtime {RUNTIME}")

# %% [markdown]
# ## A stream with a name
#
# A thread writes a file of events about every second. The stream reads the folder; `booking_events` is its name in
# SQL.

# %%
from headrace.notebooks import live

lines, truth = live.bookings()
stream = spark.readStream.schema(live.SCHEMA).json(f"{place.shared}/in")
stream.createOrReplaceTempView("booking_events")
print(lines[0])

# %% [markdown]
# ## Two expressions
#
# Which bookings count, and which band of prices each one falls into.

# %%
PAID = "status = 'paid'"
BAND = "CASE WHEN price < 500 THEN 'low' WHEN price < 1000 THEN 'middle' ELSE 'high' END"

bands = spark.sql(f"SELECT {BAND} AS band, count(*) AS events FROM booking_events WHERE {PAID} GROUP BY band")
query = bands.writeStream.format("memory").queryName("bands").outputMode("complete").start()

# %% [markdown]
# ## Ask while it runs
#
# The query's result is a table in memory that changes with every batch. This cell asks it every second, until all
# files are written. **Look at** the lines: the answer grows while you ask.

# %%
feeding = live.feed(lines, place)
seen = live.watch(spark, "SELECT * FROM bands", feeding)
query.processAllAvailable()
counted = spark.table("bands").toPandas().set_index("band")
query.stop()
counted

# %%
over_time = pd.DataFrame(seen).pivot(index="seconds", columns="band", values="events").fillna(0)
axes = over_time.plot(drawstyle="steps-post")
axes.set(title="Paid bookings by price, as the stream counts them", xlabel="seconds", ylabel="events counted")
plt.show()

# %% [markdown]
# ## The query becomes a job
#
# The stream counted events: one that came twice counts twice, a booking that was cancelled later still counts. For
# the bookings that are paid **now**, the same expressions go into `headrace.yaml`: `WHERE` becomes `where`, a column
# of the `SELECT` becomes an entry of `columns`, and `position` says what is newer. The `GROUP BY` stays a query over
# the table.

# %%
settings = f"""\
lake: ./lake
sources:
  feed: {{from: files, path: ./in, format: json, position: [lsn], operation: {{column: op, delete: [delete]}}}}
tables:
  paid_bookings:
    source: feed
    key: [booking_id]
    types: {{price: "decimal(10,2)"}}
    drop: [op, lsn]
    columns:
      band: "{BAND}"
    where: "{PAID}"
"""
print(settings)

# %% [markdown]
# This runs the job once. On the command line: `headrace run apply_changes --config headrace.yaml --once`. Without
# `--once` it goes on with the stream.

# %%
from headrace.notebooks.place import run_once
from headrace.pipelines import apply_changes

config = place.settings(settings)
run_once(apply_changes.run, config)
paid = spark.read.format("delta").load(f"{config.lake}/tables/paid_bookings")
paid.select("booking_id", "status", "price", "band", "_position").orderBy("booking_id").limit(5).toPandas()

# %% [markdown]
# **Look at** the two counts, and at the third: what the company's database holds in the end. The table has its
# numbers.

# %%
compared = counted.join(paid.groupBy("band").count().toPandas().set_index("band").rename(columns={"count": "rows"}))
compared["at the source"] = pd.Series(live.counted(spark, truth, PAID, BAND))
compared
