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

# --- Documents ---

variable "documents" {
  description = "Make a bucket for documents."
  type        = bool
}

variable "events" {
  description = "The bucket tells EventBridge of every change."
  type        = bool
}

variable "bucket_prefix" {
  description = "What the bucket's name begins with."
  type        = string
}

variable "enforce_tls" {
  description = "Refuse every call without TLS."
  type        = bool
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the bucket with all it holds."
  type        = bool
}

variable "access_logs" {
  description = "Write access logs to `log_bucket`."
  type        = bool
}

variable "log_bucket" {
  description = "The bucket of access logs."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of documents and of the Kendra index."
  type        = string
}

# --- Kendra ---

variable "kendra" {
  description = "The root module's `kendra`; null for none."
  type        = object({ edition = string })
}
