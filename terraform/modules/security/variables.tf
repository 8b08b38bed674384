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

# --- The key ---

variable "kms_key_arn" {
  description = "A key of yours; null makes one."
  type        = string
}

variable "deletion_days" {
  description = "Days between the order to delete the key and its end."
  type        = number
}
