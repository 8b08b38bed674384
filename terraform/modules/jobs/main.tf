locals {
  bucket = var.code_bucket.name

  # The content's hash stands in the key: a new wheel has a new place, and a running job keeps the one it began with.
  objects = merge(
    { for job in keys(var.jobs) : "script/${job}" => {
      source = "${var.scripts_folder}/${job}.py"
      key    = "glue_jobs/${filesha256("${var.scripts_folder}/${job}.py")}/${job}.py"
    } },
    { wheel = {
      source = var.package.wheel
      key    = "wheels/${filesha256(var.package.wheel)}/${basename(var.package.wheel)}"
    } },
    { for file in var.package.bundle[*] : "bundle" => {
      source = file
      key    = "wheels/${filesha256(file)}/${basename(file)}"
    } },
    { for file in var.package.jars : "jar/${basename(file)}" => {
      source = file
      key    = "jars/${filesha256(file)}/${basename(file)}"
    } },
  )
  config_key = "config/${sha256(var.config)}/headrace.yaml"
  urls       = { for name, object in aws_s3_object.code : name => "s3://${local.bucket}/${object.key}" }

  spark = {
    "spark.sql.extensions"            = "io.delta.sql.DeltaSparkSessionExtension"
    "spark.sql.catalog.spark_catalog" = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
  }
}

# --- Code and settings ---

resource "aws_s3_object" "code" {
  for_each = local.objects

  bucket      = local.bucket
  key         = each.value.key
  source      = each.value.source
  source_hash = filesha256(each.value.source)
  kms_key_id  = var.kms_key_arn
  tags        = var.context.tags
}

resource "aws_s3_object" "config" {
  bucket       = local.bucket
  key          = local.config_key
  content      = var.config
  content_type = "application/yaml"
  kms_key_id   = var.kms_key_arn
  tags         = var.context.tags
}

# --- Jobs ---

resource "aws_glue_job" "this" {
  for_each = var.jobs

  name                   = "${var.context.name}-${each.key}"
  description            = "Headrace ${each.key}"
  role_arn               = aws_iam_role.job[each.key].arn
  glue_version           = "6.0"
  execution_class        = "STANDARD"
  worker_type            = each.value.worker_type
  number_of_workers      = each.value.workers
  timeout                = each.value.kind == "stream" ? null : each.value.timeout_minutes
  max_retries            = each.value.retries
  maintenance_window     = each.value.kind == "stream" ? var.maintenance_window : null
  security_configuration = var.security_configuration
  connections            = length(var.connections) > 0 ? var.connections : null
  tags                   = merge(var.context.tags, { Job = each.key })

  command {
    name            = each.value.kind == "stream" ? "gluestreaming" : "glueetl"
    script_location = local.urls["script/${each.key}"]
    python_version  = "3"
  }

  # Two runs of a stream on one checkpoint, or two writers of one table, would lose rows.
  execution_property {
    max_concurrent_runs = 1
  }

  # Glue hands an empty argument on as a value: leave it out instead.
  default_arguments = { for name, value in merge(
    local.glue_arguments[each.key], local.headrace_arguments[each.key], each.value.arguments,
  ) : name => value if value != null && value != "" }

  depends_on = [aws_iam_role_policy.job, aws_s3_object.config, aws_cloudwatch_log_group.job]
}

locals {
  headrace_arguments = { for job, settings in var.jobs : job => {
    "--config"  = "s3://${local.bucket}/${local.config_key}"
    "--name"    = var.context.name
    "--metrics" = "cloudwatch"
    "--stop"    = "s3://${var.lake_bucket.name}/control/stop/${job}"
    "--once"    = settings.kind == "schedule" ? "true" : null # it ends, and its next time starts it again
  } }

  glue_arguments = { for job, settings in var.jobs : job => {
    "--datalake-formats"                = "delta"
    "--conf"                            = join(" --conf ", [for key, value in merge(local.spark, settings.spark) : "${key}=${value}"])
    "--additional-python-modules"       = lookup(local.urls, "bundle", local.urls["wheel"]) # the bundle holds the wheel too
    "--python-modules-installer-option" = var.package.bundle == null ? null : "--no-index"
    "--extra-jars"                      = join(",", [for file in var.package.jars : local.urls["jar/${basename(file)}"]])
    "--enable-metrics"                  = "true"
    "--enable-observability-metrics"    = "true"
    "--custom-logGroup-prefix"          = local.log_prefixes[job] # since Glue 5; --continuous-log-* was Glue 4's
    "--enable-glue-datacatalog"         = "true"
    "--enable-auto-scaling"             = tostring(settings.auto_scaling)
    "--job-bookmark-option"             = "job-bookmark-disable"
    "--TempDir"                         = "s3://${var.lake_bucket.name}/tmp/${job}/"
  } }
}

# --- Logs ---

# Glue writes what a job prints, Headrace's lines among it, into <prefix>/output, and its own and Spark's into <prefix>/error.
# A group that Glue had to make would keep its logs for ever.
resource "aws_cloudwatch_log_group" "job" {
  for_each = merge([for job, prefix in local.log_prefixes : { for part in ["error", "output"] : "${prefix}/${part}" => job }]...)

  name              = each.key
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = merge(var.context.tags, { Job = each.value })
}

locals {
  log_prefixes = { for job in keys(var.jobs) : job => "/headrace/${var.context.name}/${job}" }
}
