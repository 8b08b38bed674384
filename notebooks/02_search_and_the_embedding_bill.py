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
# # Search, and the embedding bill
#
# Documents become passages, passages become vectors, and vectors cost money. A vector is kept under the hash of its
# text, so that only text that was never seen is embedded. This notebook indexes the travel company's documents,
# changes some, and counts what was **embedded again**. Then it searches. It takes about a minute.

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
# ## The first index
#
# 15 files: Markdown, HTML, PDF and DOCX. The model is a small one that runs in this process; the index is a SQLite
# file. These are all the settings:

# %%
from headrace.notebooks import search
from headrace.travel.policies import EDITS, REMOVED, edit_policies

print(search.SETTINGS)
config = search.prepare(place)
bills = [search.index("first index", place, config)]
question = "When does online check-in open?"
before = search.ask(config, question)
pd.DataFrame(before)

# %% [markdown]
# ## Then the documents change
#
# A sentence of two documents is edited and a third document is deleted. Later one file gets another name, and one is
# written again as it was.

# %%
edit_policies(place.local / search.FOLDER)
bills.append(search.index("2 edits, 1 delete", place, config))
print(*[f"{name}: {old!r} became {new!r}" for name, (old, new) in EDITS.items()], f"{REMOVED}: deleted", sep="\n")

# %%
policies = place.local / search.FOLDER
(policies / "children.md").rename(policies / "families.md")
(policies / "lounges.html").write_bytes((policies / "lounges.html").read_bytes())
bills.append(search.index("1 renamed, 1 rewritten", place, config))

# %% [markdown]
# ## The bill
#
# **Look at** `embedded` beside `passages`: an edit costs the passage it is in, not its document; another name costs
# nothing. Set your own model's price. `cost of all` is what embedding everything again after each change would cost.

# %%
PRICE = 0.02  # dollars for a million tokens
bill = pd.DataFrame(search.bill_rows(bills, PRICE))
bill

# %%
axes = bill.plot.bar(x="what", y=["passages", "embedded"], rot=0, color=["tab:gray", "tab:blue"])
axes.margins(y=0.25)
axes.legend(loc="upper right")
for bars in axes.containers:
    axes.bar_label(bars)
axes.set(title="Passages in the index, and those embedded for it", xlabel="what happened before", ylabel="passages")
plt.show()

# %% [markdown]
# ## Search follows
#
# The same question again. **Look at** the first passage's text, before and after the edit. `words` and `vector` are
# its scores in the two lists (BM25 and cosine, each spread over 0 to 1); `score` is their mean.

# %%
after = search.ask(config, question)
pd.DataFrame({"before": [row["text"] for row in before], "after": [row["text"] for row in after]})

# %% [markdown]
# Words find names and numbers, vectors find what is said in other words. **Look at** the first place in each of the
# three lists for a question that shares few words with its answer.

# %%
asked = "can I bring my cello on board"
modes = {mode: search.ask(config, asked, mode) for mode in ("words", "vector", "hybrid")}
pd.DataFrame({mode: [f"{row['document']}: {row['passage']}" for row in rows] for mode, rows in modes.items()})

# %%
pd.DataFrame(modes["hybrid"])
