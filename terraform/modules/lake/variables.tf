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

# --- All buckets ---

variable "bucket_prefix" {
  description = "What the names of the buckets begin with; null takes name, account and region."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of all objects."
  type        = string
}

variable "enforce_tls" {
  description = "Refuse every call without TLS."
  type        = bool
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete buckets that hold objects."
  type        = bool
}

# --- Access logs ---

variable "access_logs" {
  description = "Keep access logs of all buckets in a bucket of their own."
  type        = bool
}

# --- The lake ---

variable "keep_old_versions_days" {
  description = "Days a file deleted by VACUUM or by mistake can be brought back."
  type        = number
}
