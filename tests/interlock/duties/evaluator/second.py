"""A second, naive implementation of IAM's evaluation, to hold the evaluator against.

Written from AWS's documentation alone and built differently: raw JSON, recursion instead of compiled patterns, nothing
parsed beforehand. A case has the documented table's shape with the documents in place of their names: `by`, `action`,
`on`, `owner`, `context`, `grants`, `identity`, `resource` or `trust`, `boundary`, `session`, `scps`, `rcps`,
`management`.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
.../reference_policies_evaluation-logic_policy-eval-denyallow.html,
.../reference_policies_evaluation-logic-cross-account.html, .../access_policies_boundaries.html,
.../reference_policies_elements_principal.html, .../reference_policies_condition-keys.html;
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html and ..._rcps.html;
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html and grants.html.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.interlock.duties.evaluator.second_conditions import Answer, Context, every, many, opposite, some
from tests.interlock.duties.evaluator.second_statements import (
    account_of,
    applies,
    entity_names,
    excepted,
    how_named,
    own_names,
)

Case = Mapping[str, Any]
Document = Mapping[str, Any]

PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "anonymous": "Anonymous",
}
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
KMS_ABROAD = """
Decrypt Encrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyPair GenerateDataKeyWithoutPlaintext
GenerateDataKeyPairWithoutPlaintext GenerateMac VerifyMac Sign Verify DeriveSharedSecret CreateGrant ListGrants
RetireGrant RevokeGrant DescribeKey GetPublicKey GetKeyRotationStatus
"""
RCP_SERVICES = ("s3", "sts", "kms", "sqs", "secretsmanager", "dynamodb", "logs", "ecr")


def owner_of(case: Case) -> str:
    """The resource's account: as given, else the ARN's, else (an action without a resource) the caller's."""
    parts = case["on"].split(":")
    return case.get("owner") or (parts[4] if len(parts) > 5 else "") or account_of(case["by"])


def context_of(case: Case) -> Context:
    """The request's keys, with those that AWS sets for every request of such a caller."""
    by, account = case["by"], account_of(case["by"])
    filled: dict[str, Any] = {"aws:PrincipalIsAWSService": "true" if "service" in by else "false"}
    if account:
        arn = by.get("user") or by.get("role") or by.get("federated") or f"arn:aws:iam::{account}:root"
        filled |= {"aws:PrincipalArn": arn, "aws:PrincipalAccount": account}
        if case["action"].startswith("kms:"):
            filled["kms:CallerAccount"] = account
    for name in by.keys() & PRINCIPAL_TYPES.keys():
        filled["aws:PrincipalType"] = PRINCIPAL_TYPES[name]
    if "user" in by:
        filled["aws:username"] = by["user"].split("/")[-1]
    if by.get("id"):
        filled["aws:userid"] = by["id"]
    if owner_of(case):
        filled["aws:ResourceAccount"] = owner_of(case)
    context = {key.lower(): list(many(value)) for key, value in filled.items()}
    return context | {
        key.lower(): [str(text) for text in many(value)] for key, value in case.get("context", {}).items()
    }


def matching(documents: Any, effect: str, case: Case, meant: Callable[[Document], Answer]) -> Iterator[Answer]:
    """For each statement of that effect that is meant for the caller: whether it applies."""
    for document in documents:
        version = document.get("Version", "2008-10-17")
        for statement in many(document["Statement"]):
            if statement["Effect"] == effect and (caller := meant(statement)) is not False:
                yield every([caller, applies(statement, version, case["action"], case["on"], case["keys"])])


def allowed_by(documents: Any, case: Case) -> Answer:
    """Whether one of these documents allows the request."""
    return some(matching(documents, "Allow", case, lambda statement: True))


def denied_by(documents: Any, case: Case) -> Answer:
    """Whether one of these documents denies the request to this caller."""
    return some(matching(documents, "Deny", case, lambda statement: denies_caller(statement, case["by"])))


def denies_caller(statement: Document, by: Mapping[str, str]) -> Answer:
    """Whether a Deny is meant for the caller."""
    if "NotPrincipal" in statement:
        return opposite(excepted(statement["NotPrincipal"], by))
    return bool(how_named(statement.get("Principal", "*"), by))


def resource_documents(case: Case) -> list[Document]:
    """The policy attached to the resource; a role's is its trust policy."""
    return [case[name] for name in ("resource", "trust") if case.get(name)]


