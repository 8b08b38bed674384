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
# # People, and who is who
#
# A company's database, its call centre and a feed of devices know the same people by other names. Rules link their
# records; what the links hold together is one person with one profile. This notebook shows **who was found and why**,
# a wrong link and how it is taken back, and what a prompt may show of a person. It takes about a minute.

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
# ## Three systems
#
# The people are invented, with the traps that real ones set: a family shares an address, twins share nearly all, a
# number is given away again. These are the settings; identifiers are kept as keyed hashes only.

# %%
from headrace.notebooks import people
from headrace.notebooks import people_found as found

told = people.begin(place)
print(people.settings_text().partition("profiles:")[2])

# %% [markdown]
# The story has three acts. In the first all records arrive. **Look at** how many of a system's records are one person
# with a record of another system.

# %%
people.act(told, 1)
sizes = {1: found.sizes(told.config)}
pd.DataFrame(found.by_system(told.config))

# %% [markdown]
# ## One person's records
#
# Those of one customer, and what links them. Values are masked here. `headrace explain WHO` prints the same.

# %%
older, younger = people.mixed(told)
before = found.story(told.config, younger)
pd.DataFrame(found.record_rows(before))

# %%
pd.DataFrame(found.link_rows(before))

# %% [markdown]
# ## A wrong link
#
# In the second act a phone number is typed wrong: it is another customer's, who has the same first name. Both are
# **one person** now, as nothing in the data speaks against it. The older account's id stays.

# %%
people.act(told, 2)
sizes[2] = found.sizes(told.config)
during = found.story(told.config, younger)
pd.DataFrame(found.link_rows(during))

# %% [markdown]
# ## And its correction
#
# In the third act the number is put right, and the wrong row comes once more, late: it changes nothing. **Look at**
# the events: the split names the row that caused it, and the younger account has the id it had before.

# %%
people.act(told, 3)
sizes[3] = found.sizes(told.config)
after = found.story(told.config, younger)
pd.DataFrame(found.event_rows(after))

# %%
over_time = pd.DataFrame(people.over_time(told, "records"), index=[1, 2, 3])
persons = pd.DataFrame(people.over_time(told, "person"), index=over_time.index)
axes = over_time.plot.bar(rot=0, width=0.8)
axes.margins(y=0.3)
for bars, address in zip(axes.containers, over_time, strict=True):
    axes.bar_label(bars, labels=persons[address], fontsize=7)
axes.set(title="The person that each address leads to (end of the id)", xlabel="act", ylabel="records of the person")
axes.legend(loc="upper right")
plt.show()

# %% [markdown]
# The profile of the younger account before the mistake, with it, and after its correction, as a prompt gets it.

# %%
for number, shown in enumerate(told.acts, 1):
    print(f"Act {number}\n{shown[younger]['text']}")

# %% [markdown]
# ## How large people are
#
# Most people are one record. A person of many records would be a sign of a bad link: `largest` bounds them.

# %%
counts = pd.DataFrame(sizes).fillna(0).astype(int)
axes = counts.plot.bar(rot=0, logy=True)
axes.margins(y=0.3)
for bars in axes.containers:
    axes.bar_label(bars, fontsize=8)
axes.set(title="People by how many records they are", xlabel="records of a person", ylabel="people (log)")
axes.legend(title="act")
plt.show()

# %% [markdown]
# ## A number that everybody has
#
# Where callers hide theirs, the call centre's software writes its own number. More records share it than `hub` allows:
# it is **in quarantine** and links nobody. **Look at** who called from it: as many people as records.

# %%
pd.DataFrame(found.hubs(told.config))

# %%
hidden = pd.DataFrame(found.behind_hub(told.config))
hidden.head(8)

# %% [markdown]
# ## What a prompt may show
#
# The settings give two parts of the profile a purpose: the phone number is for calls, the bookings are for offers. One
# customer refused both at first and agreed in the third act. The same profile, as a prompt gets it:

# %%
asker = people.asker(told)
refused, agreed = told.acts[1][asker]["text"], told.acts[2][asker]["text"]
print(refused)

# %%
print(agreed)

# %% [markdown]
# ## Is it true?
#
# The story knows who is who. **Look at** the answer: after the correction the people found are those of the story.

# %%
people.equals_truth(told)
