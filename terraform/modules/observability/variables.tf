variable "context" {
  description = "Name, tags and place of the deployment; made once by the root module."
  type = object({
    name       = string
    tags       = map(string)
    region     = string
    account_id = string
    partition  = string
  })
}

# --- Who is told, and when ---

variable "settings" {
  description = "The root module's `alarms`."
  type = object({
    emails               = list(string)
    dashboard            = bool
    lag_seconds          = number
    freshness_seconds    = number
    rejected_rows        = number
    heartbeat_minutes    = number
    iterator_age_seconds = number
    dms_latency_seconds  = number
    opensearch_free_gb   = number
    cpu_percent          = number
  })
}

variable "kms_key_arn" {
  description = "The key of the topic."
  type        = string
}

# --- Jobs ---

variable "jobs" {
  description = "Jobs: Glue's name, whether it streams, what each of its metrics has as `Source`, and the measures of conversations it reports."
  type        = map(object({ glue_job = string, stream = bool, sources = map(list(string)), measures = list(string) }))
}

# --- Queues of what was lost on the way ---

variable "missed_starts" {
  description = "Queue of starts that failed."
  type        = string
}

variable "lost_events" {
  description = "Queue of object events no stream took; null without."
  type        = string
}

# --- Streams ---

variable "streams" {
  description = "Full name of each Kinesis stream by its short name."
  type        = map(string)
}

# --- Capture ---

variable "dms_tasks" {
  description = "DMS tasks: task and instance as CloudWatch knows them."
  type        = map(object({ task = string, instance = string }))
}

# --- Stores ---

variable "opensearch_domain" {
  description = "Name of the OpenSearch domain; null without."
  type        = string
}

variable "documentdb" {
  description = "Id of the DocumentDB cluster; null without."
  type        = string
}

variable "neptune" {
  description = "Id of the Neptune cluster; null without."
  type        = string
}

variable "pgvector" {
  description = "Id of the Aurora cluster; null without."
  type        = string
}

variable "dynamodb_tables" {
  description = "Names of DynamoDB tables."
  type        = list(string)
}
