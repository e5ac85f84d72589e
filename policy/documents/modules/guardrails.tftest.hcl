mock_provider "aws" {
  source = "./scanned"
}

variables {
  environment         = "prod"
  target_ids          = ["ou-0123-01234567"]
  regions             = ["eu-west-1", "eu-central-1"]
  github_organization = "example"
}

run "an_organization" {
  command = plan
}
