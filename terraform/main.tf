data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  context = {
    name       = var.name
    tags       = merge({ Headrace = var.name }, var.tags)
    region     = data.aws_region.here.name
    account_id = data.aws_caller_identity.here.account_id
    partition  = data.aws_partition.here.partition
  }

  # Services that jobs ask and that a network without internet needs a way to.
  asked = concat(
    anytrue([for job in var.jobs : length(job.sns_topics) > 0]) ? ["sns"] : [],
    anytrue([for job in var.jobs : job.comprehend]) ? ["comprehend"] : [],
  )
  in_network = var.network.mode != "none" && var.jobs_in_network
  streams    = { for name, arn in module.streams.arns : name => { name = module.streams.names[name], arn = arn } }
}

# --- Security ---

module "security" {
  source = "./modules/security"

  context       = local.context
  kms_key_arn   = var.kms_key_arn
  deletion_days = var.kms_deletion_days
}

# --- Network ---

module "network" {
  source = "./modules/network"

  context            = local.context
  settings           = merge(var.network, { endpoints = distinct(concat(var.network.endpoints, local.asked)) })
  attach_jobs        = var.jobs_in_network
  kms_key_arn        = module.security.kms_key_arn
  log_retention_days = var.log_retention_days
}

# --- Lake ---

module "lake" {
  source = "./modules/lake"

  context                = local.context
  bucket_prefix          = var.bucket_prefix
  kms_key_arn            = module.security.kms_key_arn
  enforce_tls            = var.enforce_tls
  access_logs            = var.access_logs
  force_destroy          = var.force_destroy
  keep_old_versions_days = var.keep_old_versions_days
}

# --- Catalog ---

module "catalog" {
  source = "./modules/catalog"

  context       = local.context
  lake_url      = module.lake.url
  lake_bucket   = module.lake.bucket.name
  tables        = var.catalog_tables
  athena        = var.athena != null
  athena_max_gb = try(var.athena.max_gb, 100)
  kms_key_arn   = module.security.kms_key_arn
}

# --- Streams ---

module "streams" {
  source = "./modules/streams"

  context            = local.context
  kinesis            = var.streams
  kafka              = var.kafka
  subnet_ids         = module.network.subnet_ids
  security_group_ids = module.network.security_group_ids
  kms_key_arn        = module.security.kms_key_arn
  log_retention_days = var.log_retention_days
}

# --- Capture ---

module "capture" {
  source = "./modules/capture"

  context            = local.context
  streams            = local.streams
  dms                = var.dms
  debezium           = var.debezium
  kafka              = var.kafka == null ? null : { arn = module.streams.kafka_arn, servers = module.streams.kafka_servers }
  dynamodb           = var.dynamodb_capture
  subnet_ids         = module.network.subnet_ids
  security_group_ids = module.network.client_security_group_ids
  kms_key_arn        = module.security.kms_key_arn
  log_retention_days = var.log_retention_days

  objects = { for name, one in var.object_capture : name => merge(one, {
    bucket = one.bucket != null ? one.bucket : module.knowledge_sources.bucket.name
  }) }
}

# --- Knowledge sources ---

module "knowledge_sources" {
  source = "./modules/knowledge_sources"

  context       = local.context
  documents     = var.documents.bucket
  events        = var.documents.events
  kendra        = var.kendra
  bucket_prefix = module.lake.bucket_prefix
  access_logs   = var.access_logs
  log_bucket    = module.lake.log_bucket
  enforce_tls   = var.enforce_tls
  force_destroy = var.force_destroy
  kms_key_arn   = module.security.kms_key_arn
}

# --- Profile store ---

module "profile_store" {
  source = "./modules/profile_store"

  context             = local.context
  documentdb          = var.documentdb
  dynamodb            = var.dynamodb
  neptune             = var.neptune
  subnet_ids          = module.network.subnet_ids
  security_group_ids  = module.network.security_group_ids
  kms_key_arn         = module.security.kms_key_arn
  deletion_protection = var.deletion_protection
}

# --- Vector store ---

module "vector_store" {
  source = "./modules/vector_store"

  context             = local.context
  opensearch          = var.opensearch
  pgvector            = var.pgvector
  ingestion           = var.ingestion
  embeddings          = var.ingestion == null ? null : local.streams[var.ingestion.stream]
  role_arns           = [for job, arn in module.jobs.role_arns : arn if contains(var.jobs[job].stores, "opensearch")]
  lake_bucket         = module.lake.bucket
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.subnet_ids
  security_group_ids  = module.network.security_group_ids
  kms_key_arn         = module.security.kms_key_arn
  deletion_protection = var.deletion_protection
  log_retention_days  = var.log_retention_days
}

