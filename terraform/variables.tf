# --- The deployment ---

variable "name" {
  description = "Name of the deployment; it stands in the name of everything."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.name))
    error_message = "name: expected 2 to 16 small letters, digits and hyphens, beginning with a letter; found '${var.name}'. Write for example name = \"shop\"."
  }
}

variable "tags" {
  description = "Tags of everything that can have tags."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Databases refuse to be deleted and leave a last snapshot."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch knows only certain numbers of days; found ${var.log_retention_days}. Write 30, 90, 180, 365 or 731."
  }
}

# --- Code and settings ---

variable "package" {
  description = <<-TEXT
    What `make package` built: the wheel, and the bundle of its requirements (*.gluewheels.zip) for jobs without internet.
    jars: more files for Spark's class path, such as aws-msk-iam-auth-2.3.9-all.jar for sources with `auth: {kind: msk-iam}`.
  TEXT
  type = object({
    wheel  = string
    bundle = optional(string)
    jars   = optional(list(string), [])
  })

  validation {
    condition     = alltrue([for jar in var.package.jars : endswith(jar, ".jar") && fileexists(jar)])
    error_message = "package.jars: expected files whose names end in .jar; look at ${join(", ", [for jar in var.package.jars : "'${jar}'" if !(endswith(jar, ".jar") && try(fileexists(jar), false))])}. Fetch them, e.g. curl -fsSO https://repo1.maven.org/maven2/software/amazon/msk/aws-msk-iam-auth/2.3.9/aws-msk-iam-auth-2.3.9-all.jar."
  }

  validation {
    condition     = endswith(var.package.wheel, ".whl") && fileexists(var.package.wheel)
    error_message = "package.wheel: expected a wheel; there is no file '${var.package.wheel}'. Run `make package` and name the wheel it leaves in dist/."
  }

  validation {
    condition     = var.package.bundle == null || try(endswith(var.package.bundle, ".gluewheels.zip") && fileexists(var.package.bundle), false)
    error_message = "package.bundle: expected a file whose name ends in .gluewheels.zip; found '${coalesce(var.package.bundle, "null")}'. Run `make package` and name the bundle it leaves in dist/, or leave the key out."
  }

  validation {
    condition     = var.package.bundle != null || var.network.mode != "create" || !var.jobs_in_network
    error_message = "package.bundle: jobs in a network without internet cannot fetch packages. Run `make package` and name the bundle it leaves in dist/, or write jobs_in_network = false."
  }
}

variable "config_file" {
  description = "headrace.yaml. NAME, REGION, LAKE, DOCUMENTS, OPENSEARCH, DOCUMENTDB, PGVECTOR, NEPTUNE, KAFKA and KENDRA in $${...} are filled in."
  type        = string

  validation {
    condition     = fileexists(var.config_file)
    error_message = "config_file: there is no file '${var.config_file}'. Name your headrace.yaml; terraform/examples/minimal has one to begin with."
  }

  validation {
    condition     = !fileexists(var.config_file) || can(keys(yamldecode(file(var.config_file)).sources))
    error_message = "config_file: expected YAML with `sources`; '${var.config_file}' has none or is no YAML. Try it with `headrace check --config ${var.config_file}`."
  }
}

variable "scripts_folder" {
  description = "Folder with <job>.py for each job; null is glue_jobs/ of this repository."
  type        = string
  default     = null
}

# --- Security ---

variable "kms_key_arn" {
  description = "A KMS key of yours for everything; null makes one. Its policy must let CloudWatch Logs, SNS and EventBridge use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn: expected the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>; found '${coalesce(var.kms_key_arn, "null")}'. An alias will not do, as roles name the key; `aws kms describe-key` shows its ARN. Leave it out to have a key made."
  }
}

variable "kms_deletion_days" {
  description = "Days between the order to delete the key and its end."
  type        = number
  default     = 30

  validation {
    condition     = var.kms_deletion_days >= 7 && var.kms_deletion_days <= 30
    error_message = "kms_deletion_days: expected 7 to 30; found ${var.kms_deletion_days}."
  }
}

variable "enforce_tls" {
  description = "Buckets refuse every call without TLS."
  type        = bool
  default     = true
}

# --- Network ---

