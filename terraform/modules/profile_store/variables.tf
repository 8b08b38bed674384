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

# --- All stores ---

variable "kms_key_arn" {
  description = "The key of what is stored."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the clusters."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups of the clusters."
  type        = list(string)
}

variable "deletion_protection" {
  description = "Refuse to delete a store, and keep a last snapshot."
  type        = bool
}

# --- DocumentDB ---

variable "documentdb" {
  description = "The root module's `documentdb`; null for none."
  type        = object({ instance = string, instances = number, backup_days = number })
}

# --- DynamoDB ---

variable "dynamodb" {
  description = "The root module's `dynamodb`."
  type        = map(object({ key = string, sort_key = string, expires_at = string, served = bool }))
}

# --- Neptune ---

variable "neptune" {
  description = "The root module's `neptune`; null for none."
  type        = object({ instances = number, min_capacity = number, max_capacity = number, backup_days = number })
}
