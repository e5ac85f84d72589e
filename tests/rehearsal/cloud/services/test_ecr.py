"""ECR in the local cloud: digests, tags that stay, scans, and replication between registries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import EVIDENCE
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.replicating import AWAY, HOME, client
from tests.rehearsal.cloud.waiting import until

OTHER_ACCOUNT = EVIDENCE
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def home(cloud: LocalCloud) -> Any:
    return client(cloud, "ecr", HOME)


@pytest.fixture
def away(cloud: LocalCloud) -> Any:
    return client(cloud, "ecr", AWAY)


@pytest.fixture
def name() -> str:
    return f"interlock-{uuid4().hex[:8]}/serving"


def _manifest(text: str = "") -> str:
    layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 70, "digest": f"sha256:{'1' * 64}"}]
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 7, "digest": f"sha256:{'2' * 64}"}
    return json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": config, "layers": layers, "note": text})


def _push(ecr: Any, name: str, tag: str, manifest: str | None = None) -> str:
    answer = ecr.put_image(repositoryName=name, imageManifest=manifest or _manifest(), imageTag=tag)
    return str(answer["image"]["imageId"]["imageDigest"])


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def _replicate(ecr: Any, name: str, region: str = AWAY, registry_id: str = "123456789012") -> None:
    rule = {
        "destinations": [{"region": region, "registryId": registry_id}],
        "repositoryFilters": [{"filter": name.split("/")[0], "filterType": "PREFIX_MATCH"}],
    }
    ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})


def _settled(ecr: Any, name: str, tag: str) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        answer = ecr.describe_image_replication_status(repositoryName=name, imageId={"imageTag": tag})
        return dict(answer["replicationStatuses"][0])

    return until(look, lambda seen: seen["status"] != "IN_PROGRESS")


@pytest.mark.corrects("ecr.digests")
def test_an_image_is_known_by_the_digest_of_its_manifest(cloud: LocalCloud, home: Any, name: str) -> None:
    home.create_repository(repositoryName=name)
    digest = _push(home, name, "1")
    assert digest == "sha256:" + hashlib.sha256(_manifest().encode()).hexdigest()
    (image,) = home.describe_images(repositoryName=name, imageIds=[{"imageDigest": digest}])["imageDetails"]
    assert (image["imageTags"], image["imageSizeInBytes"]) == (["1"], 70)


@pytest.mark.corrects("ecr.pushes")
def test_an_immutable_tag_stays_with_its_image(cloud: LocalCloud, home: Any, name: str) -> None:
    home.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    first = _push(home, name, "1")
    assert _code(lambda: _push(home, name, "1", _manifest("other"))) == "ImageTagAlreadyExistsException"
    assert _code(lambda: _push(home, name, "1")) == "ImageAlreadyExistsException"
    assert _push(home, name, "2") == first


@pytest.mark.corrects("ecr.pushes")
def test_a_mutable_tag_moves_and_leaves_its_image_untagged(cloud: LocalCloud, home: Any, name: str) -> None:
    home.create_repository(repositoryName=name)
    first, second = _push(home, name, "1"), _push(home, name, "1", _manifest("other"))
    found = {one["imageDigest"]: one.get("imageTag") for one in home.list_images(repositoryName=name)["imageIds"]}
    assert found == {first: None, second: "1"}


@pytest.mark.corrects("ecr.pushes")
def test_a_push_of_another_digest_or_of_no_manifest_is_refused(cloud: LocalCloud, home: Any, name: str) -> None:
    home.create_repository(repositoryName=name)
    wrong = {"repositoryName": name, "imageTag": "1", "imageDigest": f"sha256:{'0' * 64}"}
    assert _code(lambda: home.put_image(imageManifest=_manifest(), **wrong)) == "ImageDigestDoesNotMatchException"
    assert _code(lambda: _push(home, name, "1", "no manifest")) == "InvalidParameterException"
    assert _code(lambda: _push(home, f"{name}-absent", "1")) == "RepositoryNotFoundException"


@pytest.mark.corrects("ecr.scans")
def test_findings_are_told_of_scanned_images_only(cloud: LocalCloud, home: Any, name: str) -> None:
    home.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    home.create_repository(repositoryName=f"{name}-unscanned")
    for repository in (name, f"{name}-unscanned"):
        _push(home, repository, "1")
    wanted = {"imageId": {"imageTag": "1"}}
    found = home.describe_image_scan_findings(repositoryName=name, **wanted)
    assert (found["imageScanStatus"]["status"], found["imageScanFindings"]["findings"]) == ("COMPLETE", [])
    (image,) = home.describe_images(repositoryName=name)["imageDetails"]
    assert image["imageScanStatus"]["status"] == "COMPLETE"
    code = _code(lambda: home.describe_image_scan_findings(repositoryName=f"{name}-unscanned", **wanted))
    assert code == "ScanNotFoundException"


@pytest.mark.corrects("ecr.replication")
def test_what_is_pushed_after_the_rule_is_copied_to_the_other_region(
    cloud: LocalCloud, home: Any, away: Any, name: str
) -> None:
    home.create_repository(repositoryName=name)
    _push(home, name, "before", _manifest("before"))
    _replicate(home, name)
    digest = _push(home, name, "after")
    assert _settled(home, name, "after") == {"region": AWAY, "registryId": cloud.account_id, "status": "COMPLETE"}
    assert away.list_images(repositoryName=name)["imageIds"] == [{"imageDigest": digest, "imageTag": "after"}]
    got = away.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])["images"]
    assert got[0]["imageManifest"] == _manifest()
    home.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": digest}])
    assert away.list_images(repositoryName=name)["imageIds"]


def test_a_repository_that_no_rule_names_is_not_replicated(home: Any, away: Any, name: str) -> None:
    _replicate(home, name)
    home.create_repository(repositoryName=f"other-{name}")
    _push(home, f"other-{name}", "1")
    wanted = {"repositoryName": f"other-{name}", "imageId": {"imageTag": "1"}}
    assert home.describe_image_replication_status(**wanted)["replicationStatuses"] == []


def test_a_tag_that_stays_at_the_destination_fails_the_replication(home: Any, away: Any, name: str) -> None:
    for ecr in (home, away):
        ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    theirs = _push(away, name, "1", _manifest("theirs"))
    _replicate(home, name)
    _push(home, name, "1")
    assert _settled(home, name, "1")["status"] == "FAILED"
    assert away.list_images(repositoryName=name)["imageIds"] == [{"imageDigest": theirs, "imageTag": "1"}]


def test_another_account_takes_images_where_its_registry_policy_allows_it(
    cloud: LocalCloud, home: Any, name: str
) -> None:
    theirs = client(cloud, "ecr", AWAY, OTHER_ACCOUNT)
    home.create_repository(repositoryName=name)
    _replicate(home, name, registry_id=OTHER_ACCOUNT)
    _push(home, name, "refused")
    assert _settled(home, name, "refused")["failureCode"] == "AccessDenied"
    statement = {
        "Sid": "Replication",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account_id}:root"},
        "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"],
        "Resource": f"arn:aws:ecr:{AWAY}:{OTHER_ACCOUNT}:repository/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    theirs.put_registry_policy(policyText=json.dumps(policy))
    digest = _push(home, name, "allowed", _manifest("allowed"))
    assert _settled(home, name, "allowed")["status"] == "COMPLETE"
    assert theirs.list_images(repositoryName=name)["imageIds"] == [{"imageDigest": digest, "imageTag": "allowed"}]


@pytest.mark.corrects("ecr.replication")
def test_a_registry_has_several_rules_but_none_to_itself(cloud: LocalCloud, name: str) -> None:
    ecr = client(cloud, "ecr", "us-west-2")
    rules = [{"destinations": [{"region": region, "registryId": cloud.account_id}]} for region in (HOME, AWAY)]
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == rules
    own = [{"destinations": [{"region": "us-west-2", "registryId": cloud.account_id}]}]
    code = _code(lambda: ecr.put_replication_configuration(replicationConfiguration={"rules": own}))
    assert code == "InvalidParameterException"


def test_repositories_count_in_the_inventory(cloud: LocalCloud, home: Any, name: str) -> None:
    arn = home.create_repository(repositoryName=name)["repository"]["repositoryArn"]
    assert arn in cloud.inventory()["ecr"]
    home.delete_repository(repositoryName=name)
    assert arn not in cloud.inventory()["ecr"]
