terraform {
  # 1.10 is the first that locks a state with a file beside it in S3.
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}
