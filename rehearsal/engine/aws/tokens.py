"""Which Terraform type stands behind a Pulumi token."""

from __future__ import annotations

from collections.abc import Iterator, Set

from rehearsal.engine.aws.names import snake

# How Terraform begins the types of a module, where it does not by the module's own name.
_PREFIXES: dict[str, tuple[str, ...]] = {
    "alb": ("lb", "alb"),
    "amp": ("prometheus",),
    "apigateway": ("api_gateway",),
    "bcmdata": ("bcmdataexports",),
    "bedrockmodel": ("bedrock_model",),
    "cfg": ("config", "config_configuration", "config_config"),
    "chime": ("chime", "chimesdkvoice", "chimesdkmediapipelines"),
    "cloudcontrol": ("cloudcontrolapi",),
    "cloudhsmv2": ("cloudhsm_v2",),
    "costexplorer": ("ce",),
    "directconnect": ("dx",),
    "directoryservice": ("directory_service",),
    "ec2clientvpn": ("ec2_client_vpn",),
    "ec2transitgateway": ("ec2_transit_gateway", "ec2"),
    "elasticbeanstalk": ("elastic_beanstalk",),
    "elb": ("elb", "lb", "load_balancer"),
    "fsx": ("fsx",),
    "lb": ("lb",),
    "macie": ("macie", "macie2"),
    "mediaconvert": ("media_convert",),
    "mediapackage": ("media_package",),
    "mediapackagev2": ("media_packagev2",),
    "mediastore": ("media_store",),
    "opensearchingest": ("osis",),
    "pinpoint": ("pinpoint", "pinpointsmsvoicev2"),
    "rds": ("rds", "db"),
    "resourceexplorer": ("resourceexplorer2",),
    "route53recoverycontrol": ("route53recoverycontrolconfig",),
    "servicediscovery": ("service_discovery",),
    "serverlessrepository": ("serverlessapplicationrepository",),
    "ssm": ("ssm", "ssmcontacts", "ssmquicksetup"),
}

# Words that pulumi-aws writes together with the module's name or apart from it.
_SPLITS = (
    ("bedrock_agent_", "bedrockagent_"),
    ("bedrock_agentcore_", "bedrockagentcore_"),
    ("chime_sdkvoice_", "chimesdkvoice_"),
    ("cloudfront_keyvaluestore_", "cloudfrontkeyvaluestore_"),
    ("docdb_elastic_", "docdbelastic_"),
    ("fsx_open_zfs_", "fsx_openzfs_"),
    ("lex_v2models_", "lexv2models_"),
    ("notifications_contacts_", "notificationscontacts_"),
    ("opensearch_serverless_", "opensearchserverless_"),
    ("pinpoint_smsvoicev2_", "pinpointsmsvoicev2_"),
    ("route53_profiles_", "route53profiles_"),
    ("servicecatalog_appregistry_", "servicecatalogappregistry_"),
    ("ssm_contacts_", "ssmcontacts_"),
    ("ssm_quicksetup_", "ssmquicksetup_"),
)

