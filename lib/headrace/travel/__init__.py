"""The running example: a small travel company whose database knows the truth.

    agency.py     what happens: bookings, delays, price changes, deleted accounts, merged accounts, a truncate
    hotels.py     what the hotels say about themselves, from the texts in hotels.txt
    database.py   five tables, transactions, and the log of changes they leave
    debezium.py   that log as the messages Debezium's PostgreSQL connector sends
    channel.py    the road to the lake: late, doubled, shuffled, cut into files
    people.py     who else tells of people, and which of all records are one person
    systems.py    the rows of a call centre and of a feed of devices
    travellers.py who talks to the assistant, and what they think of it; scripted, in the words of topics.py
    opinions.py   ratings of an answer; talk_events.py: both as events; talk_truth.py: what measures must come to
    cancellation.py  tomorrow's flight is cancelled, and the news travels badly
    compare.py    the truth against what a reader finds in the lake
    policies.py   its documents as files, and what is changed in them
    documents/    the company's rules for travellers, all invented: Markdown, HTML, PDF and DOCX

Everything is decided by one seed. Nothing here imports Spark or the rest of Headrace, so the truth cannot lean on the
code it judges.
"""