variable "network" {
  description = <<-TEXT
    none: jobs reach AWS over its public addresses. create: a VPC without internet. existing: vpc_id and subnet_ids of yours.
    Jobs, DMS and MSK Connect may reach one another and port 443, nothing else, until a way to a database is given:
    egress: where to, by name, and on which port: { crm = { port = 5432, cidr = "10.1.2.0/24" } } or { port, security_group_id }.
    security_group_ids: more groups of yours for jobs, DMS and MSK Connect, in the same VPC.
    The database's own group must let the output `security_group` in.
  TEXT
  type = object({
    mode  = optional(string, "none")
    cidr  = optional(string, "10.64.0.0/20")
    zones = optional(number, 2)
    endpoints = optional(list(string), [
      "bedrock-runtime", "glue", "kinesis-streams", "kms", "logs", "monitoring", "secretsmanager", "sts",
    ])
    vpc_id             = optional(string)
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
    egress = optional(map(object({
      port              = number
      cidr              = optional(string)
      security_group_id = optional(string)
    })), {})
  })
  default = {}

  validation {
    condition     = var.network.mode != "none" || length(var.network.egress) + length(var.network.security_group_ids) == 0
    error_message = "network: egress and security_group_ids need a network; mode is none. Write mode = \"existing\" with vpc_id and subnet_ids from which your database is reached, or leave them out."
  }

  validation {
    condition = alltrue([for way in var.network.egress : way.port >= 1 && way.port <= 65535 && floor(way.port) == way.port && (
      way.cidr == null ? can(regex("^sg-[0-9a-z]+$", way.security_group_id)) : way.security_group_id == null && can(cidrhost(way.cidr, 0))
    )])
    error_message = "network.egress: expected a port and either cidr or security_group_id, e.g. { crm = { port = 5432, cidr = \"10.1.2.0/24\" } }; found ${join(", ", [for name, way in var.network.egress : "${name}: ${jsonencode(way)}"])}."
  }

  validation {
    condition     = alltrue([for id in var.network.vpc_id[*] : can(regex("^vpc-[0-9a-z]+$", id))]) && alltrue([for id in var.network.subnet_ids : can(regex("^subnet-[0-9a-z]+$", id))]) && alltrue([for id in var.network.security_group_ids : can(regex("^sg-[0-9a-z]+$", id))])
    error_message = "network: expected ids as AWS writes them, vpc-..., subnet-... and sg-...; found ${join(", ", [for id in concat(var.network.vpc_id[*], var.network.subnet_ids, var.network.security_group_ids) : "'${id}'" if !can(regex("^(vpc|subnet|sg)-[0-9a-z]+$", id))])}. They stand in the console's page VPC."
  }

  validation {
    condition     = contains(["none", "create", "existing"], var.network.mode)
    error_message = "network.mode: expected none, create or existing; found '${var.network.mode}'."
  }

  validation {
    condition     = var.network.mode != "existing" || (var.network.vpc_id != null && length(var.network.subnet_ids) >= 2)
    error_message = "network: mode = \"existing\" needs vpc_id and at least two subnet_ids in different zones. Add them, or write mode = \"create\"."
  }

  validation {
    condition     = can(cidrsubnet(var.network.cidr, 4, 0)) && var.network.zones >= 2 && var.network.zones <= 6
    error_message = "network: expected cidr such as 10.64.0.0/20 and 2 to 6 zones; found '${var.network.cidr}' and ${var.network.zones}."
  }
}

variable "jobs_in_network" {
  description = "Jobs run inside the network where there is one. Without, they reach only stores with public addresses."
  type        = bool
  default     = true
}

# --- Lake ---

variable "bucket_prefix" {
  description = "What the names of buckets begin with; null takes name, account and region."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_prefix == null || can(regex("^[a-z0-9][a-z0-9-]{1,51}[a-z0-9]$", var.bucket_prefix))
    error_message = "bucket_prefix: expected 3 to 53 small letters, digits and hyphens, beginning and ending with a letter or digit; found '${coalesce(var.bucket_prefix, "null")}'. Names of buckets are unique in the world: put your company's into it."
  }
}

variable "access_logs" {
  description = "Keep access logs of all buckets for 90 days in a bucket of their own."
  type        = bool
  default     = true
}

variable "keep_old_versions_days" {
  description = "Days a file of the lake that was deleted, by VACUUM or by mistake, can be brought back."
  type        = number
  default     = 7

  validation {
    condition     = var.keep_old_versions_days >= 1 && var.keep_old_versions_days <= 365
    error_message = "keep_old_versions_days: expected 1 to 365; found ${var.keep_old_versions_days}."
  }
}

variable "force_destroy" {
  description = "`terraform destroy` deletes buckets with all they hold. For trials."
  type        = bool
  default     = false
}

# --- Catalog ---

variable "catalog_tables" {
  description = "Folders of the lake that Athena and Spark see as tables, e.g. { \"tables/bookings\" = {} }."
  type = map(object({
    columns = optional(list(object({ name = string, type = string })), [])
  }))
  default = { changed_keys = {}, batches = {} }

  validation {
    condition     = alltrue([for folder in keys(var.catalog_tables) : can(regex("^[a-z0-9_]+(/[a-z0-9_]+)?$", folder))])
    error_message = "catalog_tables: expected folders of the lake such as \"tables/bookings\"; found ${join(", ", keys(var.catalog_tables))}."
  }
}

variable "athena" {
  description = "A workgroup for queries on the lake; a query that would read more than max_gb is refused. null for none."
  type        = object({ max_gb = optional(number, 100) })
  default     = {}
}

# --- Streams ---

