# The cheapest that works: one stream, one job on two small workers, no network, no store but the lake.
name        = "shop"
package     = { wheel = "../dist/headrace-0.1.0-py3-none-any.whl" }
config_file = "examples/minimal/headrace.yaml"
streams     = { changes = { shards = 1, retention_hours = 24 } }

access_logs        = false
log_retention_days = 14
athena             = {}

jobs = {
  apply_changes = {
    kind        = "stream"
    when        = "rate(15 minutes)"
    worker_type = "G.025X"
    streams     = ["changes"]
    watches     = "sources"
    owns = [
      "tables", "tombstones", "history", "versions", "truncates", "changed_keys", "schemas", "batches", "changes_log",
      "rejects/apply_changes",
    ]
  }
}

alarms = { emails = [] } # your address here
