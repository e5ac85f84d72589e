"""Serves `pulumirpc.LanguageRuntime` to the engine that started this process.

The engine starts `pulumi-language-python ENGINE_ADDRESS`, reads the port from the first line of standard output and
ends the process with SIGINT. Programs, policy packs and plugins run in the interpreter that runs the host.
Source: pulumi's `proto/pulumi/language.proto`.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent import futures
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from rehearsal.engine.language.program import SHOWN_TO_THE_USER
from rehearsal.engine.orphan import end_with_parent

PROGRAM = Path(__file__).with_name("program.py")


class Children:
    """The processes started for the engine, ended when their call or the host ends."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(self, context: grpc.ServicerContext, arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process that lives no longer than the call of `context`."""
        child = subprocess.Popen(arguments, **options)
        self._running.add(child)
        context.add_callback(lambda: self._end(child))
        return child

    def terminate(self) -> None:
        for child in list(self._running):
            if child.poll() is None:
                child.terminate()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        self._running.discard(child)
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=2)
            except subprocess.TimeoutExpired:
                child.kill()


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers what the engine asks of a language."""

    def __init__(self, engine_address: str, children: Children) -> None:
        self._engine_address = engine_address
        self._children = children

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        packages = [
            plugin_pb2.PackageDependency(kind="resource", name=name, version=version)
            for name, version in installed_plugins()
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        plugins = [
            plugin_pb2.PluginDependency(kind="resource", name=name, version=version)
            for name, version in installed_plugins()
        ]
        return language_pb2.GetRequiredPluginsResponse(plugins=plugins)

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        settings = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "monitor": request.monitor_address,
            "engine": self._engine_address,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "config": dict(request.config),
            "secret_keys": list(request.configSecretKeys),
            "program_directory": request.info.program_directory,
            "entry_point": request.info.entry_point,
            "arguments": list(request.args),
        }
        # Through a pipe, because the configuration holds decrypted secrets and arguments show in `ps`.
        child = self._children.start(
            context, [sys.executable, "-u", "-P", str(PROGRAM)], stdin=subprocess.PIPE, cwd=request.pwd or None
        )
        child.communicate(json.dumps(settings).encode())
        if child.returncode == SHOWN_TO_THE_USER:
            return language_pb2.RunResponse(bail=True)
        if child.returncode:
            return language_pb2.RunResponse(error=f"the program {_end_of(child.returncode)}")
        return language_pb2.RunResponse()

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        directory, arguments = request.info.program_directory, list(request.args)
        if request.kind == "analyzer":
            command = ["-m", "pulumi.policy", *arguments[:1], directory, *arguments[1:]]
        else:
            command = [directory, *arguments]
        child = self._children.start(
            context,
            [sys.executable, "-u", *command],
            cwd=request.pwd or None,
            env=_environment(request.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for stream, line in _lines(child):
            if stream == "stdout":
                yield language_pb2.RunPluginResponse(stdout=line)
            else:
                yield language_pb2.RunPluginResponse(stderr=line)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        message = f"Programs run in {sys.prefix}, whose packages requirements.lock pins; there is nothing to install.\n"
        yield language_pb2.InstallDependenciesResponse(stdout=message.encode())

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        found = installed_distributions()
        if not request.transitiveDependencies:
            required = {_normal(word) for item in metadata.distributions() for word in _requirements(item)}
            found = {name: version for name, version in found.items() if name not in required}
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=found[name]) for name in sorted(found)]
        )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self._children.terminate()
        return empty_pb2.Empty()


def installed_plugins() -> list[tuple[str, str]]:
    """Name and version of each resource plugin that an installed SDK names in its `pulumi-plugin.json`."""
    plugins = []
    for item in metadata.distributions():
        if not _normal(item.metadata["Name"]).startswith("pulumi-"):
            continue
        for path in item.files or ():
            if path.name == "pulumi-plugin.json":
                document = json.loads(path.read_text())
                if document.get("resource"):
                    plugins.append((document["name"], document["version"]))
    return plugins


def installed_distributions() -> dict[str, str]:
    """Version by normalised name of every installed distribution."""
    return {_normal(item.metadata["Name"]): item.version for item in metadata.distributions()}


def _requirements(item: metadata.Distribution) -> Iterator[str]:
    for line in item.requires or ():
        if "extra ==" not in line:
            yield line.split(";")[0].translate(str.maketrans("[(<>=!~", "       ")).split()[0]


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _environment(lines: Iterable[str]) -> Mapping[str, str]:
    given = dict(line.split("=", 1) for line in lines if "=" in line)
    return {**os.environ, **given}


def _lines(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name of the stream and the line, as the lines come, until both streams are closed."""
    arrived: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            arrived.put((name, line))
        arrived.put((name, b""))

    assert child.stdout is not None
    assert child.stderr is not None
    for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    still_open = 2
    while still_open:
        name, line = arrived.get()
        if line:
            yield name, line
        else:
            still_open -= 1


def _end_of(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"


def main() -> None:
    """Serve until a signal, or until the engine is gone."""
    engine_address = sys.argv[-1] if len(sys.argv) > 1 else ""
    children = Children()

    def leave(*_: object) -> None:
        children.terminate()
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=32),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine_address, children), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    end_with_parent(leave)


if __name__ == "__main__":
    main()