variable "streams" {
  description = "Kinesis streams; their full name is <name>-<key>. Without shards a stream is on demand."
  type = map(object({
    shards          = optional(number)
    retention_hours = optional(number, 168)
  }))
  default = { changes = {} }

  validation {
    condition     = alltrue([for stream in var.streams : stream.retention_hours >= 24 && stream.retention_hours <= 8760])
    error_message = "streams: retention_hours must be 24 to 8760 (a year); found ${join(", ", [for name, stream in var.streams : "${name} = ${stream.retention_hours}" if stream.retention_hours < 24 || stream.retention_hours > 8760])}. It is how long a stopped job may stay stopped without losing changes."
  }

  validation {
    condition     = alltrue([for stream in var.streams : stream.shards == null ? true : (stream.shards >= 1 && stream.shards <= 500)])
    error_message = "streams: shards must be 1 to 500, or left out for a stream on demand."
  }
}

variable "kafka" {
  description = "An MSK cluster, serverless or provisioned with one broker in each subnet; null for none."
  type = object({
    mode            = optional(string, "serverless")
    version         = optional(string, "3.8.x")
    instance        = optional(string, "kafka.m7g.large")
    storage_gb      = optional(number, 100)
    max_storage_gb  = optional(number, 1000)
    retention_hours = optional(number, 168)
  })
  default = null

  validation {
    condition     = var.kafka == null ? true : contains(["serverless", "provisioned"], var.kafka.mode)
    error_message = "kafka.mode: expected serverless or provisioned; found '${try(var.kafka.mode, "")}'."
  }

  validation {
    condition     = var.kafka == null || var.network.mode != "none"
    error_message = "kafka: brokers live in a network. Add network = { mode = \"create\" }, or name yours with mode = \"existing\"."
  }
}

# --- Capture ---