# --- Jobs ---

locals {
  known = {
    NAME       = var.name
    REGION     = local.context.region
    LAKE       = module.lake.url
    DOCUMENTS  = try("s3://${module.knowledge_sources.bucket.name}", "")
    OPENSEARCH = module.vector_store.endpoint
    DOCUMENTDB = try(module.profile_store.documentdb.endpoint, "")
    PGVECTOR   = try(module.vector_store.pgvector.endpoint, "")
    NEPTUNE    = try(module.profile_store.neptune.endpoint, "")
    KAFKA      = module.streams.kafka_servers
    KENDRA     = try(module.knowledge_sources.kendra.id, "")
    ALARMS     = module.observability.topic_arn
  }

  stores_made = {
    opensearch = var.opensearch != null
    pgvector   = var.pgvector != null
    documentdb = var.documentdb != null
    neptune    = var.neptune != null
    kendra     = var.kendra != null
    kafka      = var.kafka != null
  }
  # Names that stand for nothing here. An address is not known before it is made, so its text does not tell.
  known_not = concat([for store, made in local.stores_made : upper(store) if !made], var.documents.bucket ? [] : ["DOCUMENTS"])
  known_now = [for name in keys(local.known) : name if !contains(local.known_not, name)]

  # The text between two names, and what each name stands for: the file is put together again piece by piece.
  config_text  = file(var.config_file)
  config_names = [for found in regexall(local.config_name, local.config_text) : { name = found[0], default = found[1] }]
  config_name  = "\\$\\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\\}"
  config_parts = split("\u0000", replace(local.config_text, "/\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}/", "\u0000"))
  config = join("", [for at, part in local.config_parts : join("", [part, at >= length(local.config_names) ? "" : (
    contains(local.known_now, local.config_names[at].name) ? local.known[local.config_names[at].name] : trimprefix(coalesce(local.config_names[at].default, ":-"), ":-")
  )])])
  config_lines   = join("\n", [for line in split("\n", local.config_text) : line if !startswith(trimspace(line), "#")])
  config_unknown = distinct([for found in regexall(local.config_name, local.config_lines) : found[0] if !contains(local.known_now, found[0]) && found[1] == null])

  # What each metric of a job has as `Source`. index_knowledge counts rows by index and, as a whole, by `documents`;
  # its lag is that of an index, its heartbeat that of a feed. apply_changes follows the sources that have a table, and
  # is behind in each store of served rows.
  settings = yamldecode(local.config_text)
  tables   = { for name in try(keys(local.settings.tables), []) : name => try(tostring(local.settings.tables[name].source), "") }
  sources  = [for name in try(keys(local.settings.sources), []) : name if contains(values(local.tables), name)]
  feeds    = try(keys(local.settings.knowledge.documents), [])
  indexes  = try(keys(local.settings.knowledge.indexes), [])
  serving  = distinct([for table in concat(try(values(local.settings.tables), []), try(values(local.settings.derive), [])) : table.serve.store if can(table.serve.store)])
  measures = try(tolist(local.settings.metrics.measures), [])
  datasets = try(keys(local.settings.datasets.sets), [])
  measured = {
    sources = merge({ for metric in local.metrics : metric => local.sources }, {
      LagSeconds = concat(local.sources, [for store in sort(local.serving) : "serve/${store}"])
    })
    documents = {
      Heartbeat        = local.feeds
      LagSeconds       = local.indexes
      FreshnessSeconds = []
      BatchSeconds     = ["documents"]
      RowsApplied      = concat(["documents"], local.indexes)
      RowsStale        = concat(["documents"], local.indexes)
      RowsRejected     = concat(["documents"], local.indexes)
    }
    # build_profiles counts by `people`, all of them together; its lag is that of a store of profiles.
    people = {
      Heartbeat        = ["people"]
      LagSeconds       = keys(try(local.settings.profiles.stores, {}))
      FreshnessSeconds = []
      BatchSeconds     = ["people"]
      RowsApplied      = ["people"]
      RowsStale        = ["people"]
      RowsRejected     = ["people"]
    }
    feedback = { for metric in local.metrics : metric => try(tolist(local.settings.feedback.sources), []) }
    # What curate_dataset leaves out of a dataset is nothing to be alarmed about, so nothing watches it.
    datasets = { for metric in local.metrics : metric => metric == "RowsApplied" ? local.datasets : [] }
    none     = { for metric in local.metrics : metric => [] }
  }

  metrics = ["BatchSeconds", "FreshnessSeconds", "Heartbeat", "LagSeconds", "RowsApplied", "RowsRejected", "RowsStale"]
}

