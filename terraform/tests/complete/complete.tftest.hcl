# The example `complete`, all of it, with nothing switched off. Run with its own variables:
#   terraform test -test-directory=tests/complete -var-file=examples/complete/headrace.tfvars

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  scripts_folder = "tests/fixtures/jobs"
  package = {
    wheel  = "tests/fixtures/headrace-0.0.0-py3-none-any.whl"
    bundle = "tests/fixtures/requirements.gluewheels.zip"
  }
}

run "everything" {
  assert {
    condition     = length(distinct(output.alarms.names)) == length(output.alarms.names)
    error_message = "Two alarms have one name."
  }

  assert {
    condition     = alltrue([for address in values(output.endpoints) : address != ""])
    error_message = "Every store has an address."
  }

  assert {
    condition     = startswith(output.alarms.names[0], "travel-")
    error_message = "Alarms begin with the deployment's name."
  }
}
