# --- The bucket ---

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_144: the lake is rebuilt from its sources; a second region is a decision of the deployment
  # checkov:skip=CKV2_AWS_62: who wants events asks for them in knowledge_sources; the lake's own would feed nobody
  # checkov:skip=CKV_AWS_145: a bucket that takes access logs must use S3's own key; every other one gets the KMS key
  # checkov:skip=CKV_AWS_18: the bucket of access logs cannot log into itself; every other one logs there
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.context.tags
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# --- Who may ---

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

locals {
  tls_only = {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:*" # why: a denial of everything that comes without TLS
    Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
  takes_logs = {
    Sid       = "AccessLogs"
    Effect    = "Allow"
    Principal = { Service = "logging.s3.amazonaws.com" }
    Action    = "s3:PutObject"
    Resource  = "${aws_s3_bucket.this.arn}/*"
    Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
  }
  statements = concat(var.enforce_tls ? [local.tls_only] : [], var.takes_access_logs ? [local.takes_logs] : [])
}

resource "aws_s3_bucket_policy" "this" {
  count = var.enforce_tls || var.takes_access_logs ? 1 : 0

  bucket     = aws_s3_bucket.this.id
  policy     = jsonencode({ Version = "2012-10-17", Statement = local.statements })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# --- Encryption and logs ---

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = !var.takes_access_logs

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.takes_access_logs ? "AES256" : "aws:kms"
      kms_master_key_id = var.takes_access_logs ? null : var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  count = var.log_to ? 1 : 0

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log_bucket
  target_prefix = "${var.name}/"
}

# --- Lifecycle ---

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket     = aws_s3_bucket.this.id
  depends_on = [aws_s3_bucket_versioning.this]

  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = var.keep_old_versions_days
    }
  }

  dynamic "rule" {
    for_each = var.expire_days
    content {
      id     = "expire-${trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }
}
