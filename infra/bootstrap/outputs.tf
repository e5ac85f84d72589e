output "settings" {
  description = "By layer: what the settings of its Pulumi stack take from here. `interlock settings import` reads it."
  value = { for layer in local.layers : layer => {
    account_id = local.account_id
    region     = local.region
    role_arn   = aws_iam_role.deploy[layer].arn
    backend_url = try(
      "s3://${aws_s3_bucket.state["pulumi"].id}?region=${local.region}", null
    )
    secrets_provider = try(
      "awskms:///${aws_kms_key.secrets[0].arn}?region=${local.region}&context_layer=${layer}", null
    )
  } }
}

output "deploy_role_arns" {
  description = "The deploy role of each layer."
  value       = { for layer, role in aws_iam_role.deploy : layer => role.arn }
}

output "boundary_arns" {
  description = "The permission boundary of each layer's deploy role."
  value       = { for layer, policy in aws_iam_policy.boundary : layer => policy.arn }
}

output "terraform_backend" {
  description = "What `terraform init -backend-config=` takes for a state in the bucket made here, without the key."
  value = var.holds_state ? {
    bucket       = aws_s3_bucket.state["terraform"].id
    region       = local.region
    encrypt      = true
    kms_key_id   = aws_kms_key.secrets[0].arn
    use_lockfile = true
  } : null
}

output "github_provider_arn" {
  description = "The OIDC provider of GitHub Actions, for other modules of this account. Null without `github`."
  value       = try(aws_iam_openid_connect_provider.github[0].arn, local.github_provider_arn)
}

output "secrets_key_arn" {
  description = "The key that encrypts both states. Null where another account holds them."
  value       = try(aws_kms_key.secrets[0].arn, null)
}
