"""Whole operations of the real CLI on small programs: what the engine makes of what our provider answers."""

from __future__ import annotations

import json
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from rehearsal.session import Session, SessionError

PRELUDE = """
import json
import pulumi
import pulumi_aws as aws
from pulumi import ResourceOptions as Options
"""


class Program:
    """A Pulumi project whose program can be changed from one operation to the next."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session = session
        self.folder = folder
        self.project = f"program{uuid.uuid4().hex[:8]}"
        (folder / "Pulumi.yaml").write_text(f"name: {self.project}\nruntime: python\n")
        self.write("")
        self.pulumi("stack", "init", "test")

    def write(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(PRELUDE + textwrap.dedent(text))

    def pulumi(self, *arguments: str) -> str:
        return self.session.pulumi(*arguments, directory=self.folder).stdout

    def up(self, text: str | None = None, *arguments: str) -> None:
        if text is not None:
            self.write(text)
        self.pulumi("up", "--yes", "--skip-preview", *arguments)

    def fails(self, *arguments: str) -> str:
        with pytest.raises(SessionError) as failed:
            self.pulumi(*arguments)
        return str(failed.value)

    def changes(self, text: str, *arguments: str) -> dict[str, tuple[str, list[str]]]:
        """Return, of a preview of `text`, each resource's step and the paths it names."""
        self.write(text)
        plan = json.loads(self.pulumi("preview", "--json", "--diff", *arguments))
        return {
            step["urn"].rpartition("::")[2]: (step["op"], sorted(step.get("detailedDiff") or {}))
            for step in plan["steps"]
            if "pulumi:" not in step["urn"].split("::")[2] and step["op"] != "same"
        }

    def resources(self) -> dict[str, Any]:
        found = json.loads(self.pulumi("stack", "export"))["deployment"]["resources"]
        return {item["urn"].rpartition("::")[2]: item for item in found}


@pytest.fixture
def program(session: Session, tmp_path: Path) -> Program:
    return Program(session, tmp_path)


