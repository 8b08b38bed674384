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

# --- All ways ---

variable "streams" {
  description = "Kinesis streams by their short name."
  type        = map(object({ name = string, arn = string }))
}

variable "kms_key_arn" {
  description = "The key of streams, queues, disks and logs."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of DMS and MSK Connect."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups of DMS and MSK Connect."
  type        = list(string)
}

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
}

# --- AWS DMS ---

variable "dms" {
  description = "The root module's `dms`; null for none."
  type = object({
    instance      = string
    storage_gb    = number
    multi_az      = bool
    make_vpc_role = bool
    kms_keys      = list(string)
    sources = map(object({
      engine     = string
      database   = string
      secret_arn = string
      ssl_mode   = string
      stream     = string
      tables     = list(string)
    }))
  })
}

# --- Debezium on MSK Connect ---

variable "debezium" {
  description = "The root module's `debezium`; null for none."
  type = object({
    plugin_bucket_arn = string
    plugin_key        = string
    connect_version   = string
    secret_arns       = list(string)
    kms_keys          = list(string)
    connectors        = map(object({ class = string, units = number, settings = map(string) }))
  })
}

variable "kafka" {
  description = "The MSK cluster: ARN and brokers; null without Debezium."
  type        = object({ arn = string, servers = string })
}

# --- DynamoDB tables ---

variable "dynamodb" {
  description = "The root module's `dynamodb_capture`."
  type        = map(object({ table = string, stream = string }))
}

# --- Changes of S3 objects ---

variable "objects" {
  description = "The root module's `object_capture`, with the names of buckets."
  type        = map(object({ bucket = string, prefix = string, stream = string }))
}
