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
# # Measures and ratings
#
# An assistant writes an event for each answer and each rating. The job `track_feedback` puts them in order and keeps
# measures by the minute. This notebook shows **a rating that comes late and repairs its minute**, shares with what is
# known of them, how comments feel, percentiles that can be added, and a measure of one's own. It takes about a minute.

# %% [markdown]
# **Where it runs.** On a laptop as it stands, in the environment that `make notebooks-test` makes
# (`.venv/notebooks`). On Databricks (a cluster with Spark 4.1) install the wheel first: `%pip install
# "<wheel>[read,profiles]"`. In Glue Studio begin with a cell of these magics, and show a plot with `%matplot plt`:
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
# ## Events
#
# Three days of a travel company's assistant, invented: two models, and a new prompt in the middle of the second day.
# This is one event of each kind; [their page](../docs/conversation-events.md) describes them.

# %%
from headrace.notebooks import feedback
from headrace.notebooks import feedback_found as found

told = feedback.conversations()
for kind in ("turn", "rating"):
    print({key: value for key, value in feedback.example(told, kind).items() if value not in (None, [], False)})

# %% [markdown]
# One rating in four is late. Here everything else arrives, and the job runs once. On the command line: `headrace run
# track_feedback --config headrace.yaml --once`.

# %%
config = feedback.begin(place)
print(feedback.SETTINGS)
feedback.arrive(place, config, "on time", told.on_time)
pd.DataFrame(found.sizes(config))

# %% [markdown]
# ## A late rating repairs its minute
#
# A flight was cancelled, and many asked for their money at once. These are the thumbs of those minutes.

# %%
before = pd.DataFrame(found.rush(config)).set_index("minute")
before

# %% [markdown]
# Now come the late ones: ratings of answers long ago, answers whose ratings came first, thumbs that are taken back, and
# sixty events that were there already. **Look at** the minutes of the rush: two thumbs down are added to theirs.

# %%
feedback.arrive(place, config, "late", told.late)
after = pd.DataFrame(found.rush(config)).set_index("minute")
rush = before.add_suffix(" before").join(after, how="outer").fillna(0).astype(int)
rush

# %%
axes = rush[["of before", "of"]].plot.bar(rot=0, width=0.8)
for bars in axes.containers:
    axes.bar_label(bars, fontsize=8)
axes.margins(y=0.2)
axes.set(title="Thumbs in the minutes of the rush", xlabel="minute in which they were given", ylabel="thumbs")
axes.legend(["before the late ones", "with them"])
plt.show()

# %% [markdown]
# ## How sure a share is
#
# A row of `measures` holds what can be added: a numerator and a denominator for each minute and slice. Six hours are
# the sums of their minutes. **Look at** the bars, Wilson's interval of 95 %: where they are long, few thumbs were
# given, and a hollow point is of fewer than 30.

# %%
shares = pd.DataFrame(found.shares(config, "thumbs_up"))
figure, axes = plt.subplots()
for prompt, rows in shares.groupby("prompt"):
    ends = [(rows["share"] - rows["low"]) * 100, (rows["high"] - rows["share"]) * 100]
    bars = axes.errorbar(rows["from"], rows["share"] * 100, yerr=ends, capsize=3, label=f"prompt {prompt}")
    few, color = rows[~rows["enough"]], bars[0].get_color()
    axes.plot(rows["from"], rows["share"] * 100, "o", color=color)
    axes.plot(few["from"], few["share"] * 100, "o", color=color, markerfacecolor="white")
axes.set(title="Thumbs up, six hours each", xlabel="from (UTC)", ylabel="thumbs up of all thumbs (%)", ylim=(0, 100))
figure.autofmt_xdate()
axes.legend()
plt.show()

# %%
pd.DataFrame(found.whole(config, "thumbs_up", "prompt")).round(3)

# %% [markdown]
# ## How comments feel
#
# Each text is asked about once (`sentiment: vader`). **Look at** the last column, from -1 to 1; the measure
# `negative_comments` is the share of those that are negative.

# %%
pd.DataFrame(found.comments(config))

# %% [markdown]
# ## Percentiles that can be added
#
# Of `latency` each minute keeps how many answers fell into each bucket, a bucket being 2 % wide. Counts of minutes add
# up to those of a day; percentiles of minutes would not.

# %%
slow = pd.DataFrame(found.percentiles(config)).set_index(["model", "day"]).unstack("model")
axes = slow[["p50", "p95"]].plot.bar(rot=0, width=0.8)
axes.set(title="Time until an answer ends, by day and model", xlabel="day", ylabel="seconds")
axes.legend([f"{name}, {model}" for name, model in slow[["p50", "p95"]].columns])
plt.show()

# %% [markdown]
# ## A measure of your own
#
# Two SQL expressions over a turn, in the settings. No event comes: the job sees that a measure is new and counts it
# from the turns that are there.

# %%
OWN = """\
  measures:
    slow_answers:
      numerator: outcome = 'answered' AND seconds > 4
      denominator: outcome = 'answered'
      dimensions: [model]
"""
config = feedback.begin(place, OWN)
feedback.count_again(config)
pd.DataFrame(found.whole(config, "slow_answers", "model")).round(3)

# %% [markdown]
# ## Is it true?
#
# **Look at** the answer: thumbs, failures and slow answers of each model are those counted in plain Python, from all
# that was said, with each event once and without what was taken back.

# %%
found.equals_truth(config, told)
