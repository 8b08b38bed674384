"""Headrace keeps what a generative-AI application knows fresh.

    apply_changes     change events -> ordered Delta tables, tombstones, history, changed_keys
    index_knowledge   documents -> chunks -> vectors -> passages -> search indexes

Imports go down only: cli, pipelines -> {stores, changes, knowledge, context} -> ordering -> ports -> tables -> config
-> errors.
A flow never imports a store; `pipelines` hands stores to flows.
"""

__version__ = "0.1.0"
