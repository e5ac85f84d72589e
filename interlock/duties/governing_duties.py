"""The rows of those who own and run the platform: foundation and platform."""

from __future__ import annotations

from typing import Final

from interlock.duties.bundles import (
    APPROVE,
    APPROVE_BY_KEY,
    CHANGE_DUTIES,
    DECRYPT,
    ENCRYPT,
    MOVE_TRAFFIC,
    PASS_DUTIES,
    PASS_OTHER_DUTIES,
    PUSH_IMAGES,
    READING,
    REMOVE_EVIDENCE,
    SIGN,
    TAKE_KEYS_AWAY,
    WRITE_EVIDENCE,
    WRITE_VAULT,
    adds,
    reads,
    writing,
)
from interlock.duties.duty import Duty, Role
from interlock.duties.foundation_rights import FOUNDATION_RIGHTS, FUNCTIONS
from interlock.duties.landscape import LEDGER_ROLES
from interlock.duties.platform_rights import PLATFORM_RIGHTS
from interlock.duties.prefixes import TRUST
from interlock.duties.rights import Account, Bearer, Kind, Never, Right, Row, Task

FOUNDATION: Final = Row(
    Role.FOUNDATION, Duty.FOUNDATION, "owns duties' roles, boundaries, keys, vault, trust root and images: two people",
    Account.EVIDENCE, Bearer.PEOPLE,
    rights=(
        *FOUNDATION_RIGHTS, *writing(TRUST),
        # What is written is read back before it is believed, and the next version of the root follows the last.
        Right("ListTrust", ("s3:ListBucketVersions",), Kind.VAULT),
        Right("ReadTrust", READING, Kind.OBJECTS, TRUST),
        Right("DecryptTrust", ("kms:Decrypt",), Kind.EVIDENCE_KEY),
    ),
    tasks=(
        Task("make a duty's role", "iam:CreateRole", Kind.DUTY_ROLE, Role.BUILDER.value),
        Task("say what a duty may", "iam:PutRolePolicy", Kind.DUTY_ROLE, Role.BUILDER.value),
        Task("say who has a duty", "iam:UpdateAssumeRolePolicy", Kind.DUTY_ROLE, Role.BUILDER.value),
        Task("change a boundary", "iam:CreatePolicyVersion", Kind.BOUNDARY, "service"),
        Task("guard the vault", "s3:PutBucketPolicy", Kind.VAULT),
        # Of each key: one that nobody may change any more is one that nobody can mend.
        Task("keep a key's policy", "kms:PutKeyPolicy", Kind.SIGNING_KEY, "*"),
        Task("keep the policy of the key of evidence", "kms:PutKeyPolicy", Kind.EVIDENCE_KEY),
        Task("keep a repository", "ecr:SetRepositoryPolicy", Kind.REPOSITORY),
        Task("push an image that may run", "ecr:PutImage", Kind.REPOSITORY),
        Task("keep the sequencer's function", "lambda:UpdateFunctionCode", Kind.LEDGER_FUNCTION, Role.SEQUENCER.value),
        Task("keep the witness's function", "lambda:UpdateFunctionCode", Kind.LEDGER_FUNCTION, Role.WITNESS.value),
        *(
            Task(f"hand the {role.value}'s function its role", "iam:PassRole", Kind.LEDGER_ROLE, role.value,
                 {"iam:passedtoservice": (FUNCTIONS,)})
            for role in LEDGER_ROLES
        ),
        Task("say when the ledger goes on", "events:PutRule", Kind.LEDGER_RULE, Role.SEQUENCER.value),
        DECRYPT, ENCRYPT, adds(TRUST), reads(TRUST),
    ),
    nevers=(
        REMOVE_EVIDENCE, SIGN, WRITE_EVIDENCE, APPROVE, MOVE_TRAFFIC, PASS_OTHER_DUTIES,
        Never("widen itself", ("iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy"),
              Kind.DUTY_ROLE, Role.FOUNDATION.value),
    ),
)  # fmt: skip

PLATFORM: Final = Row(
    Role.PLATFORM, Duty.PLATFORM, "brings up the layer platform, inside of a boundary that denies the foundation's",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=PLATFORM_RIGHTS,
    tasks=(
        Task("make a service's role", "iam:CreateRole", Kind.SERVICE_ROLE),
        Task("hand a service its role", "iam:PassRole", Kind.SERVICE_ROLE, "",
             {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}),
        Task("publish the stack's manifest", "s3:PutObject", Kind.STAGED, "stacks/"),
        Task("make a network", "ec2:CreateVpc", Kind.NETWORK),
        Task("make a database", "rds:CreateDBInstance", Kind.DATABASES),
        Task("make an endpoint", "sagemaker:CreateEndpoint", Kind.SERVING),
    ),
    nevers=(
        TAKE_KEYS_AWAY, REMOVE_EVIDENCE, CHANGE_DUTIES, PUSH_IMAGES, SIGN, WRITE_VAULT, APPROVE_BY_KEY, MOVE_TRAFFIC,
        PASS_DUTIES,
        Never("unbind a service's role", ("iam:DeleteRolePermissionsBoundary",), Kind.SERVICE_ROLE),
    ),
)  # fmt: skip

ROWS: Final = (FOUNDATION, PLATFORM)