module "jobs" {
  source = "./modules/jobs"

  context                = local.context
  package                = var.package
  scripts_folder         = coalesce(var.scripts_folder, "${path.module}/../glue_jobs")
  config                 = local.config
  code_bucket            = module.lake.code
  lake_bucket            = module.lake.bucket
  catalog_database       = module.catalog.database
  jobs                   = var.jobs
  streams                = local.streams
  maintenance_window     = var.maintenance_window
  security_configuration = module.security.glue_security_configuration
  in_network             = local.in_network
  connections            = module.network.glue_connections
  subnet_ids             = module.network.subnet_ids
  security_group_ids     = module.network.client_security_group_ids
  kms_key_arn            = module.security.kms_key_arn
  log_retention_days     = var.log_retention_days
  document_buckets       = concat(module.knowledge_sources.bucket[*].arn, var.documents.buckets)

  store_arns = {
    domain     = module.vector_store.domain[*].arn
    collection = module.vector_store.collection_arn[*]
    pgvector   = module.vector_store.pgvector[*].connect_arn
    neptune    = module.profile_store.neptune[*].data_arn
    kendra     = module.knowledge_sources.kendra[*].arn
    kafka      = module.streams.kafka_arn[*]
  }
  tables        = module.profile_store.dynamodb_arns
  alarms_topic  = module.observability.topic_arn
  store_secrets = var.documentdb == null ? {} : { documentdb = module.profile_store.documentdb.secret_arn }
}

# --- Schedules ---

module "schedules" {
  source = "./modules/schedules"

  context     = local.context
  kms_key_arn = module.security.kms_key_arn

  jobs = { for job, settings in var.jobs : job => {
    glue_job = "${var.name}-${job}"
    when     = settings.when
    timezone = settings.timezone
    stream   = settings.kind == "stream"
    enabled  = settings.enabled
  } if settings.when != null }

  depends_on = [module.jobs]
}

# --- Training ---

module "training" {
  source = "./modules/training"
  count  = var.training ? 1 : 0

  context     = local.context
  lake_bucket = module.lake.bucket
  kms_key_arn = module.security.kms_key_arn
  mlflow      = var.mlflow

  dataset_folders = distinct(flatten([for job in var.jobs : job.dataset_folders]))
}

# --- Observability ---

module "observability" {
  source = "./modules/observability"

  context           = local.context
  settings          = var.alarms
  kms_key_arn       = module.security.kms_key_arn
  streams           = module.streams.names
  missed_starts     = module.schedules.missed_starts
  lost_events       = module.capture.lost_events
  dms_tasks         = module.capture.dms_tasks
  opensearch_domain = try(module.vector_store.domain.name, null)
  documentdb        = try(module.profile_store.documentdb.id, null)
  neptune           = try(module.profile_store.neptune.id, null)
  pgvector          = try(module.vector_store.pgvector.id, null)
  dynamodb_tables   = [for name in keys(var.dynamodb) : "${var.name}-${name}"]

  jobs = { for job, settings in var.jobs : job => {
    glue_job = "${var.name}-${job}"
    stream   = settings.kind == "stream"
    sources  = local.measured[settings.watches]
    measures = settings.watches == "feedback" ? local.measures : []
  } if settings.enabled }
}

# --- What only the whole can know ---

