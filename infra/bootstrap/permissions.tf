# What each layer's deploy role is granted, by service. Most services have no resource to name before it is made, so
# that the boundary and the conditions say where it ends.

locals {
  actions = jsondecode(file("${path.module}/actions.json"))

  granted = { for layer in local.layers : layer => { for group, services in local.actions[layer] : "${layer}-${group}" => [
    for service, names in services : {
      Sid      = replace(title(replace(service, "-", " ")), " ", "")
      Effect   = "Allow"
      Action   = [for name in names : "${service}:${name}"]
      Resource = "*"
    }
  ] } }

  state_statements = { for layer in local.layers : "${layer}-state" => [
    {
      Sid      = "FindState"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
      Resource = [for use, arn in local.bucket_arns : arn if use == "pulumi" || layer == "foundation"]
    },
    {
      Sid      = "KeepState"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for use, arn in local.bucket_arns : "${arn}/*" if use == "pulumi" || layer == "foundation"]
    },
    {
      Sid       = "KeepStateEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
      Condition = merge(local.through_s3, { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-secrets" } })
    },
    {
      Sid      = "KeepSecrets"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:Encrypt"]
      Resource = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
      Condition = {
        StringEquals               = { "kms:EncryptionContext:layer" = layer }
        "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-secrets" }
      }
    },
  ] if var.holds_state }

  keeping_roles = [for name in local.actions.roles : "iam:${name}"]

  # Roles that the platform makes carry the boundary; those that duties have are the foundation's.
  role_statements = {
    platform-roles = [
      {
        Sid      = "MakeBoundedRoles"
        Effect   = "Allow"
        Action   = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"]
        Resource = "${local.iam}:role/*"
        Condition = {
          ArnLike = { "iam:PermissionsBoundary" = local.workload_boundary_arns }
        }
      },
      {
        Sid      = "KeepRoles"
        Effect   = "Allow"
        Action   = local.keeping_roles
        Resource = "${local.iam}:role/*"
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = "${local.iam}:role/*"
        Condition = { StringEquals = { "iam:PassedToService" = local.passed_to } }
      },
      {
        Sid       = "LetServicesHaveTheirRoles"
        Effect    = "Allow"
        Action    = ["iam:CreateServiceLinkedRole"]
        Resource  = "${local.iam}:role/aws-service-role/*"
        Condition = { StringLike = { "iam:AWSServiceName" = local.linked_services } }
      },
    ]
    foundation-roles = [
      {
        Sid      = "KeepDuties"
        Effect   = "Allow"
        Action   = concat(["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"], local.keeping_roles)
        Resource = ["${local.iam}:role/interlock/duties/*", "${local.iam}:role/interlock/services/*", "${local.iam}:role/vault-*"]
      },
      {
        Sid      = "KeepBoundaries"
        Effect   = "Allow"
        Action   = [for name in local.actions.policies : "iam:${name}"]
        Resource = ["${local.iam}:policy/interlock/boundaries/*", "${local.iam}:policy/interlock/duties/*"]
      },
      {
        Sid       = "PassReplicationRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = ["${local.iam}:role/interlock/services/*", "${local.iam}:role/vault-*"]
        Condition = { StringEquals = { "iam:PassedToService" = "s3.amazonaws.com" } }
      },
    ]
  }

  passed_to = [
    "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "monitoring.rds.amazonaws.com", "sagemaker.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
  ]
  linked_services = [
    "ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com",
    "sagemaker.application-autoscaling.amazonaws.com", "ecs.application-autoscaling.amazonaws.com",
  ]

  permissions = merge(local.granted.foundation, local.granted.platform, local.state_statements, local.role_statements)
}