variable "dms" {
  description = "AWS DMS: first all rows, then every change of each source into a stream. The secret holds user, password, host and port; kms_keys: ARNs of keys of yours it is kept with. null for none."
  type = object({
    instance      = optional(string, "dms.t3.medium")
    storage_gb    = optional(number, 50)
    multi_az      = optional(bool, true)
    make_vpc_role = optional(bool, false)
    kms_keys      = optional(list(string), [])
    sources = map(object({
      engine     = string
      database   = optional(string)
      secret_arn = string
      ssl_mode   = optional(string, "require")
      stream     = optional(string, "changes")
      tables     = list(string)
    }))
  })
  default = null

  validation {
    condition     = var.dms == null || var.network.mode != "none"
    error_message = "dms: the replication instance lives in a network. Add network = { mode = \"existing\", ... } from which your database is reached."
  }

  validation {
    condition     = var.dms == null || var.network.mode == "none" || length(var.network.egress) + length(var.network.security_group_ids) > 0
    error_message = "dms: it may reach port 443 only, and no database answers there. Give the way in network.egress, e.g. egress = { shop = { port = 5432, cidr = \"10.1.2.0/24\" } }, or a group of yours in network.security_group_ids. A network made here (mode = \"create\") also needs a peering or a transit gateway of yours."
  }

  validation {
    condition     = alltrue([for source in try(var.dms.sources, {}) : contains(keys(var.streams), source.stream)])
    error_message = "dms: a source names a stream that is not there. Streams are ${join(", ", keys(var.streams))}; write stream = \"${try(keys(var.streams)[0], "changes")}\" or add the stream to `streams`."
  }

  validation {
    condition     = alltrue(flatten([for source in try(var.dms.sources, {}) : [for table in source.tables : length(split(".", table)) == 2]]))
    error_message = "dms: expected tables as schema.table, e.g. public.bookings or public.%; one has no schema."
  }

  validation {
    condition     = alltrue([for name in keys(try(var.dms.sources, {})) : can(regex("^[a-z]([a-z0-9]|-[a-z0-9])*$", name))])
    error_message = "dms.sources: DMS takes letters, digits and single hyphens in names; found ${join(", ", [for name in try(keys(var.dms.sources), []) : "'${name}'" if !can(regex("^[a-z]([a-z0-9]|-[a-z0-9])*$", name))])}. Write a hyphen where there is an underscore."
  }

  validation {
    condition     = alltrue([for source in try(var.dms.sources, {}) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", source.secret_arn))])
    error_message = "dms.sources: expected secret_arn as arn:aws:secretsmanager:<region>:<account>:secret:<name>; found ${join(", ", try([for source in var.dms.sources : source.secret_arn], []))}. `aws secretsmanager describe-secret` shows it."
  }

  validation {
    condition     = alltrue([for arn in try(var.dms.kms_keys, []) : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[A-Za-z0-9-]+$", arn))])
    error_message = "dms.kms_keys: expected ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>, no aliases; found ${join(", ", try(var.dms.kms_keys, []))}."
  }
}

variable "debezium" {
  description = <<-TEXT
    Debezium on MSK Connect: the plugin's zip in a bucket, and connectors. null for none.
    A password is written "$${secretsmanager:<name of the secret>:<key in it>}" in settings ($$ in a tfvars file, as $ would
    be Terraform's): the worker reads it from Secrets Manager. The zip must then also hold AWS's config providers
    (https://github.com/aws-samples/msk-config-providers); secret_arns names the secrets, kms_keys keys of yours they are
    kept with. Topics a connector writes are made with one partition and the cluster's own replication; topic.creation.* in
    settings says otherwise.
  TEXT
  type = object({
    plugin_bucket_arn = string
    plugin_key        = string
    connect_version   = optional(string, "3.7.x")
    secret_arns       = optional(list(string), [])
    kms_keys          = optional(list(string), [])
    connectors = map(object({
      class    = string
      units    = optional(number, 1)
      settings = map(string)
    }))
  })
  default = null

  validation {
    condition     = var.debezium == null || var.kafka != null
    error_message = "debezium: it writes to Kafka. Add kafka = {}, or capture with dms, which writes to Kinesis."
  }

  # Settings stand in the state and in the console, for all who may look.
  validation {
    condition = alltrue(flatten([for one in try(var.debezium.connectors, {}) : [for key, value in one.settings :
      can(regex("^\\$\\{[^}]+:[^}]+\\}$", value)) if can(regex("(?i)password|secret|token|credential", key))
    ]]))
    error_message = "debezium: a secret stands as plain text in settings of ${join(", ", try(keys(var.debezium.connectors), []))}, and would stand in the state too. Put it into Secrets Manager and write \"$$${secretsmanager:<name>:<key>}\"."
  }

  validation {
    condition     = alltrue(flatten([for one in try(var.debezium.connectors, {}) : [for key, value in one.settings : !can(regex("(?i)(password|secret)\\w*\\s*=\\s*[\"']?[^\"'$\\s]|://[^/@:\\s]*:[^/@$\\s]+@", value))]]))
    error_message = "debezium: a setting holds a password inside a longer text, and it would stand in the state too. Put the whole value into Secrets Manager and write \"$$${secretsmanager:<name>:<key>}\"."
  }

  validation {
    condition = length(try(var.debezium.secret_arns, [])) > 0 || alltrue(flatten([for one in try(var.debezium.connectors, {}) : [
      for value in values(one.settings) : !strcontains(value, "{secretsmanager:")
    ]]))
    error_message = "debezium: a setting takes a secret from Secrets Manager, and secret_arns is empty, so the worker may read none. Add the secret's ARN."
  }

  validation {
    condition     = alltrue([for arn in try(var.debezium.secret_arns, []) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))]) && alltrue([for arn in try(var.debezium.kms_keys, []) : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[A-Za-z0-9-]+$", arn))])
    error_message = "debezium: expected secret_arns as arn:aws:secretsmanager:<region>:<account>:secret:<name> and kms_keys as arn:aws:kms:<region>:<account>:key/<id>, no aliases; found ${join(", ", concat(try(var.debezium.secret_arns, []), try(var.debezium.kms_keys, [])))}."
  }

  validation {
    condition     = var.debezium == null || var.network.mode == "none" || length(var.network.egress) + length(var.network.security_group_ids) > 0
    error_message = "debezium: it may reach port 443 only, and no database answers there. Give the way in network.egress, e.g. egress = { shop = { port = 5432, cidr = \"10.1.2.0/24\" } }, or a group of yours in network.security_group_ids. A network made here (mode = \"create\") also needs a peering or a transit gateway of yours."
  }
}

variable "dynamodb_capture" {
  description = "Tables of DynamoDB whose changes go to a stream."
  type = map(object({
    table  = string
    stream = optional(string, "changes")
  }))
  default = {}

  validation {
    condition     = alltrue([for one in var.dynamodb_capture : contains(keys(var.streams), one.stream)])
    error_message = "dynamodb_capture: a table names a stream that is not there. Streams are ${join(", ", keys(var.streams))}."
  }
}

variable "object_capture" {
  description = "Buckets whose changes go to a stream; bucket null is the bucket of documents. A bucket of yours must tell EventBridge."
  type = map(object({
    bucket = optional(string)
    prefix = optional(string, "")
    stream = optional(string, "changes")
  }))
  default = {}

  validation {
    condition     = alltrue([for one in var.object_capture : contains(keys(var.streams), one.stream)])
    error_message = "object_capture: an entry names a stream that is not there. Streams are ${join(", ", keys(var.streams))}."
  }

  validation {
    condition     = var.documents.bucket || alltrue([for one in var.object_capture : one.bucket != null])
    error_message = "object_capture: an entry names no bucket, and there is no bucket of documents. Name one, or write documents = { bucket = true }."
  }
}

# --- Knowledge sources ---

variable "documents" {
  description = "bucket: make a bucket for documents; events: it tells EventBridge of every change; buckets: ARNs of buckets of yours to read."
  type = object({
    bucket  = optional(bool, false)
    events  = optional(bool, true)
    buckets = optional(list(string), [])
  })
  default = {}
}

variable "kendra" {
  description = "A Kendra index; null for none."
  type        = object({ edition = optional(string, "DEVELOPER_EDITION") })
  default     = null
}

# --- Profile store ---

variable "documentdb" {
  description = "A DocumentDB cluster; null for none."
  type = object({
    instance    = optional(string, "db.r6g.large")
    instances   = optional(number, 2)
    backup_days = optional(number, 7)
  })
  default = null

  validation {
    condition     = var.documentdb == null || var.network.mode != "none"
    error_message = "documentdb: the cluster lives in a network. Add network = { mode = \"create\" }, or name yours with mode = \"existing\"."
  }

  validation {
    condition     = var.documentdb == null ? true : (var.documentdb.backup_days >= 1 && var.documentdb.backup_days <= 35)
    error_message = "documentdb.backup_days: expected 1 to 35; found ${try(var.documentdb.backup_days, 0)}."
  }
}

variable "dynamodb" {
  description = "Tables of DynamoDB by name; keys are text. served: it is for served rows, which are found by global indexes find0 to find4."
  type = map(object({
    key        = optional(string, "pk")
    sort_key   = optional(string)
    expires_at = optional(string)
    served     = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for table in var.dynamodb : !table.served || (table.key == "pk" && table.sort_key == null && try(table.expires_at, null) == "expires")])
    error_message = "dynamodb: served rows have the key pk alone and expire by `expires`; look at ${join(", ", [for name, table in var.dynamodb : name if table.served])}. Write served = { served = true, expires_at = \"expires\" }."
  }
}

variable "neptune" {
  description = "A Neptune cluster, sized by itself between min and max capacity; null for none."
  type = object({
    instances    = optional(number, 1)
    min_capacity = optional(number, 1)
    max_capacity = optional(number, 8)
    backup_days  = optional(number, 7)
  })
  default = null

  validation {
    condition     = var.neptune == null || var.network.mode != "none"
    error_message = "neptune: the cluster lives in a network. Add network = { mode = \"create\" }, or name yours with mode = \"existing\"."
  }
}

# --- Vector store ---

variable "opensearch" {
  description = "OpenSearch: a domain, or serverless (a search collection). readers: ARNs of roles that may search. null for none."
  type = object({
    mode            = optional(string, "domain")
    version         = optional(string, "OpenSearch_2.19")
    instance        = optional(string, "r7g.large.search")
    instances       = optional(number, 2)
    masters         = optional(number, 0)
    master_instance = optional(string, "m7g.medium.search")
    volume_gb       = optional(number, 100)
    standby         = optional(bool, true)
    readers         = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.opensearch == null ? true : contains(["domain", "serverless"], var.opensearch.mode)
    error_message = "opensearch.mode: expected domain or serverless; found '${try(var.opensearch.mode, "")}'."
  }

  validation {
    condition     = var.opensearch == null ? true : contains([0, 3, 5], var.opensearch.masters)
    error_message = "opensearch.masters: expected 0, 3 or 5, as two cannot agree; found ${try(var.opensearch.masters, 0)}."
  }

  validation {
    condition = var.opensearch == null || var.network.mode == "none" ? true : (
      (var.network.mode == "create" ? var.network.zones : length(var.network.subnet_ids)) >= (var.opensearch.instances == 1 ? 1 : (var.opensearch.instances % 3 == 0 ? 3 : 2))
    )
    error_message = "opensearch: ${try(var.opensearch.instances, 0)} instances want subnets in three zones. Write network = { zones = 3, ... }, name a third of subnet_ids, or take 2 or 4 instances."
  }
}

variable "pgvector" {
  description = "Aurora PostgreSQL with pgvector, sized by itself between min and max capacity; null for none."
  type = object({
    version      = optional(string, "16.6")
    instances    = optional(number, 1)
    min_capacity = optional(number, 0.5)
    max_capacity = optional(number, 8)
    backup_days  = optional(number, 7)
  })
  default = null

  validation {
    condition     = var.pgvector == null || var.network.mode != "none"
    error_message = "pgvector: the cluster lives in a network. Add network = { mode = \"create\" }, or name yours with mode = \"existing\"."
  }

  validation {
    condition     = var.pgvector == null ? true : (var.pgvector.backup_days >= 1 && var.pgvector.backup_days <= 35)
    error_message = "pgvector.backup_days: expected 1 to 35; found ${try(var.pgvector.backup_days, 0)}."
  }
}

variable "ingestion" {
  description = "An OpenSearch Ingestion pipeline that brings staged embeddings from a stream into an index; null for none."
  type = object({
    stream    = optional(string, "embeddings")
    index     = string
    min_units = optional(number, 1)
    max_units = optional(number, 4)
  })
  default = null

  validation {
    condition     = var.ingestion == null || (var.opensearch != null && contains(keys(var.streams), try(var.ingestion.stream, "")))
    error_message = "ingestion: it needs opensearch to write to and its stream '${try(var.ingestion.stream, "")}' among `streams` (${join(", ", keys(var.streams))})."
  }
}

# --- Jobs ---

variable "jobs" {
  description = <<-TEXT
    Every job; the key is its name everywhere. kind: stream (runs on and on) or schedule (runs at `when`).
    workers: the most there are; with auto_scaling fewer while there is less to do.
    when: cron(...) or rate(...); of a stream: how often it is started again should it not run. null never starts it.
    owns: folders of the lake only this job writes; reads: folders it reads besides.
    streams, writes_streams: keys of `streams`, or ARNs of streams made elsewhere; stores: opensearch, pgvector, documentdb, neptune, kendra, kafka.
    dynamodb: keys of `dynamodb` whose rows it writes, or ARNs of tables made elsewhere.
    dataset_folders: ARNs of folders outside of the lake that it writes versions of datasets to (`datasets.folder`); training may read them.
    sns_topics: where it sends alerts of measures: alarms for the topic of the alarms, $${ALARMS} in the settings, or ARNs.
    topics, writes_topics: of Kafka, patterns with *, for a job with kafka among its stores; assumes: ARNs of roles it takes on.
    documents: it reads the buckets of documents. models: Bedrock model ids or ARNs; endpoints: of SageMaker; secrets: ARNs.
    comprehend: it asks Amazon Comprehend how comments feel (`feedback.sentiment: comprehend`).
    schemas: it reads AWS Glue Schema Registry, for sources with `registry: {kind: glue}`.
    kms_keys: ARNs of keys of yours with which those secrets, buckets or streams are kept.
    watches: the group of the settings whose names are the `Source` of its metrics: sources, documents, people, feedback, datasets or none.
    Without a word there is apply_changes alone; examples/complete has the others too.
  TEXT
  type = map(object({
    kind            = string
    enabled         = optional(bool, true)
    worker_type     = optional(string, "G.1X")
    workers         = optional(number, 2)
    auto_scaling    = optional(bool, true)
    when            = optional(string)
    timezone        = optional(string, "UTC")
    timeout_minutes = optional(number, 480)
    retries         = optional(number, 1)
    arguments       = optional(map(string), {})
    spark           = optional(map(string), {})
    owns            = list(string)
    reads           = optional(list(string), [])
    streams         = optional(list(string), [])
    writes_streams  = optional(list(string), [])
    stores          = optional(list(string), [])
    dynamodb        = optional(list(string), [])
    dataset_folders = optional(list(string), [])
    sns_topics      = optional(list(string), [])
    topics          = optional(list(string), ["*"])
    writes_topics   = optional(list(string), [])
    assumes         = optional(list(string), [])
    documents       = optional(bool, false)
    models          = optional(list(string), [])
    endpoints       = optional(list(string), [])
    comprehend      = optional(bool, false)
    secrets         = optional(list(string), [])
    schemas         = optional(bool, false)
    kms_keys        = optional(list(string), [])
    watches         = optional(string, "none")
  }))

  default = {
    apply_changes = {
      kind    = "stream"
      when    = "rate(15 minutes)"
      streams = ["changes"]
      watches = "sources"
      owns = [
        "tables", "tombstones", "history", "versions", "truncates", "changed_keys", "schemas", "batches", "changes_log",
        "rejects/apply_changes", "reached", "answers",
      ]
    }
  }

  validation {
    condition     = alltrue([for job in var.jobs : contains(["stream", "schedule"], job.kind)])
    error_message = "jobs: expected kind = \"stream\" or \"schedule\"; found ${join(", ", [for name, job in var.jobs : "${name}: '${job.kind}'" if !contains(["stream", "schedule"], job.kind)])}."
  }

  validation {
    condition     = alltrue([for name in keys(var.jobs) : can(regex("^[a-z][a-z0-9_]{1,39}$", name))])
    error_message = "jobs: a job's name is that of its file in glue_jobs/, small letters, digits and underscores; found ${join(", ", [for name in keys(var.jobs) : "'${name}'" if !can(regex("^[a-z][a-z0-9_]{1,39}$", name))])}."
  }

  validation {
    condition     = alltrue([for name in keys(var.jobs) : fileexists("${coalesce(var.scripts_folder, "${path.module}/../glue_jobs")}/${name}.py")])
    error_message = "jobs: there is no glue_jobs/<job>.py for ${join(", ", [for name in keys(var.jobs) : name if !fileexists("${coalesce(var.scripts_folder, "${path.module}/../glue_jobs")}/${name}.py")])}. Add the file, or correct the job's name. A module whose source is an absolute path is copied without glue_jobs/: give scripts_folder then."
  }

  validation {
    condition = alltrue([for job in var.jobs :
      contains(concat(["G.1X", "G.2X", "G.4X", "G.8X"], job.kind == "stream" ? ["G.025X"] : []), job.worker_type)
    ])
    error_message = "jobs: expected worker_type G.1X, G.2X, G.4X or G.8X, or G.025X for a stream; found ${join(", ", [for name, job in var.jobs : "${name}: '${job.worker_type}'" if !contains(concat(["G.1X", "G.2X", "G.4X", "G.8X"], job.kind == "stream" ? ["G.025X"] : []), job.worker_type)])}."
  }

  validation {
    condition     = alltrue([for job in var.jobs : job.workers >= 2 && job.workers <= 299 && job.retries >= 0 && job.retries <= 10])
    error_message = "jobs: expected 2 to 299 workers (one is the driver) and 0 to 10 retries; look at ${join(", ", [for name, job in var.jobs : name if job.workers < 2 || job.workers > 299 || job.retries < 0 || job.retries > 10])}."
  }

  validation {
    condition = alltrue([for job in var.jobs : job.when == null ? true : anytrue([
      can(regex("^rate\\([1-9][0-9]* (minute|minutes|hour|hours|day|days)\\)$", job.when)),
      can(regex(local.cron, job.when)) && length(split("?", job.when)) == 2,
    ])])
    error_message = "jobs: `when` of ${join(", ", [for name, job in var.jobs : "${name}: '${job.when}'" if job.when != null])} is not all of EventBridge Scheduler's form: rate(15 minutes), or cron(minute hour day month weekday year) with ? for day or weekday. Every night at 02:30 is cron(30 2 * * ? *)."
  }

  validation {
    condition     = alltrue([for job in var.jobs : job.kind == "stream" || job.when != null])
    error_message = "jobs: a schedule needs `when`; ${join(", ", [for name, job in var.jobs : name if job.kind == "schedule" && job.when == null])} has none. Every night at 02:30 is when = \"cron(30 2 * * ? *)\"."
  }

  validation {
    condition     = alltrue([for job in var.jobs : job.timeout_minutes >= 1 && job.timeout_minutes < 10080])
    error_message = "jobs: expected timeout_minutes from 1 to 10079 (a week); a stream has none and needs no entry."
  }

  # "tables/", "*" and "" would pass the next check and let two jobs write one table.
  validation {
    condition = alltrue([for job in var.jobs : length(job.owns) > 0]) && alltrue(flatten([for job in var.jobs : [
      for folder in concat(job.owns, job.reads) : can(regex("^[a-z0-9_]+(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)*$", folder))
    ]]))
    error_message = "jobs: expected at least one folder of the lake in `owns`, and in `owns` and `reads` whole names such as tables or rejects/apply_changes; look at ${join(", ", [for name, job in var.jobs : "${name} (${join(", ", [for folder in concat(job.owns, job.reads) : "'${folder}'" if !can(regex("^[a-z0-9_]+(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)*$", folder))])})" if length(job.owns) == 0 || anytrue([for folder in concat(job.owns, job.reads) : !can(regex("^[a-z0-9_]+(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)*$", folder))])])}. A name holds all below it; there are no patterns."
  }

  # Each folder once, and no folder inside one of another job; but for one with a dot in its name, as no table of the
  # settings has: it may lie inside, and the outer job's role is denied it.
  validation {
    condition = length(flatten([for name, job in var.jobs : [for folder in job.owns : [for other, their in var.jobs : [
      for theirs in their.owns : theirs if name != other && startswith("${folder}/", "${theirs}/") && (folder == theirs || !strcontains(folder, "."))
    ]]]])) == 0
    error_message = "jobs: each table has one writer, or rows are lost. ${join("; ", distinct(flatten([for name, job in var.jobs : [for folder in job.owns : [for other, their in var.jobs : [
      for theirs in their.owns : "'${folder}' is owned by ${join(" and ", sort([name, other]))}" if name != other && startswith("${folder}/", "${theirs}/") && (folder == theirs || !strcontains(folder, "."))
    ]]]])))}. Leave it in `owns` of one job and put it into `reads` of the other."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for stream in concat(job.streams, job.writes_streams) : contains(keys(var.streams), stream) || can(regex("^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", stream))]]))
    error_message = "jobs: a job names a stream that is not there: ${join(", ", distinct(flatten([for name, job in var.jobs : [for stream in concat(job.streams, job.writes_streams) : "${name}: '${stream}'" if !(contains(keys(var.streams), stream) || can(regex("^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", stream)))]])))}. Streams are ${join(", ", keys(var.streams))}; one made elsewhere is named by its ARN, arn:aws:kinesis:<region>:<account>:stream/<name>."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for arn in job.kms_keys : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[A-Za-z0-9-]+$", arn))]]))
    error_message = "jobs: kms_keys takes ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>, no aliases; found ${join(", ", flatten([for job in var.jobs : [for arn in job.kms_keys : "'${arn}'" if !can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[A-Za-z0-9-]+$", arn))]]))}."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for arn in job.secrets : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))]]))
    error_message = "jobs: secrets takes ARNs, arn:aws:secretsmanager:<region>:<account>:secret:<name>; found ${join(", ", flatten([for job in var.jobs : [for arn in job.secrets : "'${arn}'" if !can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))]]))}."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for store in job.stores : contains(["opensearch", "pgvector", "documentdb", "neptune", "kendra", "kafka"], store)]]))
    error_message = "jobs: expected stores among opensearch, pgvector, documentdb, neptune, kendra, kafka; found ${join(", ", distinct(flatten([for job in var.jobs : job.stores])))}. Tables of DynamoDB are named one by one, in `dynamodb` of the job."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for table in job.dynamodb : contains(keys(var.dynamodb), table) || can(regex("^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$", table))]]))
    error_message = "jobs: a job names a table of DynamoDB that is not there: ${join(", ", distinct(flatten([for name, job in var.jobs : [for table in job.dynamodb : "${name}: '${table}'" if !(contains(keys(var.dynamodb), table) || can(regex("^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$", table)))]])))}. Make it with the variable dynamodb, such as dynamodb = { profiles = { expires_at = \"expires\" } }, or name one made elsewhere by its ARN, arn:aws:dynamodb:<region>:<account>:table/<name>."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for arn in job.dataset_folders : can(regex(local.folder_arn, arn))]]))
    error_message = "jobs: dataset_folders takes ARNs of folders, arn:aws:s3:::<bucket>/<folder>; found ${join(", ", flatten([for job in var.jobs : [for arn in job.dataset_folders : "'${arn}'" if !can(regex(local.folder_arn, arn))]]))}. There are no patterns, no / at the end, and not a whole bucket."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for topic in job.sns_topics : topic == "alarms" || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\\.fifo)?$", topic))]]))
    error_message = "jobs: sns_topics takes alarms, the topic that alarms go to, or ARNs, arn:aws:sns:<region>:<account>:<name>; found ${join(", ", flatten([for job in var.jobs : [for topic in job.sns_topics : "'${topic}'"]]))}."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for store in job.stores : lookup(local.stores_made, store, true)]]))
    error_message = "jobs: a job names a store that is not made: ${join(", ", flatten([for name, job in var.jobs : [for store in job.stores : "${name}: ${store}" if !lookup(local.stores_made, store, true)]]))}. Switch it on with a variable of that name, such as opensearch = {}, or take it out of `stores`."
  }

  validation {
    condition     = alltrue([for job in var.jobs : length(job.writes_topics) == 0 || contains(job.stores, "kafka")])
    error_message = "jobs: writes_topics needs kafka among the stores; look at ${join(", ", [for name, job in var.jobs : name if length(job.writes_topics) > 0 && !contains(job.stores, "kafka")])}."
  }

  validation {
    condition     = alltrue(flatten([for job in var.jobs : [for arn in job.assumes : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*]+$", arn))]]))
    error_message = "jobs: assumes takes ARNs of roles, each whole; found ${join(", ", flatten([for job in var.jobs : [for arn in job.assumes : "'${arn}'" if !can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*]+$", arn))]]))}."
  }

  validation {
    condition     = alltrue([for job in var.jobs : contains(["sources", "documents", "people", "feedback", "datasets", "none"], job.watches)])
    error_message = "jobs: expected watches = \"sources\", \"documents\", \"people\", \"feedback\", \"datasets\" or \"none\"."
  }
}