# Tokens that were given by hand. Source: the resource overrides of pulumi-aws 7.
_RESOURCES = {
    "aws:account/alternativeContact:AlternativeContact": "aws_account_alternate_contact",
    "aws:apigateway/response:Response": "aws_api_gateway_gateway_response",
    "aws:appconfig/eventIntegration:EventIntegration": "aws_appintegrations_event_integration",
    "aws:appsync/graphQLApi:GraphQLApi": "aws_appsync_graphql_api",
    "aws:autoscaling/tag:Tag": "aws_autoscaling_group_tag",
    "aws:cloudformation/cloudFormationType:CloudFormationType": "aws_cloudformation_type",
    "aws:cloudtrail/trail:Trail": "aws_cloudtrail",
    "aws:cloudwatch/internetMonitor:InternetMonitor": "aws_internetmonitor_monitor",
    "aws:codeartifact/domainPermissions:DomainPermissions": "aws_codeartifact_domain_permissions_policy",
    "aws:codedeploy/application:Application": "aws_codedeploy_app",
    "aws:codepipeline/pipeline:Pipeline": "aws_codepipeline",
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": "aws_cognito_identity_pool_roles_attachment",
    "aws:controltower/controlTowerControl:ControlTowerControl": "aws_controltower_control",
    "aws:datasync/efsLocation:EfsLocation": "aws_datasync_location_efs",
    "aws:datasync/fsxOpenZfsFileSystem:FsxOpenZfsFileSystem": "aws_datasync_location_fsx_openzfs_file_system",
    "aws:datasync/locationFsxLustre:LocationFsxLustre": "aws_datasync_location_fsx_lustre_file_system",
    "aws:datasync/locationFsxWindows:LocationFsxWindows": "aws_datasync_location_fsx_windows_file_system",
    "aws:datasync/nfsLocation:NfsLocation": "aws_datasync_location_nfs",
    "aws:datasync/s3Location:S3Location": "aws_datasync_location_s3",
    "aws:directconnect/hostedTransitVirtualInterfaceAcceptor:HostedTransitVirtualInterfaceAcceptor": (
        "aws_dx_hosted_transit_virtual_interface_accepter"
    ),
    "aws:directconnect/linkAggregationGroup:LinkAggregationGroup": "aws_dx_lag",
    "aws:directoryservice/serviceRegion:ServiceRegion": "aws_directory_service_region",
    "aws:ec2/dedicatedHost:DedicatedHost": "aws_ec2_host",
    "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment": (
        "aws_network_interface_sg_attachment"
    ),
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": "aws_vpc_peering_connection_options",
    "aws:ec2/securityGroupAssociation:SecurityGroupAssociation": "aws_vpc_endpoint_security_group_association",
    "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple": (
        "aws_vpc_endpoint_service_allowed_principal"
    ),
    "aws:elb/loadBalancer:LoadBalancer": "aws_elb",
    "aws:elb/loadBalancerCookieStickinessPolicy:LoadBalancerCookieStickinessPolicy": "aws_lb_cookie_stickiness_policy",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "aws_iam_openid_connect_provider",
    "aws:iam/sshKey:SshKey": "aws_iam_user_ssh_key",
    "aws:alb/loadBalancer:LoadBalancer": "aws_alb",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:licensemanager/licenseGrant:LicenseGrant": "aws_licensemanager_grant",
    "aws:licensemanager/licenseGrantAccepter:LicenseGrantAccepter": "aws_licensemanager_grant_accepter",
    "aws:location/routeCalculation:RouteCalculation": "aws_location_route_calculator",
    "aws:rds/instanceDesiredState:InstanceDesiredState": "aws_rds_instance_state",
    "aws:rds/roleAssociation:RoleAssociation": "aws_db_instance_role_association",
    "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec": "aws_route53_hosted_zone_dnssec",
    "aws:route53/resolverDnsSecConfig:ResolverDnsSecConfig": "aws_route53_resolver_dnssec_config",
    "aws:s3/analyticsConfiguration:AnalyticsConfiguration": "aws_s3_bucket_analytics_configuration",
    "aws:s3/bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2": "aws_s3_bucket_accelerate_configuration",
    "aws:s3/bucketAclV2:BucketAclV2": "aws_s3_bucket_acl",
    "aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2": "aws_s3_bucket_cors_configuration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": "aws_s3_bucket_lifecycle_configuration",
    "aws:s3/bucketLoggingV2:BucketLoggingV2": "aws_s3_bucket_logging",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2": "aws_s3_bucket_object_lock_configuration",
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "aws_s3_bucket_replication_configuration",
    "aws:s3/bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2": (
        "aws_s3_bucket_request_payment_configuration"
    ),
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": (
        "aws_s3_bucket_server_side_encryption_configuration"
    ),
    "aws:s3/bucketV2:BucketV2": "aws_s3_bucket",
    "aws:s3/bucketVersioningV2:BucketVersioningV2": "aws_s3_bucket_versioning",
    "aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2": "aws_s3_bucket_website_configuration",
    "aws:s3/inventory:Inventory": "aws_s3_bucket_inventory",
    "aws:serverlessrepository/cloudFormationStack:CloudFormationStack": (
        "aws_serverlessapplicationrepository_cloudformation_stack"
    ),
    "aws:ses/mailFrom:MailFrom": "aws_ses_domain_mail_from",
    "aws:sns/dataProtectionPolicy:DataProtectionPolicy": "aws_sns_topic_data_protection_policy",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "aws_sqs_queue_redrive_allow_policy",
    "aws:sqs/redrivePolicy:RedrivePolicy": "aws_sqs_queue_redrive_policy",
    "aws:storagegateway/cachesIscsiVolume:CachesIscsiVolume": "aws_storagegateway_cached_iscsi_volume",
}


