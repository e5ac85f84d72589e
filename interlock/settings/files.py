"""Stacks' settings as files: `Pulumi.<stack>.yaml`, read as Pulumi hands them to a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from interlock.rules import shown
from interlock.settings.pulumi_yaml import loaded
from interlock.settings.section import PREFIX

PROJECT_FILE: Final = "Pulumi.yaml"
_HEAD, _TAIL = "Pulumi.", ".yaml"


class SettingsFileError(ValueError):
    """A file that cannot be read as the configuration of a stack, or is not there; the text says why."""


@dataclass(frozen=True)
class StackFile:
    """The configuration of one stack, as Pulumi would hand it to the program."""

    stack: str
    path: Path
    config: Mapping[str, str]


def stack_file(stack_or_path: str, directory: Path) -> StackFile:
    """Return the file of a stack of the project around `directory`, or the file at a path. Raises SettingsFileError."""
    named = Path(stack_or_path)
    if named.suffix in (".yaml", ".yml") or named.parent != Path():
        return _read(directory / named)
    folder = config_folder(directory)
    path = folder / f"{_HEAD}{stack_or_path}{_TAIL}"
    if not path.exists():
        known = ", ".join(stack_of(one) for one in stack_paths(folder)) or "none"
        raise SettingsFileError(f"stack: received {stack_or_path!r}; accepted is a stack of {folder}: {known}")
    return _read(path)


def stack_files(directory: Path) -> list[StackFile]:
    """Return the files of all stacks of the project around `directory`, by name. Raises SettingsFileError."""
    folder = config_folder(directory)
    paths = stack_paths(folder)
    if not paths:
        raise SettingsFileError(f"{folder} holds no {_HEAD}<stack>{_TAIL}")
    return [_read(path) for path in paths]


def config_folder(directory: Path) -> Path:
    """Return where the project around `directory` keeps its stacks' files. Raises SettingsFileError."""
    for folder in (directory, *directory.parents):
        project = folder / PROJECT_FILE
        if project.is_file():
            document = _parsed(project)
            return folder / str(document.get("stackConfigDir") or ".")
    raise SettingsFileError(f"there is no {PROJECT_FILE} in {directory} or above it; name a file instead")


def stack_paths(folder: Path) -> list[Path]:
    """Return the files of stacks in `folder`."""
    return sorted(path for path in folder.glob(f"{_HEAD}*{_TAIL}") if path.name != PROJECT_FILE)


def stack_of(path: Path) -> str:
    """Return the name of the stack that the file at `path` configures."""
    return path.name.removesuffix(_TAIL).removesuffix(".yml").removeprefix(_HEAD)


def _read(path: Path) -> StackFile:
    config = _parsed(path).get("config") or {}
    if not isinstance(config, Mapping):
        raise SettingsFileError(f"{path}: config: received {config!r}; accepted is a section of settings")
    return StackFile(
        stack_of(path), path, {str(key): _as_handed_over(path, str(key), one) for key, one in config.items()}
    )


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        document = loaded(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsFileError(f"{path} is not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise SettingsFileError(f"{path} is no YAML: {where}{getattr(error, 'problem', error)}") from None
    except (ValueError, RecursionError) as error:
        # PyYAML lets through what a date or a number that is none makes Python say.
        raise SettingsFileError(f"{path} is no YAML: {error}") from None
    if not isinstance(document, Mapping):
        received = "nothing" if document is None else shown(document)
        raise SettingsFileError(f"{path}: received {received}; accepted is a mapping with a section config")
    return document


def _as_handed_over(path: Path, key: str, value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"secure"} and key.startswith(PREFIX):
        raise SettingsFileError(f"{path}: {key} is encrypted; no setting is a secret, write it as it is")
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    try:
        return str(value) if isinstance(value, int | float) else json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingsFileError(f"{path}: {key} cannot be handed to a program as JSON: {error}") from None
