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

# --- VPC ---

variable "settings" {
  description = "The root module's `network`."
  type = object({
    mode               = string
    cidr               = string
    zones              = number
    endpoints          = list(string)
    vpc_id             = string
    subnet_ids         = list(string)
    security_group_ids = list(string)
    egress             = map(object({ port = number, cidr = string, security_group_id = string }))
  })
}

# --- Glue's way into the network ---

variable "attach_jobs" {
  description = "Make the connection through which Glue jobs run inside the network."
  type        = bool
}

# --- Flow logs ---

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "The key of the logs."
  type        = string
}
