locals {
  database = replace("headrace_${var.context.name}", "-", "_")
}

# --- Database ---

resource "aws_glue_catalog_database" "this" {
  name         = local.database
  description  = "Tables of the Headrace lake ${var.context.name}"
  location_uri = "${var.lake_url}/"
  tags         = var.context.tags
}

# --- Delta tables ---

resource "aws_glue_catalog_table" "delta" {
  for_each = var.tables

  name          = replace(each.key, "/", "_")
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    EXTERNAL                      = "TRUE"
    table_type                    = "DELTA"
    "spark.sql.sources.provider"  = "delta"
    "spark.sql.partitionProvider" = "catalog"
  }

  storage_descriptor {
    location      = "${var.lake_url}/${each.key}/"
    input_format  = "org.apache.hadoop.mapred.SequenceFileInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      parameters = {
        path                   = "${var.lake_url}/${each.key}/"
        "serialization.format" = "1"
      }
    }

    # Readers of Delta take the columns from the table's own log; the catalog's copy is for people.
    dynamic "columns" {
      for_each = each.value.columns
      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }

  lifecycle {
    ignore_changes = [storage_descriptor[0].columns] # engines write the columns they have seen
  }
}

# --- Athena ---

resource "aws_athena_workgroup" "this" {
  count = var.athena ? 1 : 0

  name          = "headrace-${var.context.name}"
  force_destroy = true
  tags          = var.context.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.athena_max_gb * 1024 * 1024 * 1024

    result_configuration {
      output_location = "s3://${var.lake_bucket}/athena/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}