_FUNCTIONS = {
    "aws:account/getRegions:getRegions": "aws_account_regions",
    "aws:alb/getLoadBalancer:getLoadBalancer": "aws_alb",
    "aws:apigateway/getKey:getKey": "aws_api_gateway_api_key",
    "aws:autoscaling/getAmiIds:getAmiIds": "aws_autoscaling_groups",
    "aws:bedrockfoundation/getModel:getModel": "aws_bedrock_foundation_model",
    "aws:bedrockfoundation/getModels:getModels": "aws_bedrock_foundation_models",
    "aws:cloudformation/getCloudFormationType:getCloudFormationType": "aws_cloudformation_type",
    "aws:ec2/getDedicatedHost:getDedicatedHost": "aws_ec2_host",
    "aws:ec2/getElasticIp:getElasticIp": "aws_eip",
    "aws:ec2/getIpamPreviewNextCidr:getIpamPreviewNextCidr": "aws_vpc_ipam_preview_next_cidr",
    "aws:ec2transitgateway/getDirectConnectGatewayAttachment:getDirectConnectGatewayAttachment": (
        "aws_ec2_transit_gateway_dx_gateway_attachment"
    ),
    "aws:elb/getLoadBalancer:getLoadBalancer": "aws_elb",
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": "aws_iam_openid_connect_provider",
    "aws:lb/getLoadBalancer:getLoadBalancer": "aws_lb",
    "aws:licensemanager/getLicenseGrants:getLicenseGrants": "aws_licensemanager_grants",
    "aws:mq/getInstanceTypeOfferings:getInstanceTypeOfferings": "aws_mq_broker_instance_type_offerings",
}


def resource_type(token: str, known: Set[str]) -> str | None:
    """Return the Terraform type of the resource `token`, or None when `known`, the provider's types, has none."""
    if token in _RESOURCES:
        return _RESOURCES[token] if _RESOURCES[token] in known else None
    _, middle, name = token.split(":")
    return next((found for found in _candidates(middle.partition("/")[0], name) if found in known), None)


def data_source_type(token: str, known: Set[str]) -> str | None:
    """Return the Terraform data source of the function `token`, or None when `known` has none."""
    if token in _FUNCTIONS:
        return _FUNCTIONS[token] if _FUNCTIONS[token] in known else None
    _, middle, name = token.split(":")
    candidates = _candidates(middle.partition("/")[0], name.removeprefix("get"))
    return next((found for found in candidates if found in known), None)


def _candidates(module: str, name: str) -> Iterator[str]:
    texts = list(dict.fromkeys((snake(name), name.lower())))
    for prefix in _PREFIXES.get(module, (snake(module), module.lower())):
        for text in texts:
            plain = f"{prefix}_{text}"
            yield f"aws_{plain}"
            for apart, together in _SPLITS:
                if plain.startswith(apart):
                    yield f"aws_{together}{plain.removeprefix(apart)}"
                    yield f"aws_{together}{plain.removeprefix(apart).removeprefix('agent_')}"
    yield from (f"aws_{text}" for text in texts)
