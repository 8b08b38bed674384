# Settings that do not fit what Terraform makes.

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

run "an_address_of_what_is_not_made_has_its_default" {
  command = plan
  variables { config_file = "tests/fixtures/knowledge.yaml" }

  assert {
    condition     = yamldecode(local.config).knowledge.indexes.search.hosts == ["https://search.example"]
    error_message = "Without OpenSearch its name stands for the default the settings give."
  }
}

run "a_lake_that_is_not_on_s3" {
  command = plan
  variables {
    config_file = "tests/fixtures/lake_on_databricks.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "no_tables" {
  command = plan
  variables {
    config_file = "tests/fixtures/no_tables.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "a_table_without_a_source" {
  command = plan
  variables {
    config_file = "tests/fixtures/table_without_source.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "a_password_in_the_settings" {
  command = plan
  variables {
    config_file = "tests/fixtures/password.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "a_password_in_an_address" {
  command = plan
  variables {
    config_file = "tests/fixtures/password_in_url.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "an_address_of_what_is_not_made" {
  command = plan
  variables {
    config_file = "tests/fixtures/store_not_made.yaml"
  }
  expect_failures = [terraform_data.settings_fit]
}

run "documents_without_knowledge" {
  command = plan
  variables {
    jobs = { index_knowledge = { kind = "stream", watches = "documents", owns = ["passages"] } }
  }
  expect_failures = [terraform_data.settings_fit]
}
