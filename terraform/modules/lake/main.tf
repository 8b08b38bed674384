locals {
  prefix = coalesce(var.bucket_prefix, "${var.context.name}-${var.context.account_id}-${var.context.region}")
}

# --- Access logs ---

module "logs" {
  source = "../bucket"
  count  = var.access_logs ? 1 : 0

  context                = var.context
  name                   = "${local.prefix}-logs"
  kms_key_arn            = var.kms_key_arn
  enforce_tls            = var.enforce_tls
  force_destroy          = var.force_destroy
  takes_access_logs      = true
  keep_old_versions_days = 1
  expire_days            = { "${local.prefix}-" = 90 }
}

# --- The lake ---

module "lake" {
  source = "../bucket"

  context                = var.context
  name                   = "${local.prefix}-lake"
  kms_key_arn            = var.kms_key_arn
  enforce_tls            = var.enforce_tls
  force_destroy          = var.force_destroy
  log_to                 = var.access_logs
  log_bucket             = one(module.logs[*].name)
  keep_old_versions_days = var.keep_old_versions_days
  expire_days            = { "tmp/" = 7, "athena/" = 30 }
}

# --- Code and settings ---

module "code" {
  source = "../bucket"

  context                = var.context
  name                   = "${local.prefix}-code"
  kms_key_arn            = var.kms_key_arn
  enforce_tls            = var.enforce_tls
  force_destroy          = var.force_destroy
  log_to                 = var.access_logs
  log_bucket             = one(module.logs[*].name)
  keep_old_versions_days = 90
}
