"""The repositories of the images that may run: a tag never moves, and every push is scanned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.landscape import REPLICATION_CLAIM
from interlock.duties.repository_policy import repository_policy

IMAGES: Final = ("mlflow", "serving", "runner", "rotation", "controller", "ledger")
"""What there are images for."""
FUNCTIONS: Final = ("rotation",)
"""Images that AWS Lambda runs in the accounts that share the registry, and pulls itself."""
OWN_FUNCTIONS: Final = ("ledger",)
"""Those that it runs in the registry's own account: it would write what it needs into the policy by itself."""


class ImageRepositoriesArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    name_prefix: pulumi.Input[str]
    """Repositories are `<prefix>/<image>`."""
    encryption_key_arn: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs of the only principals who may delete images or let tags move."""
    shared_with: NotRequired[pulumi.Input[list[str]]]
    """Ids of other accounts that pull, as their IAM policies say; none unless given."""
    publishers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals of other accounts who push; unless given, those accounts' IAM policies decide."""
    untagged_days: NotRequired[pulumi.Input[int]]
    """Days after which an image without a tag goes; 14 unless given."""
    replicate_to: NotRequired[pulumi.Input[str]]
    """A region to whose repositories of the same names every push is copied.

    A registry has one such configuration, and whoever writes it replaces what another wrote. So the component first
    takes the parameter `REPLICATION_CLAIM`, which an account and region has once: a second claim fails, before it has
    changed anything. It copies what is under its own prefix, its existing repositories, and `also_replicated`.
    """
    also_replicated: NotRequired[Sequence[pulumi.Input[str]]]
    """Prefixes of other components' repositories of this registry; none unless given."""
    force_delete: NotRequired[pulumi.Input[bool]]
    """Whether destroying a repository destroys its images; false unless given."""
    existing_repository_names: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By image: a repository of this registry that is there already; nothing about it is changed.

    With `replicate_to`, what is pushed to it from then on is copied; what it holds before is its owner's to copy.
    """


class ImageRepositories(pulumi.ComponentResource):
    """One ECR repository an image, in one region of the account that owns what may run."""

    repositories: pulumi.Output[dict[str, dict[str, str]]]
    """By image: `name`, `arn` and `url`, the last without a tag."""

    def __init__(self, name: str, args: ImageRepositoriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ImageRepositoriesArgs, f"ImageRepositories {name}", args, _RULES)
        super().__init__("interlock:images:ImageRepositories", name, {}, opts)

        existing = args.get("existing_repository_names", {})
        self.repositories = pulumi.Output.all(
            **{
                image: self._adopted(existing[image], args)
                if image in existing
                else self._created(f"{name}-{image}", image, args)
                for image in IMAGES
            }
        )
        if "replicate_to" in args:
            self._replicate(name, args, args["replicate_to"])
        self.register_outputs({"repositories": self.repositories})

    def _created(self, name: str, image: str, args: ImageRepositoriesArgs) -> pulumi.Output[dict[str, Any]]:
        inside = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            name,
            name=pulumi.Output.concat(args["name_prefix"], "/", image),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args["encryption_key_arn"]}],
            force_delete=args.get("force_delete", False),
            opts=inside,
        )
        aws.ecr.RepositoryPolicy(
            f"{name}-policy",
            repository=repository.name,
            policy=pulumi.Output.all(
                args["administrators"], args.get("shared_with", []), args.get("publishers", []), args["account_id"]
            ).apply(lambda of: repository_policy(of[0], of[1], of[2], _functions_accounts(image, of[1], of[3]))),
            opts=inside,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=pulumi.Output.from_input(args.get("untagged_days", 14)).apply(_without_untagged),
            opts=inside,
        )
        return pulumi.Output.all(name=repository.name, arn=repository.arn, url=repository.repository_url)

    def _adopted(self, repository: pulumi.Input[str], args: ImageRepositoriesArgs) -> pulumi.Output[dict[str, Any]]:
        def described(of: list[str]) -> dict[str, str]:
            account_id, region, name = of
            return {
                "name": name,
                "arn": f"arn:aws:ecr:{region}:{account_id}:repository/{name}",
                "url": f"{account_id}.dkr.ecr.{region}.amazonaws.com/{name}",
            }

        return pulumi.Output.all(args["account_id"], args["region"], repository).apply(described)

    def _replicate(self, name: str, args: ImageRepositoriesArgs, region: pulumi.Input[str]) -> None:
        claim = aws.ssm.Parameter(
            f"{name}-replication-claim",
            name=REPLICATION_CLAIM,
            type="String",
            value=args["name_prefix"],
            description="Whose repositories say what this registry copies to another region",
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.ecr.ReplicationConfiguration(
            f"{name}-replication",
            replication_configuration={
                "rules": [
                    {
                        "destinations": [{"region": region, "registry_id": args["account_id"]}],
                        "repository_filters": [
                            {"filter": one, "filter_type": "PREFIX_MATCH"} for one in _replicated(args)
                        ],
                    }
                ]
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[claim]),
        )


def _functions_accounts(image: str, shared_with: Sequence[str], own: str) -> Sequence[str]:
    """Return the ids of the accounts whose functions run an image."""
    return shared_with if image in FUNCTIONS else [own] if image in OWN_FUNCTIONS else []


def _replicated(args: ImageRepositoriesArgs) -> list[pulumi.Input[str]]:
    under = [pulumi.Output.concat(one, "/") for one in (args["name_prefix"], *args.get("also_replicated", []))]
    return [*under, *args.get("existing_repository_names", {}).values()]


def _without_untagged(days: float) -> str:
    # Numbers that passed the engine arrive as floats.
    rule = {
        "rulePriority": 1,
        "description": "Images that no tag names any more",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": int(days),
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "name_prefix": validation.repository_prefix,
    "encryption_key_arn": validation.key_arn,
    "administrators": validation.some(validation.iam_principal),
    "shared_with": validation.some(validation.account_id, at_least=0),
    "publishers": validation.some(validation.iam_principal, at_least=0),
    "untagged_days": validation.integer(1, 3650, "days"),
    "replicate_to": validation.region,
    "also_replicated": validation.some(validation.repository_prefix, at_least=0),
    "force_delete": validation.boolean,
    "existing_repository_names": validation.mapping(IMAGES, validation.repository_name),
}
