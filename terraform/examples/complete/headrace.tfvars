# Everything Headrace knows of, each in a size to begin with.
name        = "travel"
config_file = "examples/complete/headrace.yaml"
tags        = { Team = "data" }

package = {
  wheel  = "../dist/headrace-0.1.0-py3-none-any.whl"
  bundle = "../dist/headrace-0.1.0.gluewheels.zip"
}

# --- Network ---

# The database answers on 5432 in a network of yours, which you peer with this one.
network = { mode = "create", zones = 3, egress = { databases = { port = 5432, cidr = "10.1.0.0/16" } } }

# --- Streams ---

streams = {
  changes    = { shards = 2 }
  documents  = {}
  embeddings = { retention_hours = 48 }
  events     = {}
}
kafka = { mode = "provisioned" }

# --- Capture ---

dms = {
  make_vpc_role = true
  sources = {
    bookings = {
      engine     = "postgres"
      database   = "travel"
      secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-db-AbCdEf"
      tables     = ["public.%"]
    }
  }
}
debezium = {
  plugin_bucket_arn = "arn:aws:s3:::travel-plugins"
  plugin_key        = "debezium-connector-postgres-with-config-providers.zip"
  secret_arns       = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:crm-db-AbCdEf"]
  connectors = {
    crm = {
      class = "io.debezium.connector.postgresql.PostgresConnector"
      settings = {
        "database.hostname"  = "crm.internal"
        "database.dbname"    = "crm"
        "database.user"      = "$${secretsmanager:crm-db:username}"
        "database.password"  = "$${secretsmanager:crm-db:password}"
        "table.include.list" = "public.customers"
      }
    }
  }
}
dynamodb_capture = { sessions = { table = "travel-sessions" } }
object_capture   = { documents = { stream = "documents" } }

# --- Knowledge sources ---

documents = { bucket = true }
kendra    = {}

# --- Lake ---

catalog_tables = {
  changed_keys        = {}
  batches             = {}
  measures            = {}
  "datasets/versions" = {}
  "datasets/rows"     = {}
  "datasets/refused"  = {}
  "tables/bookings"   = { columns = [{ name = "booking_id", type = "bigint" }, { name = "status", type = "string" }] }
}

# --- Profile store, served rows, conversations ---

documentdb = {}
dynamodb = {
  profiles      = { expires_at = "expires" }
  served        = { expires_at = "expires", served = true }
  conversations = { expires_at = "expires" } # the assistant's own: no job writes it
  sessions      = { sort_key = "sk", expires_at = "expires_at" }
}
neptune = {}

# --- Vector store ---

opensearch = { instances = 3, masters = 3 }
pgvector   = {}
ingestion  = { index = "passages__1" }

# --- Jobs ---

jobs = {
  apply_changes = {
    kind     = "stream"
    when     = "rate(15 minutes)"
    workers  = 4
    streams  = ["changes"]
    stores   = ["kafka"]
    dynamodb = ["served"]
    secrets  = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-profiles-AbCdEf"] # a job that starts reads every secret of the settings
    watches  = "sources"
    owns = [
      "tables", "tombstones", "history", "versions", "truncates", "changed_keys", "schemas", "batches", "changes_log",
      "rejects/apply_changes", "reached", "answers",
    ]
  }
  build_profiles = {
    kind     = "stream"
    when     = "rate(15 minutes)"
    workers  = 4
    dynamodb = ["profiles"]
    secrets  = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-profiles-AbCdEf"]
    watches  = "people"
    owns = [
      "identifiers", "people", "aliases", "identity_events", "quarantine", "profiles", "behaviour", "placed",
      "outbox/profiles", "rejects/build_profiles",
    ]
    reads = ["tables", "changed_keys"]
  }
  curate_dataset = {
    kind            = "schedule"
    when            = "cron(30 2 * * ? *)" # as often as `every` of its datasets, or oftener: a run that finds nothing due ends at once
    workers         = 4
    timeout_minutes = 240
    secrets         = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-profiles-AbCdEf"]
    watches         = "datasets"
    owns            = ["datasets/versions", "datasets/rows", "datasets/refused", "datasets/exports", "erasures/curate_dataset"]
    # Datasets of kind `text` are made of `documents` and `chunks`.
    reads = ["turns", "ratings", "profiles", "aliases", "suppressed/track_feedback"]
  }
  index_knowledge = {
    kind           = "stream"
    when           = "rate(15 minutes)"
    workers        = 4
    streams        = ["documents"]
    writes_streams = ["embeddings"]
    stores         = ["opensearch", "pgvector", "kendra"]
    secrets        = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-profiles-AbCdEf"]
    documents      = true
    models         = ["amazon.titan-embed-text-v2:0"]
    watches        = "documents"
    owns = [
      "documents", "chunks", "vectors", "passages", "outbox/passages", "publishers", "feeds", "rejects/index_knowledge",
    ]
    reads = ["tables", "tombstones", "truncates", "changed_keys", "schemas"]
  }
  track_feedback = {
    kind       = "stream"
    when       = "rate(15 minutes)"
    streams    = ["events"]
    stores     = ["opensearch"]
    sns_topics = ["alarms"]
    secrets    = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:travel-profiles-AbCdEf"]
    watches    = "feedback"
    owns = [
      "turns", "ratings", "counted", "measures", "tombstones/track.feedback", "alerts", "rejects/track_feedback",
      "suppressed/track_feedback", "erasures/track_feedback",
    ]
    reads = ["truncates"]
  }
}

# --- Training ---

training = true
mlflow   = {}

# --- Observability ---

alarms = { emails = ["on-call@example.com"], lag_seconds = 120 }
