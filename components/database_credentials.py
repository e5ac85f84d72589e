"""The users of a PostgreSQL instance: their secrets, and the function that makes and rotates them."""

from __future__ import annotations

import json
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.naming import followed_by
from components.secret_guard import SecretGuard, SecretGuardArgs
from components.validation import checked
from interlock.duties.guarded_resources import service_role
from interlock.duties.rotation import rotation_policy
from interlock.duties.service_roles import trust_policy

USERNAME: Final = "mlflow"
"""And `mlflow_clone`, with whom it takes turns."""
SETTLE_SECONDS: Final = 30
"""A running server reads its secret anew at least every 15 seconds."""
TIMEOUT_SECONDS: Final = 180
MEMORY_MB: Final = 256


class DatabaseCredentialsArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    identifier: pulumi.Input[str]
    """Of the instance; the function is called after it."""
    address: pulumi.Input[str]
    port: pulumi.Input[int]
    database_names: pulumi.Input[list[str]]
    first_secret_arn: pulumi.Input[str]
    """A secret with the administrator's name and first password: JSON {"username", "password"}."""
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """Where the endpoints of Secrets Manager and KMS are."""
    subnet_ids: pulumi.Input[list[str]]
    database_security_group_id: pulumi.Input[str]
    image: pulumi.Input[str]
    """Of the function: what `images/rotation` makes."""
    encryption_key_arn: pulumi.Input[str]
    rotation_days: NotRequired[pulumi.Input[int]]
    """30 unless given."""
    reserved_concurrency: NotRequired[pulumi.Input[int]]
    """Executions kept for the function; none unless given.

    The two secrets' rotations may coincide, and a preparation with them: 3 or more. AWS leaves 10 of an account
    unreserved and refuses what goes beyond; a new account may have no more than these.
    """
    recovery_window_days: NotRequired[pulumi.Input[int]]
    """How long a deleted secret can be restored: 0 (not at all) or 7 to 30; 30 unless given."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who keep the secrets; the account's policies decide unless given."""
    secret_readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of people's roles or users that read every secret beside what needs it; nobody unless given."""
    user_secret_readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of what else reads the users' secret, or patterns of them: the servers that log in with it."""
    replica_region: NotRequired[pulumi.Input[str]]
    """Where the secrets are replicated to, under `replica_key_arn`."""
    replica_key_arn: NotRequired[pulumi.Input[str]]


