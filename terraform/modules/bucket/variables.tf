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

# --- The bucket ---

variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the bucket with all it holds."
  type        = bool
}

# --- Who may ---

variable "enforce_tls" {
  description = "Refuse every call without TLS."
  type        = bool
}

variable "takes_access_logs" {
  description = "This is the bucket other buckets write their access logs to."
  type        = bool
  default     = false
}

# --- Encryption and logs ---

variable "kms_key_arn" {
  description = "The key of its objects; a bucket of access logs uses S3's own."
  type        = string
}

variable "log_to" {
  description = "Write access logs to `log_bucket`."
  type        = bool
  default     = false
}

variable "log_bucket" {
  description = "The bucket of access logs."
  type        = string
  default     = null
}

# --- Lifecycle ---

variable "keep_old_versions_days" {
  description = "Days a deleted or overwritten object can be brought back."
  type        = number
}

variable "expire_days" {
  description = "Prefixes whose objects go after so many days."
  type        = map(number)
  default     = {}
}
