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

# --- Role of training jobs ---

variable "lake_bucket" {
  description = "The lake's bucket, which holds datasets, models and MLflow's artifacts."
  type        = object({ name = string, arn = string })
}

variable "kms_key_arn" {
  description = "The key of that bucket."
  type        = string
}

variable "dataset_folders" {
  description = "ARNs of folders outside of the lake that hold datasets too."
  type        = list(string)
}

# --- MLflow ---

variable "mlflow" {
  description = "The root module's `mlflow`; null for none."
  type        = object({ size = string })
}