@pytest.fixture(scope="module")
def one_group(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A program that has made `GROUP`, for tests that only preview."""
    made = Program(session, tmp_path_factory.mktemp("one-group"))
    made.up(GROUP.format(days=7, options=""))
    return made


GROUP = """
group = aws.cloudwatch.LogGroup("group", retention_in_days={days}, tags={{"a": "1"}}, opts=Options({options}))
"""


def test_a_stack_goes_up_unchanged_down_and_leaves_nothing(program: Program) -> None:
    program.up("""
        key = aws.kms.Key("key", description="a key", enable_key_rotation=True)
        aws.kms.Alias("main", target_key_id=key.id)
        bucket = aws.s3.Bucket("Data", tags={"a": "1"})
        versions = aws.s3.BucketVersioning("versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
        text = pulumi.FileAsset("Pulumi.yaml")
        aws.s3.BucketObjectv2("note", bucket=bucket.id, source=text, opts=Options(depends_on=[versions]))
        pulumi.export("account", aws.get_caller_identity_output().account_id)
    """)
    program.pulumi("refresh", "--yes", "--expect-no-changes")
    program.pulumi("preview", "--expect-no-changes")
    made = program.resources()["Data"]["id"]
    assert made in [bucket["Name"] for bucket in program.session.client("s3").list_buckets()["Buckets"]]
    assert program.pulumi("stack", "output", "account").strip() == program.session.cloud.account_id
    program.pulumi("destroy", "--yes")
    assert made not in [bucket["Name"] for bucket in program.session.client("s3").list_buckets()["Buckets"]]


def test_a_preview_names_exactly_what_changes(one_group: Program) -> None:
    changed = GROUP.format(days=7, options="").replace('"a": "1"', '"a": "2"')
    assert one_group.changes(changed) == {"group": ("update", ["tags.a"])}
    assert one_group.changes(GROUP.format(days=14, options="")) == {"group": ("update", ["retentionInDays"])}
    renamed = GROUP.format(days=7, options="").replace('"group", ', '"group", name="/other", ')
    assert ("replace", ["name"]) in one_group.changes(renamed).values()


def test_four_mistakes_are_four_errors_and_nothing_is_made(program: Program) -> None:
    program.write("""
        aws.s3.Bucket("good")
        aws.s3.BucketVersioning("enum", bucket="b", versioning_configuration={"status": "Enabledd"})
        aws.iam.RolePolicyAttachment("arn", role="r", policy_arn="not-an-arn")
        from pulumi import CustomResource
        CustomResource("aws:kms/alias:Alias", "missing", {})
        aws.s3.BucketLifecycleConfiguration(
            "unknown", bucket="b", rules=[{"id": "r", "status": "Enabled", "filter": {"prefixx": "x"}}]
        )
    """)
    for arguments in (("preview",), ("up", "--yes")):
        told = program.fails(*arguments)
        assert "versioningConfiguration.status" in told
        assert "policyArn" in told
        assert "targetKeyId" in told
        assert "rules[0].filter.prefixx" in told
        assert "Traceback" not in told
    ours = [bucket["Name"] for bucket in program.session.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in ours if name.startswith("good-")]


def test_secrets_are_nowhere_in_plain_text(program: Program) -> None:
    program.up("""
        word = pulumi.Output.secret("sesame-open-now")
        aws.ssm.Parameter("word", type="SecureString", value=word)
        secret = aws.secretsmanager.Secret("kept")
        document = word.apply(lambda w: json.dumps({"w": w}))
        aws.secretsmanager.SecretVersion("kept", secret_id=secret.id, secret_string=document)
        pulumi.export("word", word)
    """)
    for told in (
        program.pulumi("stack", "export"),
        program.pulumi("stack", "output"),
        program.pulumi("preview", "--diff"),
    ):
        assert "sesame-open-now" not in told
    program.pulumi("refresh", "--yes", "--expect-no-changes")
    assert "sesame-open-now" not in program.pulumi("stack", "export")
    assert program.pulumi("stack", "output", "word", "--show-secrets").strip() == "sesame-open-now"


def test_what_is_protected_or_retained_outlives_its_declaration(program: Program) -> None:
    program.up(GROUP.format(days=7, options="protect=True"))
    program.write("")
    assert "protect" in program.fails("up", "--yes", "--skip-preview")
    program.up(GROUP.format(days=7, options="retain_on_delete=True"))
    name = program.resources()["group"]["id"]
    program.up("")
    found = program.session.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [group["logGroupName"] for group in found] == [name]


def test_ignored_changes_are_ignored_at_any_depth(one_group: Program) -> None:
    options = 'ignore_changes=["tags.a", "retentionInDays"]'
    text = GROUP.format(days=14, options=options).replace('"a": "1"', '"a": "2", "b": "3"')
    assert one_group.changes(text) == {"group": ("update", ["tags.b"])}


def test_a_change_can_be_made_to_replace_and_the_old_to_go_first(program: Program) -> None:
    program.up(GROUP.format(days=7, options=""))
    old = program.resources()["group"]["id"]
    program.up(GROUP.format(days=14, options='replace_on_changes=["retentionInDays"], delete_before_replace=True'))
    new = program.resources()["group"]["id"]
    assert new != old
    found = program.session.client("logs").describe_log_groups(logGroupNamePrefix="group-")["logGroups"]
    assert old not in [group["logGroupName"] for group in found]


def test_a_renamed_resource_is_the_same_by_its_alias(one_group: Program) -> None:
    text = GROUP.format(days=7, options='aliases=[pulumi.Alias(name="group")]').replace(
        '"group", ret', '"renamed", ret'
    )
    assert one_group.changes(text) == {}


def test_an_existing_resource_is_taken_over_by_import(program: Program) -> None:
    name = f"/existing/{program.project}"
    program.session.client("logs").create_log_group(logGroupName=name)
    text = f"""
        aws.cloudwatch.LogGroup("taken", name="{name}", opts=Options(import_="{name}"))
    """
    assert program.changes(text) == {"taken": ("import", [])}
    program.up()
    program.write(text.replace(f'import_="{name}"', ""))
    program.pulumi("preview", "--expect-no-changes")
    found = f'pulumi.export("days", aws.cloudwatch.LogGroup.get("seen", "{name}").retention_in_days)'
    program.up(found, "--target", "**seen")


def test_what_the_import_command_takes_over_a_program_declares_unchanged(program: Program, session: Session) -> None:
    name = f"hand-made-{uuid.uuid4().hex[:8]}"
    session.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": session.cloud.region}
    )
    program.pulumi("import", "aws:s3/bucket:Bucket", "store", name, "--yes")
    changes = program.changes(f'aws.s3.Bucket("store", bucket="{name}", opts=Options(protect=True))')
    assert changes == {}
    missing = program.fails("import", "aws:kms/key:Key", "key", "11111111-2222-3333-4444-555555555555", "--yes")
    assert "resource '11111111-2222-3333-4444-555555555555' does not exist" in missing


def test_what_is_looked_up_and_does_not_exist_is_refused(program: Program) -> None:
    program.write('aws.s3.Bucket.get("gone", "nobody-ever-made-this-bucket")')
    assert "resource 'nobody-ever-made-this-bucket' does not exist" in program.fails("preview")


def test_only_the_targets_of_an_update_change(program: Program) -> None:
    two = """
        aws.cloudwatch.LogGroup("one", retention_in_days={days})
        aws.cloudwatch.LogGroup("two", retention_in_days={days})
    """
    program.up(two.format(days=7))
    program.up(two.format(days=14), "--target", program.resources()["one"]["urn"])
    assert program.resources()["one"]["outputs"]["retentionInDays"] == 14
    assert program.resources()["two"]["outputs"]["retentionInDays"] == 7


def test_explicit_providers_make_resources_in_their_regions_and_accounts(program: Program) -> None:
    program.up("""
        there = aws.Provider("there", region="us-east-1", default_tags={"tags": {"team": "risk"}})
        role = {"role_arn": "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"}
        other = aws.Provider("other", region="eu-central-1", assume_roles=[role])
        aws.kms.Key("here", description="here")
        aws.kms.Key("abroad", description="abroad", opts=Options(provider=there))
        aws.kms.Key("elsewhere", description="elsewhere", opts=Options(provider=other))
        aws.kms.Key("own", description="own", region="us-west-2")
    """)
    made = program.resources()
    account = program.session.cloud.account_id
    assert made["here"]["outputs"]["arn"].startswith(f"arn:aws:kms:eu-west-1:{account}:")
    assert made["abroad"]["outputs"]["arn"].startswith(f"arn:aws:kms:us-east-1:{account}:")
    assert made["abroad"]["outputs"]["tagsAll"] == {"team": "risk"}
    assert made["elsewhere"]["outputs"]["arn"].startswith("arn:aws:kms:eu-central-1:210987654321:")
    assert made["own"]["outputs"]["arn"].startswith(f"arn:aws:kms:us-west-2:{account}:")
    program.pulumi("refresh", "--yes", "--expect-no-changes")
    program.pulumi("destroy", "--yes")


def test_a_warning_of_the_provider_reaches_the_author_with_its_path(program: Program) -> None:
    program.write("""
        aws.s3.Bucket("old", server_side_encryption_configuration={
            "rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
        })
    """)
    told = program.pulumi("preview")
    assert "warning: serverSideEncryptionConfiguration: " in told
    assert "deprecated" in told


def test_an_unknown_provider_setting_is_refused(program: Program) -> None:
    program.write("""
        from pulumi import ProviderResource
        own = ProviderResource("aws", "own", {"regionn": "us-east-1"}, Options(version="7.51.1"))
        aws.kms.Key("key", opts=Options(provider=own))
    """)
    told = program.fails("preview")
    assert "regionn" in told
    assert "did you mean region" in told


def test_a_destroy_takes_nothing_on_which_something_protected_stands(program: Program) -> None:
    """What a lasting stack relies on: its manifest, protected, depends on everything else."""
    program.up("""
        free = aws.cloudwatch.LogGroup("free")
        aws.ssm.Parameter("last", type="String", value="1", opts=Options(protect=True, depends_on=[free]))
    """)
    before = program.resources()
    target = ["--target", before["free"]["urn"]]
    for options in (["--skip-preview"], target, [*target, "--target-dependents", "--skip-preview"]):
        assert program.fails("destroy", "--yes", *options)
    program.pulumi("destroy", "--yes", "--skip-preview", "--exclude-protected")
    assert program.resources().keys() == before.keys()
    assert program.session.client("logs").describe_log_groups(logGroupNamePrefix="free-")["logGroups"]