class DatabaseCredentials(pulumi.ComponentResource):
    """A secret for the users of the databases and one for the administrator, each rotated from the first minute on.

    The function fills them, so that their passwords are in no state of a stack. It needs the interface endpoint of
    Secrets Manager in the subnets' network.
    """

    secret_arn: pulumi.Output[str]
    """Who is given it finds its user able to log in."""
    master_secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseCredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(DatabaseCredentialsArgs, f"DatabaseCredentials {name}", args, _RULES)
        super().__init__("interlock:tracking:DatabaseCredentials", name, {}, opts)

        self._name, self._args = name, args
        user = self._secret("user", "How MLflow logs in to its databases")
        master = self._secret("master", "How the database's administrator logs in")
        function = self._function(user, master)
        guards = self._guards(user, master)
        prepared = self._prepared(function, user, master, guards)
        for what, secret in (("user", user), ("master", master)):
            permission = aws.lambda_.Permission(
                f"{name}-{what}-permission",
                function=function.name,
                action="lambda:InvokeFunction",
                principal="secretsmanager.amazonaws.com",
                source_account=args["account_id"],
                source_arn=secret.arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.secretsmanager.SecretRotation(
                f"{name}-{what}-rotation",
                secret_id=secret.id,
                rotation_lambda_arn=function.arn,
                rotation_rules={"automatically_after_days": args.get("rotation_days", 30)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, prepared]),
            )

        self.secret_arn = pulumi.Output.all(user.arn, prepared.id).apply(lambda known: str(known[0]))
        self.master_secret_arn = pulumi.Output.all(master.arn, prepared.id).apply(lambda known: str(known[0]))
        self.register_outputs({"secretArn": self.secret_arn, "masterSecretArn": self.master_secret_arn})

    def _secret(self, what: str, description: str) -> aws.secretsmanager.Secret:
        args = self._args
        replicas = None
        if "replica_region" in args and "replica_key_arn" in args:
            replicas = [
                aws.secretsmanager.SecretReplicaArgs(region=args["replica_region"], kms_key_id=args["replica_key_arn"])
            ]
        return aws.secretsmanager.Secret(
            f"{self._name}-{what}",
            description=description,
            kms_key_id=args["encryption_key_arn"],
            recovery_window_in_days=args.get("recovery_window_days", 30),
            replicas=replicas,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _guards(self, user: aws.secretsmanager.Secret, master: aws.secretsmanager.Secret) -> list[SecretGuard]:
        name, args = self._name, self._args
        if "administrators" not in args:
            return []
        rotating = pulumi.Output.from_input(args["account_id"]).apply(lambda account: [rotating_role(account, name)])
        guards = []
        for what, secret, others in (("user", user, args.get("user_secret_readers", [])), ("master", master, [])):
            readers = pulumi.Output.all(rotating, args.get("secret_readers", []), others).apply(
                lambda known: [one for part in known for one in part]
            )
            wanted: SecretGuardArgs = {
                "secret_arn": secret.arn,
                "readers": readers,
                "writers": rotating,
                "administrators": args["administrators"],
            }
            guards.append(SecretGuard(f"{name}-{what}-guard", wanted, pulumi.ResourceOptions(parent=self)))
        return guards

    def _function(self, user: aws.secretsmanager.Secret, master: aws.secretsmanager.Secret) -> aws.lambda_.Function:
        name, args = self._name, self._args
        inside = pulumi.ResourceOptions(parent=self)
        function_name = pulumi.Output.from_input(args["identifier"]).apply(lambda known: followed_by(known, "rotation"))
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # Lambda would make it itself, without a key and for ever.
            name=pulumi.Output.concat("/aws/lambda/", function_name),
            kms_key_id=args["encryption_key_arn"],
            retention_in_days=args.get("log_retention_days", 365),
            opts=inside,
        )
        role = aws.iam.Role(
            _role_name(name),
            assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
                lambda account: trust_policy("lambda.amazonaws.com", account)
            ),
            opts=inside,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.id,
            policy=pulumi.Output.all(
                pulumi.Output.concat(
                    "arn:aws:lambda:", args["region"], ":", args["account_id"], ":function:", function_name
                ),
                pulumi.Output.all(user.arn, master.arn),
                pulumi.Output.all(args["first_secret_arn"]),
                args["encryption_key_arn"],
                logs.arn,
            ).apply(lambda known: rotation_policy(*known)),
            opts=inside,
        )
        return aws.lambda_.Function(
            f"{name}-function",
            name=function_name,
            description="Makes and rotates the users of MLflow's databases",
            package_type="Image",
            image_uri=args["image"],
            role=role.arn,
            timeout=TIMEOUT_SECONDS,
            memory_size=MEMORY_MB,
            reserved_concurrent_executions=args.get("reserved_concurrency"),
            environment={"variables": {"SETTLE_SECONDS": str(SETTLE_SECONDS)}},
            kms_key_arn=args["encryption_key_arn"],
            vpc_config={"subnet_ids": args["subnet_ids"], "security_group_ids": [self._admitted_group()]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, logs]),
        )

    def _admitted_group(self) -> pulumi.Output[str]:
        name, args, inside = self._name, self._args, pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-group", vpc_id=args["vpc_id"], description="The rotation of users of the database", opts=inside
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-endpoints",
            security_group_id=group.id,
            description="HTTPS to the endpoints of AWS services",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=args["cidr_block"],
            opts=inside,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-database",
            security_group_id=group.id,
            description="PostgreSQL to the database",
            ip_protocol="tcp",
            from_port=args["port"],
            to_port=args["port"],
            referenced_security_group_id=args["database_security_group_id"],
            opts=inside,
        )
        rule = aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-rotation",
            security_group_id=args["database_security_group_id"],
            description="PostgreSQL from the rotation of its users",
            ip_protocol="tcp",
            from_port=args["port"],
            to_port=args["port"],
            referenced_security_group_id=group.id,
            opts=inside,
        )
        # Who joins the group is admitted already.
        return pulumi.Output.all(group.id, rule.id).apply(lambda known: str(known[0]))

    def _prepared(
        self,
        function: aws.lambda_.Function,
        user: aws.secretsmanager.Secret,
        master: aws.secretsmanager.Secret,
        guards: list[SecretGuard],
    ) -> aws.lambda_.Invocation:
        args = self._args
        return aws.lambda_.Invocation(
            f"{self._name}-prepared",
            function_name=function.name,
            input=pulumi.Output.all(
                SecretId=user.arn,
                MasterSecretId=master.arn,
                FirstSecretId=args["first_secret_arn"],
                Host=args["address"],
                Port=pulumi.Output.from_input(args["port"]).apply(int),
                Databases=args["database_names"],
            ).apply(lambda known: json.dumps({"Operation": "prepare", "Username": USERNAME, **known})),
            # A call that is made anew when what it says changes.
            opts=pulumi.ResourceOptions(parent=self, protect=False, depends_on=guards),
        )


def rotating_role(account_id: str, name: str) -> str:
    """Return the pattern of the ARN of the role that the function of the credentials `name` runs with."""
    return service_role(account_id, _role_name(name))


def _role_name(name: str) -> str:
    return f"{name}-role"


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "identifier": validation.instance_identifier,
    "address": validation.host,
    "port": validation.integer(1, 65535),
    "database_names": validation.some(validation.database_name),
    "first_secret_arn": validation.secret_arn,
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "subnet_ids": validation.some(validation.subnet_id),
    "database_security_group_id": validation.security_group_id,
    "image": validation.image,
    "encryption_key_arn": validation.key_arn,
    "reserved_concurrency": validation.integer(3, 1000, "executions"),
    "rotation_days": validation.integer(1, 1000, "days"),
    "recovery_window_days": validation.secret_recovery_days,
    "log_retention_days": validation.log_retention_days,
    "administrators": validation.some(validation.iam_principal),
    "secret_readers": validation.some(validation.iam_principal_pattern, at_least=0),
    "user_secret_readers": validation.some(validation.iam_principal_pattern, at_least=0),
    "replica_region": validation.region,
    "replica_key_arn": validation.key_arn,
}
