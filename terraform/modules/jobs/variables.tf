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

# --- Code and settings ---

variable "code_bucket" {
  description = "The bucket of code: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "package" {
  description = "The root module's `package`."
  type        = object({ wheel = string, bundle = string, jars = list(string) })
}

variable "scripts_folder" {
  description = "Folder with one file for each job."
  type        = string
}

variable "config" {
  description = "The text of headrace.yaml."
  type        = string
}

# --- Jobs ---

variable "jobs" {
  description = "The root module's `jobs`."
  type = map(object({
    kind            = string
    worker_type     = string
    workers         = number
    auto_scaling    = bool
    timeout_minutes = number
    retries         = number
    arguments       = map(string)
    spark           = map(string)
    owns            = list(string)
    reads           = list(string)
    streams         = list(string)
    writes_streams  = list(string)
    stores          = list(string)
    dynamodb        = list(string)
    dataset_folders = list(string)
    sns_topics      = list(string)
    topics          = list(string)
    writes_topics   = list(string)
    assumes         = list(string)
    documents       = bool
    models          = list(string)
    endpoints       = list(string)
    comprehend      = bool
    secrets         = list(string)
    schemas         = bool
    kms_keys        = list(string)
  }))
}

variable "maintenance_window" {
  description = "Hour (UTC) of the weekly restart of streams, e.g. Sun:3; null lets Glue choose."
  type        = string
}

variable "security_configuration" {
  description = "Name of the Glue security configuration."
  type        = string
}

variable "in_network" {
  description = "The jobs run inside the network."
  type        = bool
}

variable "connections" {
  description = "Glue connections of every job; empty outside a network."
  type        = list(string)
}

variable "subnet_ids" {
  description = "Subnets the jobs run in."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups the jobs run in."
  type        = list(string)
}

# --- Logs ---

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
}

# --- A role for each job ---

variable "kms_key_arn" {
  description = "The key of lake, code, streams and logs."
  type        = string
}

variable "lake_bucket" {
  description = "The lake's bucket: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "catalog_database" {
  description = "The Glue catalog database of the lake."
  type        = string
}

variable "streams" {
  description = "Kinesis streams by their short name."
  type        = map(object({ name = string, arn = string }))
}

variable "document_buckets" {
  description = "ARNs of the buckets with documents."
  type        = list(string)
}

variable "store_arns" {
  description = "What the permission for each store names; empty lists for stores that are not there."
  type = object({
    domain     = list(string)
    collection = list(string)
    pgvector   = list(string)
    neptune    = list(string)
    kendra     = list(string)
    kafka      = list(string)
  })
}

variable "tables" {
  description = "ARNs of DynamoDB's tables by their short name."
  type        = map(string)
}

variable "alarms_topic" {
  description = "ARN of the topic that alarms go to."
  type        = string
}

variable "store_secrets" {
  description = "ARN of the secret of each store that has one."
  type        = map(string)
}