locals {
  # Minute, hour, day, month, weekday, year; each a value, a list, a range or a step.
  cron = join("", ["^cron\\(", join(" ", [for value in [
    "[0-5]?[0-9]", "1?[0-9]|2[0-3]", "(0?[1-9]|[12][0-9]|3[01])W?|LW?", "0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC",
    "[1-7](#[1-5])?L?|SUN|MON|TUE|WED|THU|FRI|SAT|L", "19[7-9][0-9]|2[01][0-9]{2}",
  ] : "(\\*|\\?|${value})(/[1-9][0-9]?|[-,](${value}))*"]), "\\)$"])

  folder_arn = "^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.-]+)+$"

  # What a lake is made of, with the name's default should it have one.
  lake = replace(try(tostring(local.settings.lake), ""), "/^\\$\\{[A-Za-z_][A-Za-z0-9_]*:-([^}]*)\\}$/", "$1")

  # Where settings may hold a credential, and addresses that may hold one. {secret: ...} is no text, and so left out.
  clients = concat(flatten([for group in [
    try(local.settings.sources, {}), try(local.settings.knowledge.indexes, {}), try(local.settings.profiles.stores, {}),
    try(local.settings.serve.stores, {}), try(local.settings.feedback.publish, {}), try(local.settings.alerts.outputs, {}),
    ] : [for one in try(values(group), []) : [one]]]), [try(local.settings.knowledge.embed, {})], flatten([
    for one in try(values(local.settings.datasets.sets), []) : [for model in try(values(one.evaluate), []) : [model]]
  ]))
  options   = flatten([for one in local.clients : [for name, value in merge(try(one.options, {}), try(one.headers, {})) : value if can(regex("(?i)(password|secret|authorization)$", name))]])
  keys      = concat([for one in local.clients : try(one.key, "")], [try(local.settings.profiles.hash_key, ""), try(local.settings.datasets.key, ""), try(local.settings.feedback.hash_key, "")])
  passwords = [for value in concat(flatten([for one in local.clients : [try(one.password, ""), try(one.secret, "")]]), local.keys, local.options) : try(tostring(value), "")]
  addresses = flatten([for one in local.clients : [try(tostring(one.url), ""), try(tostring(one.uri), "")]])
  plain     = concat([for value in local.passwords : "*" if value != "" && !startswith(value, "$")], [for value in local.addresses : "*" if can(regex("://[^/@:]*:[^/@$]+@", value))])
}

resource "terraform_data" "settings_fit" {
  input = local.config_unknown

  lifecycle {
    precondition {
      condition     = length(local.config_unknown) == 0
      error_message = "config_file: ${join(", ", local.config_unknown)} is nothing Terraform knows, and a Glue job has no environment to take it from. Write the value, give it a default ($${NAME:-value}), or use one of ${join(", ", local.known_now)}.${length(setintersection(local.config_unknown, local.known_not)) == 0 ? "" : " ${join(", ", setintersection(local.config_unknown, local.known_not))} would be the address of what is not made here: switch it on with the variable of that name (DOCUMENTS: documents = { bucket = true })."}"
    }

    precondition {
      condition     = startswith(local.lake, "s3://") || startswith(local.lake, "$${LAKE}")
      error_message = "config_file: expected `lake: $${LAKE}`, as the jobs' roles may write the lake made here; found `lake: ${local.lake}`. A folder of a laptop or of Databricks is not there on Glue."
    }

    precondition {
      condition     = length(local.tables) > 0 && !contains(values(local.tables), "")
      error_message = "config_file: expected `tables` with at least one, each with its `source`; ${length(local.tables) == 0 ? "there is none" : "${join(", ", [for name, source in local.tables : name if source == ""])} has none"}. Write for example bookings: {source: shop, key: [booking_id]}. `headrace check --config ${var.config_file}` tells more."
    }

    precondition {
      condition     = length([for job in var.jobs : job if job.watches == "documents"]) == 0 || (length(local.feeds) > 0 && length(local.indexes) > 0)
      error_message = "jobs: ${join(", ", [for name, job in var.jobs : name if job.watches == "documents"])} follows documents, and `${var.config_file}` has no `knowledge` with documents and indexes, so it would end at every start. Take the job out of `jobs`, or add `knowledge` as examples/complete/headrace.yaml does."
    }

    precondition {
      condition     = length([for job in var.jobs : job if job.watches == "feedback"]) == 0 || length(local.measured.feedback["Heartbeat"]) > 0
      error_message = "jobs: ${join(", ", [for name, job in var.jobs : name if job.watches == "feedback"])} follows events of conversations, and `${var.config_file}` has no `feedback` with sources, so it would end at every start. Take the job out of `jobs`, or add `feedback` as examples/complete/headrace.yaml does."
    }

    precondition {
      condition     = length([for job in var.jobs : job if job.watches == "datasets"]) == 0 || length(local.datasets) > 0
      error_message = "jobs: ${join(", ", [for name, job in var.jobs : name if job.watches == "datasets"])} makes datasets, and `${var.config_file}` has no `datasets` with sets, so it would end at every start. Take the job out of `jobs`, or add `datasets` as examples/complete/headrace.yaml does."
    }

    precondition {
      condition     = length(local.plain) == 0
      error_message = "config_file: a password or key stands as plain text in `${var.config_file}`, and would stand in the state and in S3. Put it into Secrets Manager, write {secret: \"aws:<name>#<key>\"} and name its ARN in `secrets` of the job."
    }
  }
}