variable "maintenance_window" {
  description = "Weekday and hour (UTC) of the weekly restart of streams; null lets Glue choose."
  type        = string
  default     = "Sun:3"

  validation {
    condition     = var.maintenance_window == null || can(regex("^(Sun|Mon|Tue|Wed|Thu|Fri|Sat):([0-9]|1[0-9]|2[0-3])$", var.maintenance_window))
    error_message = "maintenance_window: expected weekday and hour such as Sun:3; found '${coalesce(var.maintenance_window, "null")}'."
  }
}

# --- Training ---

variable "training" {
  description = "A role for SageMaker training jobs that reads the datasets of the lake."
  type        = bool
  default     = false
}

variable "mlflow" {
  description = "An MLflow tracking server of SageMaker; null for none."
  type        = object({ size = optional(string, "Small") })
  default     = null

  validation {
    condition     = var.mlflow == null ? true : contains(["Small", "Medium", "Large"], var.mlflow.size)
    error_message = "mlflow.size: expected Small, Medium or Large; found '${try(var.mlflow.size, "")}'."
  }

  validation {
    condition     = var.mlflow == null || var.training
    error_message = "mlflow: it is used by training. Add training = true."
  }
}

# --- Observability ---

variable "alarms" {
  description = "Who is told, and from when on."
  type = object({
    emails               = optional(list(string), [])
    dashboard            = optional(bool, true)
    lag_seconds          = optional(number, 300)
    freshness_seconds    = optional(number, 3600)
    rejected_rows        = optional(number, 0)
    heartbeat_minutes    = optional(number, 10)
    iterator_age_seconds = optional(number, 600)
    dms_latency_seconds  = optional(number, 300)
    opensearch_free_gb   = optional(number, 20)
    cpu_percent          = optional(number, 85)
  })
  default = {}

  validation {
    condition     = var.alarms.heartbeat_minutes >= 3 && var.alarms.heartbeat_minutes <= 60
    error_message = "alarms.heartbeat_minutes: expected 3 to 60; found ${var.alarms.heartbeat_minutes}."
  }

  validation {
    condition     = alltrue([for address in var.alarms.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))])
    error_message = "alarms.emails: expected addresses such as on-call@example.com; found ${join(", ", [for address in var.alarms.emails : "'${address}'" if !can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))])}."
  }

  validation {
    condition = var.alarms.rejected_rows >= 0 && var.alarms.cpu_percent > 0 && var.alarms.cpu_percent <= 100 && alltrue([
      for limit in [var.alarms.lag_seconds, var.alarms.freshness_seconds, var.alarms.iterator_age_seconds, var.alarms.dms_latency_seconds, var.alarms.opensearch_free_gb] : limit > 0
    ])
    error_message = "alarms: expected limits above 0 (rejected_rows may be 0) and cpu_percent up to 100; found ${join(", ", [for name, limit in var.alarms : "${name} = ${limit}" if !contains(["emails", "dashboard", "heartbeat_minutes"], name)])}."
  }
}
