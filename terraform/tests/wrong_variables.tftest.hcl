# Wrong variables: each fails at plan, at the variable that is wrong. tests/terraform reads the sentences.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl" }
  config_file    = "tests/fixtures/headrace.yaml"
  scripts_folder = "tests/fixtures/jobs"
}

run "name_too_long" {
  command = plan
  variables { name = "a-name-that-is-far-too-long" }
  expect_failures = [var.name]
}

run "wheel_not_built" {
  command = plan
  variables { package = { wheel = "../dist/absent.whl" } }
  expect_failures = [var.package]
}

run "bundle_of_another_kind" {
  command = plan
  variables {
    package = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", bundle = "tests/fixtures/headrace.yaml" }
  }
  expect_failures = [var.package]
}

run "no_bundle_where_there_is_no_internet" {
  command = plan
  variables {
    network = { mode = "create" }
  }
  expect_failures = [var.package]
}

run "settings_not_there" {
  command = plan
  variables { config_file = "absent.yaml" }
  expect_failures = [var.config_file]
}

run "settings_are_no_yaml" {
  command = plan
  variables { config_file = "tests/fixtures/broken.yaml" }
  expect_failures = [var.config_file]
}

run "settings_name_what_nobody_knows" {
  command = plan
  variables { config_file = "tests/fixtures/unknown_name.yaml" }
  expect_failures = [terraform_data.settings_fit]
}

run "retention_out_of_range" {
  command = plan
  variables { streams = { changes = { retention_hours = 12 } } }
  expect_failures = [var.streams]
}

run "log_retention_cloudwatch_does_not_know" {
  command = plan
  variables { log_retention_days = 31 }
  expect_failures = [var.log_retention_days]
}

run "kind_of_a_job" {
  command = plan
  variables { jobs = { apply_changes = { kind = "daily", owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "cron_of_five_fields" {
  command = plan
  variables { jobs = { curate_dataset = { kind = "schedule", when = "cron(30 2 * * *)", owns = ["datasets"] } } }
  expect_failures = [var.jobs]
}

run "cron_of_minute_75" {
  command = plan
  variables { jobs = { curate_dataset = { kind = "schedule", when = "cron(75 2 * * ? *)", owns = ["datasets"] } } }
  expect_failures = [var.jobs]
}

run "schedule_without_a_time" {
  command = plan
  variables { jobs = { curate_dataset = { kind = "schedule", owns = ["datasets"] } } }
  expect_failures = [var.jobs]
}

run "unknown_worker_type" {
  command = plan
  variables { jobs = { apply_changes = { kind = "stream", worker_type = "G.3X", owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "quarter_worker_for_a_schedule" {
  command = plan
  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "rate(1 day)", worker_type = "G.025X", owns = ["datasets"] } }
  }
  expect_failures = [var.jobs]
}

run "one_worker" {
  command = plan
  variables { jobs = { apply_changes = { kind = "stream", workers = 1, owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "two_owners_of_a_table" {
  command = plan
  variables {
    jobs = {
      apply_changes   = { kind = "stream", owns = ["tables", "changed_keys"] }
      index_knowledge = { kind = "stream", owns = ["passages", "changed_keys"] }
    }
  }
  expect_failures = [var.jobs]
}

run "a_table_inside_anothers_folder" {
  command = plan
  variables {
    jobs = {
      apply_changes   = { kind = "stream", owns = ["tables"] }
      index_knowledge = { kind = "stream", owns = ["tables/hotels"] }
    }
  }
  expect_failures = [var.jobs]
}

run "a_job_without_a_script" {
  command = plan
  variables { jobs = { no_such_job = { kind = "stream", owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "a_stream_that_is_not_there" {
  command = plan
  variables { jobs = { apply_changes = { kind = "stream", streams = ["orders"], owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "a_store_nobody_knows" {
  command = plan
  variables { jobs = { apply_changes = { kind = "stream", stores = ["mongo"], owns = ["tables"] } } }
  expect_failures = [var.jobs]
}

run "maintenance_on_funday" {
  command = plan
  variables { maintenance_window = "Funday:3" }
  expect_failures = [var.maintenance_window]
}

run "documentdb_without_a_network" {
  command = plan
  variables { documentdb = {} }
  expect_failures = [var.documentdb]
}

run "existing_network_without_subnets" {
  command = plan
  variables { network = { mode = "existing", vpc_id = "vpc-1" } }
  expect_failures = [var.network]
}

run "debezium_without_kafka" {
  command = plan
  variables {
    network  = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], egress = { shop = { port = 5432, cidr = "10.1.0.0/16" } } }
    debezium = { plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip", connectors = {} }
  }
  expect_failures = [var.debezium]
}

run "dms_into_a_stream_that_is_not_there" {
  command = plan
  variables {
    network = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], egress = { shop = { port = 5432, cidr = "10.1.0.0/16" } } }
    dms = { sources = { shop = {
      engine = "postgres", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", stream = "orders", tables = ["public.%"]
    } } }
  }
  expect_failures = [var.dms]
}

run "dms_table_without_a_schema" {
  command = plan
  variables {
    network = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], egress = { shop = { port = 5432, cidr = "10.1.0.0/16" } } }
    dms = { sources = { shop = {
      engine = "postgres", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", tables = ["bookings"]
    } } }
  }
  expect_failures = [var.dms]
}

run "ingestion_without_opensearch" {
  command = plan
  variables { ingestion = { stream = "changes", index = "passages" } }
  expect_failures = [var.ingestion]
}

run "two_masters" {
  command = plan
  variables { opensearch = { masters = 2 } }
  expect_failures = [var.opensearch]
}

run "three_instances_in_two_zones" {
  command = plan
  variables {
    network    = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    opensearch = { instances = 3 }
  }
  expect_failures = [var.opensearch]
}

run "a_key_that_is_none" {
  command = plan
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}

run "object_events_without_a_bucket" {
  command = plan
  variables { object_capture = { documents = {} } }
  expect_failures = [var.object_capture]
}

run "mlflow_without_training" {
  command = plan
  variables { mlflow = {} }
  expect_failures = [var.mlflow]
}

run "a_jar_that_is_not_there" {
  command = plan
  variables {
    package = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", jars = ["tests/fixtures/absent.jar"] }
  }
  expect_failures = [var.package]
}

run "topics_to_write_without_kafka" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], writes_topics = ["passages"] } }
  }
  expect_failures = [var.jobs]
}

run "any_role_to_take_on" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], assumes = ["arn:aws:iam::111122223333:role/*"] } }
  }
  expect_failures = [var.jobs]
}

run "dms_without_a_way_to_its_database" {
  command = plan
  variables {
    network = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    dms     = { sources = {} }
  }
  expect_failures = [var.dms]
}

run "debezium_without_a_way_to_its_database" {
  command = plan
  variables {
    network  = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    kafka    = {}
    debezium = { plugin_bucket_arn = "arn:aws:s3:::plugins", plugin_key = "debezium.zip", connectors = {} }
  }
  expect_failures = [var.debezium]
}

run "egress_to_nowhere" {
  command = plan
  variables {
    network = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], egress = { shop = { port = 5432 } } }
  }
  expect_failures = [var.network]
}

run "egress_without_a_network" {
  command = plan
  variables { network = { egress = { shop = { port = 5432, cidr = "10.1.0.0/16" } } } }
  expect_failures = [var.network]
}

run "a_subnet_without_a_name" {
  command = plan
  variables { network = { mode = "existing", vpc_id = "vpc-1", subnet_ids = ["subnet-1", ""] } }
  expect_failures = [var.network]
}
