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

variable "vpc_id" {
  description = "The VPC; null without a network."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the stores; empty without a network."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups of the stores."
  type        = list(string)
}

variable "deletion_protection" {
  description = "Refuse to delete a database, and keep a last snapshot."
  type        = bool
}

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
}

variable "role_arns" {
  description = "Roles of the jobs that write."
  type        = list(string)
}

# --- OpenSearch ---

variable "opensearch" {
  description = "The root module's `opensearch`; null for none."
  type = object({
    mode            = string
    version         = string
    instance        = string
    instances       = number
    masters         = number
    master_instance = string
    volume_gb       = number
    standby         = bool
    readers         = list(string)
  })
}

# --- Aurora with pgvector ---

variable "pgvector" {
  description = "The root module's `pgvector`; null for none."
  type = object({
    version      = string
    instances    = number
    min_capacity = number
    max_capacity = number
    backup_days  = number
  })
}

# --- OpenSearch Ingestion ---

variable "ingestion" {
  description = "The root module's `ingestion`; null for none."
  type        = object({ stream = string, index = string, min_units = number, max_units = number })
}

variable "embeddings" {
  description = "The stream the pipeline reads: name and ARN; null without a pipeline."
  type        = object({ name = string, arn = string })
}

variable "lake_bucket" {
  description = "The bucket that keeps what the index refused."
  type        = object({ name = string, arn = string })
}
