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
# # From rating to dataset
#
# An airline's assistant was rated. The job `curate_dataset` makes of it what a trainer takes. This notebook follows
# answers on their way: **which become examples, which are refused and why**, what is replaced in them, which say the
# same, how the split keeps people on one side, what a version is, and how a person is taken out again. It takes about
# a minute.

# %% [markdown]
# **Where it runs.** On a laptop as it stands, in the environment that `make notebooks-test` makes
# (`.venv/notebooks`). On Databricks (a cluster with Spark 4.1) install the wheel first: `%pip install
# "<wheel>[read,training,mlflow]"`. In Glue Studio begin with a cell of these magics; `%matplot plt` shows a plot:
#
#     # %glue_version 6.0
#     # %additional_python_modules s3://bucket/headrace-0.1.0.gluewheels.zip,deltalake,mlflow-skinny
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
# ## Conversations and their ratings
#
# 150 conversations and their ratings, invented, and some more with a trap in each. `track_feedback` puts them into the
# tables `turns` and `ratings`; [another notebook](05_measures_and_ratings.ipynb) is about that.

# %%
from headrace.notebooks import feedback, training
from headrace.notebooks import training_found as found

told = training.conversations()
config = training.begin(place)
print(training.SETTINGS)
feedback.arrive(place, config, "conversations", told)
pd.DataFrame(found.sizes(config))

# %% [markdown]
# ## What a rating makes of an answer
#
# **Look at** the columns: the same ratings give other examples to each kind. `sft` takes good answers and corrections,
# `kto` bad ones too, `dpo` a better and a worse answer to the same question.

# %%
kinds = pd.DataFrame(found.kinds(config)).set_index("kind").fillna(0).astype(int)
kinds

# %% [markdown]
# A liked answer need not be a good one. The first of these was cut off, the second refuses and will be found out later;
# the third was asked for again, and the second try was kept.

# %%
pd.DataFrame(found.judged(config, "uc0")[:4])

# %% [markdown]
# ## A version, and what is not in it
#
# On the command line: `headrace run curate_dataset --once`. **Look at** the reasons. Each one is a row of
# `datasets/refused`, without the text.

# %%
first = training.build(config, day=0)
refused = pd.DataFrame(found.refused(config, first.version))
print(f"version {first.version}: {first.rows}")
refused

# %%
bars = refused.assign(what=refused["step"] + ": " + refused["reason"]).set_index("what")["examples"][::-1]
axes = bars.plot.barh(width=0.7)
axes.bar_label(axes.containers[0], padding=3)
axes.margins(x=0.1)
axes.set(title="Answers that became no example", xlabel="answers", ylabel="step and reason")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## Personal data
#
# The same number is the same placeholder in every example, and nobody can tell from it what it was. The airline's own
# address is `public`, and stays.

# %%
cleaned = pd.DataFrame(found.cleaned(config))
cleaned

# %% [markdown]
# ## Near duplicates
#
# Of examples that say the same one stays. **Look at** the similarity: the share of pieces of five signs that both have.
# It is measured for each pair; MinHash only says which pairs to measure.

# %%
twins = pd.DataFrame(found.twins(config))
twins.iloc[[0, 1, -5, -1]]

# %% [markdown]
# ## A split without leaks
#
# A person, a conversation and what is alike stand on one side: they are one component, and a hash of it with the key
# says which side. Few and large components make shares miss their mark.

# %%
pd.DataFrame(found.splits(config, first.version))

# %% [markdown]
# **Look at** the first bars, which are not there: nothing of this version is on two sides. Had each row been dealt out
# by chance, a model would be tested on people, and on texts, that it has learned from.

# %%
sides = pd.DataFrame(found.on_two_sides(config, first.version)).set_index("drawn")
axes = sides.plot.bar(rot=0, width=0.8)
for bars in axes.containers:
    axes.bar_label(bars)
axes.margins(y=0.15)
axes.set(title="What stands in more than one split", xlabel="how rows were split", ylabel="how many")
axes.legend(["persons", "equal texts", "pairs of near duplicates"])
plt.show()

# %% [markdown]
# ## Formats
#
# One folder for each trainer, and each is checked as the trainer would check it. This is the first line of both.

# %%
for format, folder in first.places.items():
    print(format, found.first_line(folder), f"problems: {found.wrong(config, folder, format)}", sep="\n", end="\n\n")

# %% [markdown]
# Here somebody edits a copy by hand. On the command line: `headrace dataset check FOLDER`.

# %%
edited = training.damaged(first.places["trl_sft"], place.local / "edited")
problems = found.wrong(config, edited, "trl_sft")
print(*problems, sep="\n")

# %% [markdown]
# ## Versions
#
# The version is a digest of its rows and their splits: the same on any machine, in any order. It is known by the Delta
# versions of the tables it was made of, and MLflow calls the last one `newest`.

# %%
print("MLflow:", found.aliases(config))
pd.DataFrame(found.all_versions(config))

# %% [markdown]
# ## A person goes
#
# Somebody withdraws from training: `headrace erase WHO --training-only`. The version is revoked and deleted; nobody can
# publish it or train on it.

# %%
who = next(iter(found.by_person(config, first.version)))
print(f"{who} has {found.by_person(config, first.version)[who]} examples")
training.erase(config, who)
gone = [folder for folder in first.places.values() if found.is_there(folder)]
print("folders left:", gone, "MLflow:", found.aliases(config))

# %% [markdown]
# It is made anew, in its next slot. **Look at** what moved: nobody else changed sides, and where somebody had said
# nearly the same as who left, their answer takes its place.

# %%
second = training.build(config, day=1)
print("MLflow:", found.aliases(config))
moved = pd.DataFrame(found.difference(config, first.version, second.version))
moved

# %%
print(found.remark(second.places["trl_sft"]))
pd.DataFrame(found.all_versions(config))

# %% [markdown]
# ## Is it true?
#
# **Look at** the answers: no version has anything of the person, and the new one holds those examples that plain Python
# chooses, comparing all pairs.

# %%
left = [version for version in (first.version, second.version) if who in found.by_person(config, version)]
left, found.equals_truth(config, second.version, without=who)
