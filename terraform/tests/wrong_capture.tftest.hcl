# Wrong ways in from databases, wrong keys, wrong addresses.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl" }
  config_file    = "tests/fixtures/headrace.yaml"
  scripts_folder = "tests/fixtures/jobs"
  network        = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], egress = { shop = { port = 5432, cidr = "10.1.0.0/16" } } }
  kafka          = {}
}

run "a_password_of_debezium" {
  command = plan
  variables {
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip"
      connectors        = { crm = { class = "io.debezium.connector.postgresql.PostgresConnector", settings = { "database.password" = "hunter2" } } }
    }
  }
  expect_failures = [var.debezium]
}

run "a_password_inside_a_setting" {
  command = plan
  variables {
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip"
      connectors        = { crm = { class = "io.debezium.connector.postgresql.PostgresConnector", settings = { "database.url" = "postgresql://crm:hunter2@db/crm" } } }
    }
  }
  expect_failures = [var.debezium]
}

run "a_password_inside_a_login" {
  command = plan
  variables {
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip"
      connectors        = { crm = { class = "io.debezium.connector.postgresql.PostgresConnector", settings = { "schema.history.internal.producer.sasl.jaas.config" = "x required username=a password=\"hunter2\";" } } }
    }
  }
  expect_failures = [var.debezium]
}

run "a_secret_that_may_not_be_read" {
  command = plan
  variables {
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip"
      connectors        = { crm = { class = "io.debezium.connector.postgresql.PostgresConnector", settings = { "database.password" = "$${secretsmanager:crm-db:password}" } } }
    }
  }
  expect_failures = [var.debezium]
}

run "a_secret_of_debezium_by_its_name" {
  command = plan
  variables {
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip", secret_arns = ["crm-db"]
      connectors        = { crm = { class = "io.debezium.connector.postgresql.PostgresConnector", settings = { "database.dbname" = "crm" } } }
    }
  }
  expect_failures = [var.debezium]
}

run "a_source_of_dms_with_an_underscore" {
  command = plan
  variables {
    dms = { sources = { shop_db = { engine = "postgres", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", tables = ["public.%"] } } }
  }
  expect_failures = [var.dms]
}

run "a_secret_of_dms_by_its_name" {
  command = plan
  variables {
    dms = { sources = { shop = { engine = "postgres", secret_arn = "shop-db", tables = ["public.%"] } } }
  }
  expect_failures = [var.dms]
}

run "a_key_of_dms_by_its_alias" {
  command = plan
  variables {
    dms = { kms_keys = ["alias/mine"], sources = { shop = { engine = "postgres", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", tables = ["public.%"] } } }
  }
  expect_failures = [var.dms]
}

run "an_alias_of_the_key" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}

run "a_prefix_with_capitals" {
  command = plan
  variables {
    bucket_prefix = "Shop_"
  }
  expect_failures = [var.bucket_prefix]
}

run "an_address_that_is_none" {
  command = plan
  variables {
    alarms = { emails = ["on-call"] }
  }
  expect_failures = [var.alarms]
}

run "a_limit_of_nothing" {
  command = plan
  variables {
    alarms = { lag_seconds = 0 }
  }
  expect_failures = [var.alarms]
}

run "a_password_from_secrets_manager" {
  command = plan

  module {
    source = "./modules/capture"
  }

  variables {
    context            = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
    streams            = {}
    kms_key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    log_retention_days = 30
    dms                = null
    dynamodb           = {}
    objects            = {}
    kafka              = { arn = "arn:aws:kafka:eu-west-1:111122223333:cluster/shop/0a0a", servers = "b-1:9098" }
    debezium = {
      plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip", connect_version = "3.7.x"
      secret_arns       = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:crm-db-AbCdEf"]
      kms_keys          = ["arn:aws:kms:eu-west-1:111122223333:key/0c0c0c0c-0000-4000-8000-000000000000"]
      connectors = {
        crm = { class = "io.debezium.connector.postgresql.PostgresConnector", units = 1, settings = { "database.password" = "$${secretsmanager:crm-db:password}" } }
      }
    }
  }

  assert {
    condition     = strcontains(aws_mskconnect_worker_configuration.debezium[0].properties_file_content, "config.providers=secretsmanager\n") && length(aws_mskconnect_connector.debezium["crm"].worker_configuration) == 1
    error_message = "The worker reads the password itself."
  }

  assert {
    condition = { for key, value in aws_mskconnect_connector.debezium["crm"].connector_configuration : key => value if startswith(key, "topic.creation.") } == {
      "topic.creation.default.replication.factor" = "-1", "topic.creation.default.partitions" = "1"
    }
    error_message = "The cluster makes no topics by itself, so the connector does."
  }

  assert {
    condition = { for one in jsondecode(aws_iam_role_policy.debezium[0].policy).Statement : one.Sid => one.Resource if contains(["ReadSecrets", "Decrypt"], one.Sid) } == {
      ReadSecrets = [for arn in var.debezium.secret_arns : arn], Decrypt = [for arn in var.debezium.kms_keys : arn]
    }
    error_message = "Its role may read the secrets that are named, with their keys."
  }
}
