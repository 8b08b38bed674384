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

# --- Kinesis ---

variable "kinesis" {
  description = "The root module's `streams`."
  type        = map(object({ shards = number, retention_hours = number }))
}

# --- MSK ---

variable "kafka" {
  description = "The root module's `kafka`; null for none."
  type = object({
    mode            = string
    version         = string
    instance        = string
    storage_gb      = number
    max_storage_gb  = number
    retention_hours = number
  })
}

variable "subnet_ids" {
  description = "Subnets of the brokers."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups of the brokers."
  type        = list(string)
}

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
}

# --- Both ---

variable "kms_key_arn" {
  description = "The key of records and logs."
  type        = string
}
