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

# --- When jobs start ---

variable "jobs" {
  description = "Jobs with a time to start: the Glue job's name, a cron or rate expression and its time zone."
  type = map(object({
    glue_job = string
    when     = string
    timezone = string
    stream   = bool
    enabled  = bool
  }))
}

variable "kms_key_arn" {
  description = "The key of schedules and of the queue."
  type        = string
}
