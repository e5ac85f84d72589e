"""A policy document becomes typed statements, or one line that says where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import (
    Effect,
    Escaped,
    NotModelled,
    PolicyError,
    PolicyKind,
    Qualifier,
    Variable,
)
from tests.interlock.duties.test_policies import DOCUMENTS


def _document(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"} | changes
    return {"Version": "2012-10-17", "Statement": [{k: v for k, v in statement.items() if v is not None}]}


def test_elements_are_typed_and_condition_keys_are_lower_cased() -> None:
    condition = {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b"]}}
    policy = parse(json.dumps(_document(Sid="One", Condition=condition)), PolicyKind.IDENTITY, "role r")
    (statement,) = policy.statements
    assert (statement.label, statement.effect, statement.action) == ("One", Effect.ALLOW, ("s3:GetObject",))
    (found,) = statement.condition
    assert (found.operator, found.key, found.qualifier, found.if_exists) == (
        "StringLike", "aws:tagkeys", Qualifier.ANY, True,
    )  # fmt: skip
    assert [value.written for value in found.values] == ["a*", "b"]


def test_variables_defaults_and_escapes_are_told_apart() -> None:
    resource = "arn:aws:s3:::b/${aws:PrincipalTag/team, 'company'}/${aws:username}/${*}x*"
    policy = parse(_document(Resource=resource), PolicyKind.IDENTITY, "role r")
    assert policy.statements[0].resource[0].parts == (
        "arn:aws:s3:::b/", Variable("aws:principaltag/team", "company"), "/", Variable("aws:username"), "/",
        Escaped("*"), "x*",
    )  # fmt: skip


def test_a_document_without_a_version_has_no_variables() -> None:
    document = {"Statement": _document(Resource="arn:aws:s3:::b/${aws:username}")["Statement"]}
    assert parse(document, PolicyKind.IDENTITY, "old").statements[0].resource[0].variables == ()


MALFORMED = [
    ("{", PolicyKind.IDENTITY, "document"),
    ("[]", PolicyKind.IDENTITY, "document"),
    ('{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}', PolicyKind.IDENTITY, "Effect"),
    ({"Version": "2012-10-17"}, PolicyKind.IDENTITY, "Statement"),
    ({"Version": "2012-10-17", "Statement": []}, PolicyKind.IDENTITY, "Statement"),
    ({"Version": "2012-10-18", "Statement": [{}]}, PolicyKind.IDENTITY, "Version"),
    ({**_document(), "Comment": "x"}, PolicyKind.IDENTITY, "Comment"),
    (_document(Effect="allow"), PolicyKind.IDENTITY, "Statement[0].Effect"),
    (_document(Effect=None), PolicyKind.IDENTITY, "Statement[0].Effect"),
    (_document(Action=None), PolicyKind.IDENTITY, "Statement[0].Action"),
    (_document(Action=[]), PolicyKind.IDENTITY, "Statement[0].Action"),
    (_document(Action="GetObject"), PolicyKind.IDENTITY, "Statement[0].Action"),
    (_document(Action=7), PolicyKind.IDENTITY, "Statement[0].Action"),
    (_document(NotAction="s3:PutObject"), PolicyKind.IDENTITY, "Statement[0].NotAction"),
    (_document(NotResource="*"), PolicyKind.IDENTITY, "Statement[0].NotResource"),
    (_document(Resource=None), PolicyKind.IDENTITY, "Statement[0].Resource"),
    (_document(Resource="b/*"), PolicyKind.IDENTITY, "Statement[0].Resource"),
    (_document(Resource="arn:aws:s3:${aws:username}::b"), PolicyKind.IDENTITY, "Statement[0].Resource"),
    (_document(Resource="arn:aws:sqs"), PolicyKind.SESSION, "Statement[0].Resource"),
    (_document(Sid="with space"), PolicyKind.IDENTITY, "Statement[0].Sid"),
    (_document(Actions="s3:*"), PolicyKind.IDENTITY, "Statement[0].Actions"),
    (_document(Principal="*"), PolicyKind.IDENTITY, "Statement[0].Principal"),
    (_document(Principal="*"), PolicyKind.SCP, "Statement[0].Principal"),
    (_document(Principal="*"), PolicyKind.BOUNDARY, "Statement[0].Principal"),
    (_document(), PolicyKind.RESOURCE, "Statement[0].Principal"),
    (_document(Principal="*", NotPrincipal="*"), PolicyKind.RESOURCE, "Statement[0].NotPrincipal"),
    (_document(Principal={"Group": "x"}), PolicyKind.RESOURCE, "Statement[0].Principal.Group"),
    (_document(Principal={"AWS": "arn:aws:iam::123456789012:role/*"}), PolicyKind.RESOURCE, "Statement[0].Principal"),
    (_document(Principal="alice"), PolicyKind.RESOURCE, "Statement[0].Principal"),
    (_document(Principal={"AWS": "alice"}), PolicyKind.RESOURCE, "Statement[0].Principal.AWS"),
    (_document(Principal={"AWS": "12345678901"}), PolicyKind.RESOURCE, "Statement[0].Principal.AWS"),
    (_document(Principal="*"), PolicyKind.TRUST, "Statement[0].Resource"),
    (_document(Principal="*", Effect="Allow"), PolicyKind.RCP, "Statement[0].Effect"),
    (_document(Principal={"AWS": "123456789012"}, Effect="Deny"), PolicyKind.RCP, "Statement[0].Principal"),
    (
        _document(Principal="*", Action="*", Resource="*", Condition={"Null": {"aws:SourceArn": "true"}}),
        PolicyKind.RCP,
        "Statement[0].Effect",
    ),
    (_document(Condition="x"), PolicyKind.IDENTITY, "Statement[0].Condition"),
    (_document(Condition={"StringEquals": {"aws:x": []}}), PolicyKind.IDENTITY, "StringEquals.aws:x"),
    (_document(Condition={"StringEquals": {"x": "1"}}), PolicyKind.IDENTITY, "Condition.StringEquals"),
    (_document(Condition={"IpAddress": {"aws:SourceIp": "1.2.3"}}), PolicyKind.IDENTITY, "aws:SourceIp"),
    (_document(Condition={"NumericEquals": {"s3:max-keys": "ten"}}), PolicyKind.IDENTITY, "s3:max-keys"),
    (_document(Condition={"DateLessThan": {"aws:CurrentTime": "soon"}}), PolicyKind.IDENTITY, "aws:CurrentTime"),
    (_document(Condition={"Bool": {"aws:SecureTransport": "yes"}}), PolicyKind.IDENTITY, "aws:SecureTransport"),
    (_document(Condition={"NullIfExists": {"aws:x": "true"}}), PolicyKind.IDENTITY, "NullIfExists"),
]


@pytest.mark.parametrize(("document", "kind", "path"), MALFORMED)
def test_what_is_no_policy_is_refused_in_one_line_that_names_document_and_place(
    document: Any, kind: PolicyKind, path: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(document, kind, "policy p")
    message = str(refused.value)
    assert message.startswith("policy p: ")
    assert path in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Condition": {"StringEqual": {"aws:x": "1"}}}, "StringEqual"),
        ({"Condition": {"ForSomeValues:StringEquals": {"aws:x": "1"}}}, "ForSomeValues:StringEquals"),
        ({"Resource": "arn:aws:s3:::b/${user}"}, "${user}"),
        ({"Condition": {"NumericEquals": {"s3:max-keys": "${aws:PrincipalTag/n}"}}}, "${aws:PrincipalTag/n}"),
        ({"Condition": {"StringEquals": {"aws:x": "${}"}}}, "${}"),
    ],
)
def test_what_is_not_modelled_is_named_and_not_guessed_at(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(NotModelled) as refused:
        parse(_document(**changes), PolicyKind.IDENTITY, "policy p")
    assert str(refused.value).startswith("policy p: Statement[0]")
    assert named in str(refused.value)


def test_an_incomplete_arn_is_completed_in_identity_policies_and_not_modelled_elsewhere() -> None:
    document = _document(Resource="arn:aws:sqs")
    assert parse(document, PolicyKind.IDENTITY, "p").statements[0].resource[0].parts == ("arn:aws:sqs:*:*:*",)
    with pytest.raises(NotModelled, match="arn:aws:sqs"):
        parse(document, PolicyKind.SCP, "p")


def test_principals_that_are_not_modelled_are_named() -> None:
    for principal, named in (
        ({"CanonicalUser": "79a5"}, "CanonicalUser"),
        ({"Federated": "accounts.google.com"}, "Federated"),
    ):
        with pytest.raises(NotModelled, match=named):
            parse(_document(Principal=principal), PolicyKind.RESOURCE, "policy p")


def test_two_statements_may_not_share_a_sid() -> None:
    one = _document(Sid="A")["Statement"][0]
    with pytest.raises(PolicyError, match=r"Statement\[1\].Sid"):
        parse({"Version": "2012-10-17", "Statement": [one, one]}, PolicyKind.IDENTITY, "policy p")


def test_a_repository_policy_names_no_resource_and_a_trust_policy_none_either() -> None:
    document = _document(Principal={"Service": "lambda.amazonaws.com"}, Resource=None)
    assert parse(document, PolicyKind.RESOURCE, "repository").statements[0].resource == ()
    assert parse(document, PolicyKind.TRUST, "role").statements[0].resource == ()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_platforms_own_documents_are_policies(name: str) -> None:
    statements = json.loads(DOCUMENTS[name])["Statement"]
    about_principals, about_resources = ("Principal" in statements[0], "Resource" in statements[0])
    kind = PolicyKind.IDENTITY
    if about_principals:
        kind = PolicyKind.RESOURCE if about_resources else PolicyKind.TRUST
    assert len(parse(DOCUMENTS[name], kind, name).statements) == len(statements)
