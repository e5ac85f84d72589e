"""The language host below the real CLI, with programs that need no provider."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from rehearsal.engine.language.host import installed_plugins
from rehearsal.session import Session

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, session: Session) -> Project:
    """Writes a project with one stack, `test`, and returns its folder."""

    def write(program: str, settings: str = "runtime: python", **files: str) -> Path:
        (tmp_path / "Pulumi.yaml").write_text(f"name: {tmp_path.name.replace('_', '-')[:40]}\n{settings}\n")
        (tmp_path / "__main__.py").write_text(textwrap.dedent(program))
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        session.pulumi("stack", "init", "test", directory=tmp_path)
        return tmp_path

    return write


def test_a_program_gets_its_project_stack_configuration_and_secrets(session: Session, project: Project) -> None:
    folder = project("""
        import pulumi
        config = pulumi.Config()
        pulumi.export("names", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
        pulumi.export("root", pulumi.get_root_directory())
        pulumi.export("plain", config.require("plain"))
        pulumi.export("secret", config.require_secret("secret"))
        pulumi.export("guessed", config.require("secret"))
        """)
    session.pulumi("config", "set", "plain", "one", directory=folder)
    session.pulumi("config", "set", "--secret", "secret", "hidden-value", directory=folder)

    up = session.pulumi("up", "--yes", directory=folder)

    outputs = json.loads(session.pulumi("stack", "output", "--json", directory=folder).stdout)
    assert outputs["names"][1:] == ["test", "organization"]
    assert outputs["root"] == str(folder)
    assert (outputs["plain"], outputs["secret"]) == ("one", "[secret]")
    assert "hidden-value" not in up.stdout.replace('guessed: "hidden-value"', "")


def test_a_program_imports_the_modules_beside_it_without_hiding_those_that_pulumi_imports(
    session: Session, project: Project
) -> None:
    folder = project(
        "import pulumi, helper, platform; pulumi.export('value', helper.VALUE + platform.python_version())",
        helper="VALUE = 'beside '",
    )

    session.pulumi("up", "--yes", directory=folder)

    shown = session.pulumi("stack", "output", "value", directory=folder).stdout.strip()
    assert shown == f"beside {sys.version.split()[0]}"


def test_an_unhandled_exception_shows_the_users_frames_and_not_the_runtimes(session: Session, project: Project) -> None:
    folder = project("""
        def broken(amount):
            raise ValueError(f"amount: {amount} is negative")
        broken(-1)
        """)

    preview = session.pulumi("preview", directory=folder, check=False)

    said = preview.stdout + preview.stderr
    assert preview.returncode != 0
    assert "ValueError: amount: -1 is negative" in said
    assert "in broken" in said
    assert "runpy" not in said
    assert "asyncio" not in said
    assert "language" not in said.replace("language plugin", "")


def test_what_the_program_died_of_is_told_beside_the_mistakes_of_its_resources(
    session: Session, project: Project
) -> None:
    folder = project("""
        import pulumi_aws as aws
        aws.kms.Key("enum", key_usage="SIGN")
        aws.lambda_.Permission("missing", action="lambda:InvokeFunction")
        """)

    preview = session.pulumi("preview", directory=folder, check=False)

    assert "Missing required property 'function'" in preview.stdout
    assert "keyUsage: " in preview.stdout


def test_an_input_that_the_sdk_refuses_is_told_in_short_beside_the_mistakes_of_other_resources(
    session: Session, project: Project
) -> None:
    folder = project("""
        import pulumi_aws as aws
        aws.kms.Key("enum", key_usage="SIGN")
        aws.ec2.Vpc("refused", cidr_block=["10.0.0.0/16"])
        """)

    preview = session.pulumi("preview", directory=folder, check=False)

    assert "While processing input: 'cidr_block'" in preview.stdout
    assert "Traceback" not in preview.stdout
    assert "keyUsage: " in preview.stdout


def test_a_run_error_is_one_message_without_a_traceback(session: Session, project: Project) -> None:
    folder = project("import pulumi; raise pulumi.RunError('settings: max must not be below min')")

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert "settings: max must not be below min" in preview.stdout
    assert "Traceback" not in preview.stdout + preview.stderr


@pytest.mark.parametrize("end", ["raise pulumi.RunError('max < min')", "1 / 0", "raise SystemExit(3)"])
def test_a_program_that_fails_deletes_nothing_that_it_has_not_come_to(
    session: Session, project: Project, end: str
) -> None:
    named = "pulumi.ComponentResource('tests:index:Kept', 'kept')"
    folder = project(f"import pulumi; {named}")
    session.pulumi("up", "--yes", directory=folder)

    (folder / "__main__.py").write_text(f"import pulumi; {end}; {named}")
    up = session.pulumi("up", "--yes", "--skip-preview", directory=folder, check=False)

    assert up.returncode != 0
    assert "deleted" not in up.stdout
    assert "::kept" in session.pulumi("stack", "export", directory=folder).stdout


def test_a_mistake_inside_of_an_apply_names_the_file_and_the_line(session: Session, project: Project) -> None:
    folder = project(
        "import pulumi, policies\npulumi.export('document', pulumi.Output.from_input(1).apply(policies.document))",
        policies="def document(number: int) -> str:\n    return number.nope\n",
    )

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert f'File "{folder}/policies.py", line 2, in document' in preview.stdout
    assert "AttributeError: 'int' object has no attribute 'nope'" in preview.stdout
    assert "pulumi/runtime" not in preview.stdout


def test_what_the_engine_refuses_is_told_without_a_traceback(session: Session, project: Project) -> None:
    folder = project("""
        import pulumi
        options = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="3 parsecs"))
        pulumi.CustomResource("pulumi:pulumi:Stash", "one", {"input": 1}, options)
        """)

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert "unable to parse customTimeout Value 3 parsecs" in preview.stdout
    assert "Traceback" not in preview.stdout


def test_a_syntax_error_names_the_file_and_the_line(session: Session, project: Project) -> None:
    folder = project("import pulumi\nvalue = = 1\n")

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert "__main__.py" in preview.stdout
    assert "line 2" in preview.stdout
    assert "SyntaxError" in preview.stdout
    assert "runpy" not in preview.stdout


def test_a_program_that_is_killed_fails_the_operation(session: Session, project: Project) -> None:
    folder = project("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert "SIGKILL" in preview.stdout + preview.stderr


def test_what_a_program_prints_is_shown(session: Session, project: Project) -> None:
    folder = project("import sys; print('to the reader'); print('and a warning', file=sys.stderr)")

    preview = session.pulumi("preview", directory=folder)

    assert "to the reader" in preview.stdout
    assert "and a warning" in preview.stdout


def test_the_configuration_is_not_left_where_a_program_could_print_it(session: Session, project: Project) -> None:
    folder = project("""
        import os, sys, pulumi
        text = " ".join([*sys.argv, *os.environ.values(), sys.stdin.read()])
        pulumi.export("found", "top-secret" in text)
        """)
    session.pulumi("config", "set", "--secret", "word", "top-secret", directory=folder)

    session.pulumi("up", "--yes", directory=folder)

    assert session.pulumi("stack", "output", "found", directory=folder).stdout.strip() == "false"


def test_a_dynamic_provider_runs(session: Session, project: Project) -> None:
    folder = project("""
        import pulumi
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider

        class Doubling(ResourceProvider):
            def create(self, props):
                return CreateResult(id_="one", outs={"value": 2 * props["value"]})

        class Doubled(Resource):
            value: pulumi.Output[int]

            def __init__(self, name, value):
                super().__init__(Doubling(), name, {"value": value})

        pulumi.export("value", Doubled("doubled", 21).value)
        """)

    session.pulumi("up", "--yes", "--skip-preview", directory=folder)

    assert session.pulumi("stack", "output", "value", directory=folder).stdout.strip() == "42"


def test_a_folder_without_a_program_is_said_to_have_none(session: Session, project: Project) -> None:
    folder = project("", settings="runtime: python\nmain: programs")
    (folder / "programs").mkdir()

    preview = session.pulumi("preview", directory=folder, check=False)

    assert preview.returncode != 0
    assert "__main__.py" in preview.stdout + preview.stderr


def test_an_interrupted_preview_ends_its_program(session: Session, project: Project, tmp_path: Path) -> None:
    folder = project(f"""
        import os, time
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(300)
        """)
    preview = subprocess.Popen(
        [str(session.bin / "pulumi"), "preview", "--non-interactive"],
        cwd=folder,
        env=session.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)

    preview.kill()
    preview.wait()

    program = int((tmp_path / "pid").read_text())
    while Path(f"/proc/{program}").exists() and "Z" not in Path(f"/proc/{program}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline + 15, "the program outlives its engine"
        time.sleep(0.1)


@pytest.fixture
def host(session: Session) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(session.bin / "pulumi-language-python"), "127.0.0.1:1"],
        env=session.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_host_ends_quietly_and_at_once(host: subprocess.Popen[str], number: signal.Signals) -> None:
    assert host.stdout is not None
    assert int(host.stdout.readline()) > 0
    started = time.monotonic()

    host.send_signal(number)

    output, said = host.communicate(timeout=60)
    assert (host.returncode, output, said) == (0, "", "")
    assert time.monotonic() - started < 10


def test_the_host_names_the_plugins_that_the_installed_sdks_need(host: subprocess.Popen[str]) -> None:
    assert host.stdout is not None
    stub = language_pb2_grpc.LanguageRuntimeStub(grpc.insecure_channel(f"127.0.0.1:{host.stdout.readline().strip()}"))

    packages = stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
    information = stub.GetPluginInfo(empty_pb2.Empty())
    about = stub.About(language_pb2.AboutRequest())

    host.terminate()
    host.wait(10)
    assert [(package.name, package.version) for package in packages] == installed_plugins() == [("aws", "7.51.1")]
    assert information.version == "3.259.0"
    assert os.path.samefile(about.executable, sys.executable) or about.executable.endswith("/python")


def test_a_plugin_written_in_python_runs_with_its_arguments_and_output(
    host: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert host.stdout is not None
    (tmp_path / "__main__.py").write_text(
        "import os, sys; print(sys.argv[1:], os.environ['GIVEN']); print('oh', file=sys.stderr); sys.exit(3)"
    )
    stub = language_pb2_grpc.LanguageRuntimeStub(grpc.insecure_channel(f"127.0.0.1:{host.stdout.readline().strip()}"))
    request = language_pb2.RunPluginRequest(
        kind="resource",
        pwd=str(tmp_path),
        args=["a", "b"],
        env=["GIVEN=word"],
        info=language_pb2.ProgramInfo(program_directory=str(tmp_path), entry_point="."),
    )

    answers = list(stub.RunPlugin(request))

    host.terminate()
    host.wait(10)
    assert b"".join(answer.stdout for answer in answers) == b"['a', 'b'] word\n"
    assert b"".join(answer.stderr for answer in answers) == b"oh\n"
    assert answers[-1].exitcode == 3