def granted_to(strength: str, case: Case) -> Answer:
    """Whether the resource's policy allows the request to the caller by a name of that strength."""

    def meant(statement: Document) -> bool:
        if "NotPrincipal" in statement:
            return strength == "itself" and excepted(statement["NotPrincipal"], case["by"]) is False
        return how_named(statement["Principal"], case["by"]) == strength

    return some(matching(resource_documents(case), "Allow", case, meant))


def service_linked(by: Mapping[str, str]) -> bool:
    """Whether the caller is a service-linked role, which organization policies leave alone."""
    return ":role/aws-service-role/" in by.get("role", "")


def guarding_scps(case: Case) -> list[list[Document]]:
    """The SCPs that limit the caller, by level."""
    account = account_of(case["by"])
    exempt = not account or account == case.get("management") or service_linked(case["by"])
    return [] if exempt else case.get("scps", [])


def guarding_rcps(case: Case) -> list[Document]:
    """The RCPs that limit the resource."""
    service = case["action"].split(":")[0].lower()
    exempt = service not in RCP_SERVICES or case["action"].lower() == "kms:retiregrant" or service_linked(case["by"])
    exempt = exempt or owner_of(case) == case.get("management")
    return [] if exempt else [document for level in case.get("rcps", []) for document in level]


def within_boundary(case: Case) -> Answer:
    """The boundary's limit, where the caller's user or role has one."""
    return allowed_by([case["boundary"]], case) if case.get("boundary") else True


def within_session(case: Case) -> Answer:
    """The session policies' limit; a federated user has nothing without one."""
    if case.get("session"):
        return allowed_by(case["session"], case)
    return "federated" not in case["by"]


def by_grant(case: Case) -> bool:
    """Whether a grant on the key covers the request."""
    names = own_names(case["by"]) + entity_names(case["by"])
    operation = case["action"].removeprefix("kms:")
    prefix = "kms:EncryptionContext:"
    pairs = {
        key.removeprefix(prefix): value for key, value in case.get("context", {}).items() if key.startswith(prefix)
    }
    for grant in case.get("grants", []):
        if grant["key"] != case["on"] or grant["grantee"] not in names or operation not in grant["operations"]:
            continue
        wanted = case.get("context", {}).get("kms:GrantOperations", [])
        if operation == "CreateGrant" and not set(many(wanted)) <= set(grant["operations"]):
            continue
        if all(pairs.get(key) == value for key, value in grant.get("subset", {}).items()):
            return True
    return False


def beyond_policies(case: Case, within: Answer) -> Answer:
    """What a grant gives by itself; of the caller's limits and of another account its documentation says nothing."""
    return (within or None) if by_grant(case) else False


def needs_own_policy(case: Case) -> bool:
    """A key and a role that is to be assumed are used by nobody whom their own policy does not let."""
    service = case["action"].split(":")[0].lower()
    return (service, case["on"].split("/")[0].split(":")[-1]) in (("kms", "key"), ("sts", "role"))


def granted(case: Case) -> Answer:
    """Whether policies of the caller and of the resource together allow the request."""
    by, account = case["by"], account_of(case["by"])
    limits = [within_boundary(case), within_session(case)]
    mine = every([True if "root" in by else allowed_by(case.get("identity", []), case), *limits])
    itself, entity, whole = (granted_to(strength, case) for strength in ("itself", "entity", "account"))
    if not account:
        return itself
    if account != owner_of(case):
        service, operation = case["action"].split(":")
        if service == "kms" and operation not in KMS_ABROAD.split():
            return False
        shared = every([some([itself, entity, whole, by_grant(case)]), mine])
        return some([shared, beyond_policies(case, within=False)])
    delegated = every([whole, mine]) if needs_own_policy(case) else mine
    return some([itself, every([entity, *limits]), delegated, beyond_policies(case, every(limits))])


def allowed(case: Case) -> Answer:
    """Whether AWS allows the request; None where its documentation leaves that open."""
    if case["action"].lower() == "sts:getcalleridentity":
        return True
    case = {**case, "keys": context_of(case)}
    scps = guarding_scps(case)
    single = [
        *case.get("identity", []),
        *case.get("session", []),
        *([case["boundary"]] if case.get("boundary") else []),
    ]
    attached = (
        single + resource_documents(case) + guarding_rcps(case) + [document for level in scps for document in level]
    )
    denied = denied_by(attached, case)
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    by_root = "root" in case["by"] and case["action"].lower() == "sts:assumerole"
    if denied is True or by_root:
        return False
    return every([opposite(denied), *(allowed_by(level, case) for level in scps), granted(case)])
