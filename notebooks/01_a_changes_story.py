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
# # A change's story
#
# A travel company's database sends its changes. They arrive late, twice and in no order. This notebook takes them in
# with the real job and follows **one booking** from the log to its row and its history: which events arrived, what
# each of them did, and which changed nothing, and why. It takes about a minute.

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
# ## Three waves of events
#
# Customers and bookings (two of the demo's five tables, to be quick): a first snapshot and 1,000 transactions, sent as
# Debezium sends them. A fifth of the messages comes one or two waves late, 15% come twice, and each wave is shuffled.
# `apply_changes` runs after each wave.
#
# **Look at** `stale`: events that were older than what the table held, or came a second time. They changed nothing.

# %%
from headrace.notebooks import story

played = story.play(place)
waves = pd.DataFrame(story.waves_taken(played.config))
waves

# %%
axes = waves.plot.bar(x="wave", y=["applied", "stale"], stacked=True, rot=0, color=["tab:blue", "tab:orange"])
axes.set(title="What became of the events of each wave", xlabel="wave", ylabel="events, both tables")
plt.show()

# %% [markdown]
# ## One booking in the log
#
# `changes_log` keeps every message with its bytes, in the order in which it was taken in. **Look at** `position`: it
# sorts as text, and it alone decides what is newer. `changed_at`, the time at the source, goes back and forth.

# %%
lake = played.config.lake
log = spark.read.format("delta").load(f"{lake}/changes_log").where(f"table = 'bookings' AND key = '[\"{played.key}\"]'")
log.orderBy("arrived_at").select("arrived_at", "changed_at", "op", "position").toPandas()

# %% [markdown]
# ## What each event did
#
# `trace` reads the log, the table, the tombstones and the history, and says of each event what it did. On the command
# line: `headrace trace bookings KEY`. **Look at** `outcome` and `why`. A truncate is the start of a snapshot: of what
# is older, nothing counts that the snapshot does not show.

# %%
from headrace.pipelines.trace import trace

told = trace(played.config, "bookings", str(played.key))
events = pd.DataFrame(story.event_rows(told.events))
events

# %% [markdown]
# The same as a picture. Were the events in order, the points would rise from left to right. **Look at** the line:
# what the table holds only becomes newer, whatever arrives.

# %%
figure, axes = plt.subplots()
for outcome, points in events.groupby("outcome"):
    axes.scatter(points["arrived"], points["changed at source (min)"], label=f"event, {outcome}", zorder=2)
stored = story.stored_minutes(events.to_dict("records"))
axes.step(events["arrived"], stored, where="post", color="tab:gray", label="what the table holds", zorder=1)
axes.set(title=f"Booking {played.key}", xlabel="order of arrival", ylabel="changed at source (minutes after the first)")
axes.legend()
axes.margins(0.16)
for row in events.to_dict("records"):
    axes.annotate(row["change"], (row["arrived"], row["changed at source (min)"]), (4, 6), textcoords="offset points")
plt.show()

# %% [markdown]
# ## The row and its history
#
# `tables/bookings` holds the row as it is now, `history/bookings` every state it had, each valid until the next began
# or a delete ended it. **Look at** the first interval: its event came late. For the row it was stale; history still
# takes it in, at its place.

# %%
bookings = spark.read.format("delta").load(f"{lake}/tables/bookings").where(f"booking_id = {played.key}")
bookings.select("booking_id", "status", "price", "_changed_at", "_position").toPandas()

# %%
states = spark.read.format("delta").load(f"{lake}/history/bookings").where(f"booking_id = {played.key}")
columns = ["status", "price", "_valid_from_at", "_valid_to_at", "_current"]
states.orderBy("_valid_from").select(columns).toPandas()

# %% [markdown]
# ## What order of arrival would have made of it
#
# Had each message simply replaced the one before, this would be the booking:

# %%
wrong = story.last_message_wins(played)
print({name: str(wrong[name]) for name in ("status", "price")} if wrong else "deleted")

# %% [markdown]
# And these are the tables against the source, compared value by value. **Look at** `differences`.

# %%
pd.DataFrame(story.against_source(played))
