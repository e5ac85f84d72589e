"""Random cases for both implementations: documents near enough to their request that they often decide it.

Generated is only what AWS accepts as a policy: what a parser refuses is tested elsewhere.
"""

import base64
from random import Random
from typing import Any

from tests.interlock.duties.evaluator.second import context_of
from tests.interlock.duties.evaluator.second_statements import account_names, account_of, session_arn

HOME, ABROAD, MANAGEMENT = "111122223333", "444455556666", "999988887777"
ROLE = f"arn:aws:iam::{HOME}:role/app/deployer"
CALLERS: list[dict[str, str]] = [
    {"user": f"arn:aws:iam::{HOME}:user/alice"},
    {"user": f"arn:aws:iam::{HOME}:user/team/bob", "id": "AIDABOB"},
    {"user": f"arn:aws:iam::{ABROAD}:user/carol"},
    {"role": ROLE, "session": "one"},
    {"role": ROLE, "session": "two"},
    {"role": f"arn:aws:iam::{ABROAD}:role/reader", "session": "one"},
    {"federated": f"arn:aws:sts::{HOME}:federated-user/dan", "issuer": f"arn:aws:iam::{HOME}:user/alice"},
    {"root": HOME},
    {"root": ABROAD},
    {"service": "cloudtrail.amazonaws.com"},
    {"anonymous": ""},
    {"role": f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", "session": "one"},
]
PROVIDER = {"provider": f"arn:aws:iam::{HOME}:oidc-provider/login.example.com"}

# action's service, its actions, the resource's ARN, and what may be attached to it
TARGETS: list[tuple[str, list[str], str, str]] = [
    ("s3", ["GetObject", "PutObject", "DeleteObject"], "arn:aws:s3:::evidence/alice/a:b.json", "resource"),
    ("s3", ["ListBucket", "PutBucketPolicy"], "arn:aws:s3:::evidence", "resource"),
    (
        "kms",
        ["Decrypt", "Encrypt", "RetireGrant", "ScheduleKeyDeletion", "PutKeyPolicy"],
        "arn:aws:kms:eu-west-1:{account}:key/1234",
        "resource",
    ),
    ("sts", ["AssumeRole", "TagSession"], "arn:aws:iam::{account}:role/duty/approver", "trust"),
    ("sts", ["AssumeRoleWithWebIdentity"], "arn:aws:iam::{account}:role/duty/approver", "trust"),
    ("sqs", ["SendMessage", "ReceiveMessage"], "arn:aws:sqs:eu-west-1:{account}:jobs", "resource"),
    ("secretsmanager", ["GetSecretValue"], "arn:aws:secretsmanager:eu-west-1:{account}:secret:db-1", "resource"),
    ("lambda", ["InvokeFunction"], "arn:aws:lambda:eu-west-1:{account}:function:deploy:live", "resource"),
    ("logs", ["PutLogEvents"], "arn:aws:logs:eu-west-1:{account}:log-group:/app:log-stream:x", ""),
    ("iam", ["PassRole", "GetRole"], "arn:aws:iam::{account}:role/duty/approver", ""),
    ("ec2", ["DescribeInstances"], "*", ""),
]

# the request's keys: each with values that it may have, by the family of operators that compares them
KEYS: dict[str, tuple[str, list[str]]] = {
    "aws:PrincipalTag/team": ("String", ["red", "Red", "blue", "alice", ""]),
    "s3:prefix": ("String", ["home/alice/", "home/", "a*c"]),
    "aws:TagKeys": ("String", ["env", "cost", "Env"]),
    "aws:MultiFactorAuthAge": ("Numeric", ["0", "300", "3600", "12.5"]),
    "aws:CurrentTime": ("Date", ["2024-01-01T00:00:00Z", "2024-06-01T12:00:00Z", "1704067200"]),
    "aws:SecureTransport": ("Bool", ["true", "false"]),
    "aws:SourceIp": ("Ip", ["203.0.113.7", "198.51.100.1", "2001:db8::1"]),
    "aws:SourceArn": ("Arn", ["arn:aws:sns:eu-west-1:111122223333:topic", "arn:aws:s3:::evidence"]),
    "x:Digest": ("Binary", [base64.b64encode(text).decode() for text in (b"one", b"two")]),
}
OPERATORS: dict[str, list[str]] = {
    "String": ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"],
    "Numeric": ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
    "Date": ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
    "Arn": ["Equals", "NotEquals", "Like", "NotLike"],
    "Bool": [""],
    "Ip": ["IpAddress", "NotIpAddress"],
    "Binary": ["Equals"],
}
WRITTEN_ONLY: dict[str, list[str]] = {
    "String": ["r*", "?ed", "*", "${aws:username}", "home/${aws:PrincipalTag/team, 'alice'}/", "a${*}c", "*/"],
    "Numeric": ["299", "3600.0"],
    "Date": ["2024-01-01", "2025-01-01T00:00:00+01:00"],
    "Ip": ["203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"],
    "Arn": ["arn:aws:sns:*:*:*", "arn:aws:s3:::evid?nce", "arn:*:*:*:111122223333:t*"],
}


def case(random: Random) -> dict[str, Any]:
    """One case in the documented table's shape."""
    service, names, template, attached = random.choice(TARGETS)
    account = random.choice([HOME, HOME, ABROAD])
    web = names == ["AssumeRoleWithWebIdentity"]
    by = PROVIDER if web else random.choice(CALLERS)
    if template == "*":
        account = account_of(by) or HOME
    drawn: dict[str, Any] = {
        "by": by,
        "action": f"{service}:{random.choice(names)}",
        "on": template.format(account=account),
        "owner": account,
        "context": context(random),
    }
    if attached and random.random() < (0.95 if attached == "trust" or service == "kms" else 0.6):
        drawn[attached] = document(random, drawn, attached)
    if random.random() < 0.3:
        drawn["rcps"] = [[rcp(random, drawn) for _ in range(random.randint(0, 2))] for _ in range(random.randint(1, 2))]
    if account_of(by):
        caller_layers(random, drawn)
        if service == "kms" and random.random() < 0.6:
            drawn["grants"] = [grant(random, drawn)]
            drawn["context"] |= {"kms:EncryptionContext:Stage": random.choice(["test", "live"])}
    if random.random() < 0.1:
        drawn["management"] = random.choice([HOME, ABROAD, MANAGEMENT])
    return drawn


def caller_layers(random: Random, drawn: dict[str, Any]) -> None:
    """The documents that the caller's account holds."""
    by = drawn["by"]
    if "root" not in by:
        drawn["identity"] = [document(random, drawn, "identity") for _ in range(random.choice([0, 1, 1, 2]))]
        if random.random() < 0.3 and "aws-service-role" not in by.get("role", ""):
            drawn["boundary"] = document(random, drawn, "boundary")
    if ("role" in by and random.random() < 0.3) or ("federated" in by and random.random() < 0.8):
        drawn["session"] = [document(random, drawn, "session") for _ in range(random.randint(1, 2))]
    if random.random() < 0.35:
        drawn["scps"] = [
            [document(random, drawn, "scp") for _ in range(random.choice([0, 1, 1, 1, 1, 1, 2, 2]))]
            for _ in range(random.randint(1, 3))
        ]


def context(random: Random) -> dict[str, Any]:
    """Some of the keys; one of them may have several values."""
    drawn: dict[str, Any] = {}
    for key, (_, values) in KEYS.items():
        if random.random() < 0.6:
            drawn[key] = random.choice(values)
    if "aws:TagKeys" in drawn and random.random() < 0.7:
        drawn["aws:TagKeys"] = random.choice([["env"], ["env", "cost"], ["cost", "Env"], [""]])
    return drawn


def document(random: Random, drawn: dict[str, Any], kind: str) -> dict[str, Any]:
    """A policy document of one to three statements."""
    old = kind not in ("scp",) and random.random() < 0.05
    statements = [statement(random, drawn, kind) for _ in range(random.choice([1, 1, 2, 3]))]
    if kind != "resource" and kind != "trust" and random.random() < 0.5:
        statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    written = statements[0] if len(statements) == 1 and random.random() < 0.3 else statements
    return {"Version": "2008-10-17" if old else "2012-10-17", "Statement": written}


def statement(random: Random, drawn: dict[str, Any], kind: str) -> dict[str, Any]:
    """A statement about the request's action and resource, or nearly."""
    effect = "Deny" if random.random() < 0.2 else "Allow"
    written: dict[str, Any] = {"Effect": effect}
    if kind in ("resource", "trust"):
        written |= principal(random, drawn, effect)
    element = "NotAction" if random.random() < 0.1 else "Action"
    written[element] = alone_or_listed(random, [action(random, drawn["action"], kind)])
    if kind != "trust":
        element = "NotResource" if random.random() < 0.1 else "Resource"
        written[element] = alone_or_listed(random, [resource(random, drawn["on"]) for _ in range(random.randint(1, 2))])
    if random.random() < 0.35:
        written["Condition"] = conditions(random, drawn)
    return written


def rcp(random: Random, drawn: dict[str, Any]) -> dict[str, Any]:
    """An RCP: the one that AWS attaches, or a Deny for everyone."""
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    if random.random() < 0.4:
        return {"Version": "2012-10-17", "Statement": [everything]}
    deny = statement(random, drawn, "rcp") | {"Effect": "Deny", "Principal": "*"}
    deny.pop("NotAction", None)
    deny["Action"] = random.choice([drawn["action"], drawn["action"].split(":")[0] + ":*", "sqs:Purge*"])
    if "Condition" not in deny and random.random() < 0.7:
        deny["Condition"] = conditions(random, drawn)
    return {"Version": "2012-10-17", "Statement": [deny]}


def grant(random: Random, drawn: dict[str, Any]) -> dict[str, Any]:
    """A grant on the key, to the caller or to somebody else."""
    by = drawn["by"]
    grantee = random.choice(
        [by.get("user") or by.get("role") or by.get("federated") or ROLE, f"arn:aws:iam::{HOME}:user/eve"]
    )
    operations = random.choice([["Decrypt"], ["Encrypt", "Decrypt"]])
    written = {"key": drawn["on"], "grantee": grantee, "operations": operations}
    return written | ({"subset": {"Stage": "live"}} if random.random() < 0.5 else {})


def principal(random: Random, drawn: dict[str, Any], effect: str) -> dict[str, Any]:
    """The caller by one of its names, somebody else, or everyone."""
    by = drawn["by"]
    if "provider" in by:
        return {"Principal": {"Federated": random.choice([by["provider"], "accounts.google.com"])}}
    if "service" in by and random.random() < 0.7:
        return {
            "Principal": {
                "Service": random.choice([by["service"], [by["service"], "sns.amazonaws.com"], "ec2.amazonaws.com"])
            }
        }
    names = [*account_names(by), *(by[kind] for kind in ("user", "role", "federated", "issuer") if kind in by)]
    names += [session_arn(by)] if "role" in by else []
    others = [f"arn:aws:iam::{HOME}:user/eve", f"arn:aws:sts::{HOME}:assumed-role/deployer/other", MANAGEMENT]
    if effect == "Deny" and random.random() < 0.4 and names:
        listed = names if random.random() < 0.5 else random.sample(names, random.randint(1, len(names)))
        return {"NotPrincipal": {"AWS": [*listed, *random.sample(others, random.randint(0, 1))]}}
    if effect == "Allow" and random.random() < 0.05:
        return {"NotPrincipal": {"AWS": [f"arn:aws:iam::{MANAGEMENT}:root"]}}
    if random.random() < 0.15:
        return {"Principal": random.choice(["*", {"AWS": "*"}])}
    pool = names * 3 + others
    return {"Principal": {"AWS": alone_or_listed(random, random.sample(pool, random.randint(1, 2)))}}


def action(random: Random, name: str, kind: str) -> str:
    """A pattern for the action, or for another one."""
    service, verb = name.split(":")
    near = [
        name,
        name,
        f"{service}:*",
        f"{service}:{verb[:3]}*",
        f"{service.upper()}:{verb.lower()}",
        f"{service}:?{verb[1:]}",
    ]
    far = [f"{service}:Delete*", "cloudwatch:*", f"{service}:{verb}X"]
    return random.choice([*near, *far] if kind in ("resource", "trust") else [*near, "*", *far])


def resource(random: Random, arn: str) -> str:
    """A pattern for the resource, or for another one."""
    if arn == "*":
        return random.choice(["*", "*", "arn:aws:ec2:*:*:instance/*"])
    head, tail = ":".join(arn.split(":")[:5]), arn.split(":", 5)[5]
    service = arn.split(":")[2]
    at = random.randrange(len(tail))
    return random.choice(
        [
            "*",
            "*",
            arn,
            f"{head}:*",
            f"arn:aws:{service}:*:*:{tail}",
            f"{head}:{tail[:at]}*",
            f"{head}:{tail[:at]}?{tail[at + 1 :]}",
            f"{head}:{tail[:at]}*{tail[-1]}",
            f"arn:aws:{service}:e*:*:*{tail[at:]}",
            f"arn:aws:{service}:*1:1?1*3:{tail}",
            f"arn:aws:{service}:*{head[-1:]}:{tail}" if ":" in tail else arn,
            f"{head}:evidence/${{aws:username}}/*",
            f"{head}:evidence/${{aws:PrincipalTag/team, 'alice'}}/*",
            f"{head}:other",
        ]
    )


def conditions(random: Random, drawn: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One or two operators, each with one key."""
    block: dict[str, dict[str, Any]] = {}
    for _ in range(random.choice([1, 1, 2])):
        key = random.choice(
            [*KEYS, *KEYS, "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:ResourceAccount"]
        )
        operator, values = comparison(random, key, drawn)
        block.setdefault(operator, {})[random.choice([key, key.lower()])] = alone_or_listed(random, values)
    return block


def comparison(random: Random, key: str, drawn: dict[str, Any]) -> tuple[str, list[str]]:
    """An operator for the key, and values."""
    if random.random() < 0.1:
        return "Null", [random.choice(["true", "false"])]
    implicit = "Arn" if key == "aws:PrincipalArn" else "String"
    family, values = KEYS.get(key, (implicit, list(context_of(drawn).get(key.lower(), [])) or ["000000000000"]))
    name = random.choice(OPERATORS[family])
    operator = name if family == "Ip" else f"{family}{name}"
    if implicit == "Arn" and key not in KEYS and ":" not in values[0]:
        values = [ROLE]
    if family == "Arn" or operator in ("StringLike", "StringNotLike") or family not in ("String", "Arn"):
        values = values + WRITTEN_ONLY.get(family, [])
    wanted = random.sample(values, min(len(values), random.randint(1, 1 if family == "Bool" else 2)))
    several = key == "aws:TagKeys"
    qualifier = random.choice(["ForAllValues:", "ForAnyValue:"]) if random.random() < (0.8 if several else 0.05) else ""
    return qualifier + operator + ("IfExists" if random.random() < 0.15 else ""), wanted


def alone_or_listed(random: Random, values: list[str]) -> Any:
    """A single value may be written without brackets."""
    return values[0] if len(values) == 1 and random.random() < 0.5 else values
