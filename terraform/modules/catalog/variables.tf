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

# --- Database ---

variable "lake_url" {
  description = "The lake, s3://bucket/folder."
  type        = string
}

# --- Delta tables ---

variable "tables" {
  description = "Folders of the lake that Athena and Spark see as tables, e.g. tables/bookings."
  type        = map(object({ columns = list(object({ name = string, type = string })) }))
}

# --- Athena ---

variable "athena" {
  description = "Make a workgroup."
  type        = bool
}

variable "athena_max_gb" {
  description = "A query that would read more is refused."
  type        = number
}

variable "lake_bucket" {
  description = "The bucket results are written to, below athena/."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of results."
  type        = string
}
