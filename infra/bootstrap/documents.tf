# The documents of the deploy roles, filled in for one stack. The files in documents/ are written by the generator that
# the proof of duties reads too: `python -m interlock.duties.deploying infra/bootstrap/documents`.

locals {
  values = {
    "{stack}"          = local.stack
    "{platform_stack}" = local.platform_stack
    "{workload}"       = local.workload_id
    "{evidence}"       = local.evidence_id
  }
  each = {
    "{region}"  = coalesce(var.regions, [local.region])
    "{vault}"   = coalesce(var.vault_bucket_names, ["${local.stack_name}-vault-*"])
    "{staging}" = coalesce(var.staging_bucket_names, ["${local.stack_name}-staging-*"])
  }

  templates = { for file in fileset("${path.module}/documents", "*.json") : trimsuffix(file, ".json") => jsondecode(
    replace(replace(replace(replace(replace(file("${path.module}/documents/${file}"),
      "{stack}", local.values["{stack}"]), "{platform_stack}", local.values["{platform_stack}"]),
    "{workload}", local.values["{workload}"]), "{evidence}", local.values["{evidence}"]), "arn:aws:", "arn:${local.partition}:")
  ) if contains(local.layers, split("-", file)[0]) }

  # A resource that names a region or a bucket stands for one of each.
  documents = { for name, template in local.templates : name => {
    Version = template.Version
    Statement = [for statement in template.Statement : merge(statement, {
      for key in ["NotResource", "Resource"] : key => sort(distinct(flatten([
        for resource in flatten([statement[key]]) : [
          for region in strcontains(resource, "{region}") ? local.each["{region}"] : ["-"] : [
            for vault in strcontains(resource, "{vault}") ? local.each["{vault}"] : ["-"] : [
              for staging in strcontains(resource, "{staging}") ? local.each["{staging}"] : ["-"] :
              replace(replace(replace(resource, "{region}", region), "{vault}", vault), "{staging}", staging)
            ]
          ]
        ]
      ]))) if contains(keys(statement), key)
    })]
  } }
  texts = { for name, document in local.documents : name => jsonencode(document) }
}
