"""The folder that pull writes and push reads: an index, a template for each flow, a values file for each instance.

::

    flows.json          which file is which flow, and what each placeholder stands for, whatever the instance
    flows/NAME.json     templates of flows
    modules/NAME.json   templates of flow modules
    values/ENV.json     the instance's ARN, and its ARN for each placeholder
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connect_flows.diagnostics import LintContext
from connect_flows.instance.errors import InstanceError
from connect_flows.instance.resources import Resource
from connect_flows.template import FlowTemplateError, placeholders, render

INDEX: Final = "flows.json"
VALUES: Final = "values"
MODULE: Final = "MODULE"
_INSTANCE = re.compile(r"arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{12}:instance/[0-9a-zA-Z-]+")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """A flow or module of the folder; `file` is relative to it, `type` CONTACT_FLOW and so on, or MODULE.

    settings: those of a module, as JSON.
    """

    file: str
    name: str
    type: str
    description: str = ""
    published: bool = True
    settings: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return type and name, by which an instance knows it."""
        return self.type, self.name

    def as_json(self) -> dict[str, str]:
        """Return it for the index file."""
        return {
            "file": self.file,
            "name": self.name,
            "type": self.type,
            **({"description": self.description} if self.description else {}),
            "status": "PUBLISHED" if self.published else "SAVED",
            **({"settings": self.settings} if self.settings else {}),
        }


@dataclass
class Environment:
    """An instance: its ARN, and what each placeholder stands for there; None where nobody has said so yet."""

    name: str
    instance: str
    values: dict[str, str | None] = field(default_factory=dict)

    def known(self) -> dict[str, str]:
        """Return the placeholders that have a value."""
        return {name: value for name, value in self.values.items() if value is not None}

    def context(self) -> LintContext:
        """Return what the linter has to know to find resources of other instances."""
        _, _, _, region, account, resource = self.instance.split(":", 5)
        return LintContext(account=account, region=region, instance_id=resource.partition("/")[2])


@dataclass
class Project:
    """The folder. `source` is the environment that the templates come from."""

    folder: Path
    source: str = ""
    entries: list[Entry] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Project:
        """Return the project in a folder; an empty one where there is no index yet.

        Raises InstanceError for files that are not what pull writes.
        """
        made = cls(folder)
        for path in sorted((folder / VALUES).glob("*.json")):
            made.environments[path.stem] = _environment(path)
        path = folder / INDEX
        if path.exists():
            document = _object(path)
            try:
                made.source = str(document["source"])
                made.entries = [_entry(one) for one in document["flows"]]
                made.resources = {name: Resource.of_json(one) for name, one in document["resources"].items()}
            except (KeyError, TypeError, AttributeError) as problem:
                raise InstanceError(
                    f"{path} is not the index that pull writes: {problem!r} is missing or of another kind"
                ) from problem
        return made

    def environment(self, name: str | None) -> Environment:
        """Return the environment of this name, or the only one; raise InstanceError where that is not one."""
        if name is None and len(self.environments) == 1:
            return next(iter(self.environments.values()))
        if name is None or name not in self.environments:
            known = ", ".join(self.environments) or "none: pull an instance first"
            raise InstanceError(f"--environment must name one of {self.folder / VALUES}: {known}")
        return self.environments[name]

    def text(self, entry: Entry) -> str:
        """Return an entry's template; raise InstanceError where it cannot be read."""
        path = self.folder / entry.file
        try:
            return path.read_text(encoding="utf-8")
        except OSError as problem:
            raise InstanceError(f"{path} cannot be read: {problem.strerror}; {INDEX} names it") from problem

    def placeholders(self, entry: Entry) -> set[str]:
        """Return what an entry's template leaves open."""
        try:
            return placeholders(self.text(entry))
        except FlowTemplateError as problem:
            raise InstanceError(f"{self.folder / entry.file}: {problem}") from problem

    def missing(self, entry: Entry, environment: Environment) -> list[str]:
        """Return the placeholders of an entry that have no value in the environment."""
        return sorted(self.placeholders(entry) - set(environment.known()))

    def rendered(self, entry: Entry, environment: Environment) -> str:
        """Return an entry for an environment; what has no value stays ``${Name}``."""
        known = environment.known()
        return render(
            self.text(entry), {name: known.get(name, f"${{{name}}}") for name in self.placeholders(entry)}
        )

    def entry_of(self, placeholder: str) -> Entry | None:
        """Return the flow or module of the folder that a placeholder stands for; None for anything else."""
        resource = self.resources.get(placeholder)
        if resource is None or resource.kind not in {"flow", "module"}:
            return None
        module = resource.kind == "module"
        # Live.names: the type stands behind a name that flows of several types have.
        fitting = (one for one in self.entries if (one.type == MODULE) == module)
        return next((one for one in fitting if resource.name in {one.name, f"{one.name} ({one.type})"}), None)

    def path_for(self, type_: str, name: str, taken: Iterable[str]) -> str:
        """Return a file for a flow of this name that is not among `taken`."""
        words = (
            "_".join(re.findall(r"\w+", unicodedata.normalize("NFC", name).lower())).strip("_")[:80] or "flow"
        )
        folder, used = "modules" if type_ == MODULE else "flows", {each.lower() for each in taken}
        file, number = f"{folder}/{words}.json", 2
        while file.lower() in used:
            file, number = f"{folder}/{words}_{number}.json", number + 1
        return file

    def write_index(self) -> bool:
        """Write the index; return whether it has changed."""
        document = {
            "source": self.source,
            "flows": [entry.as_json() for entry in sorted(self.entries, key=lambda one: one.file)],
            "resources": {name: self.resources[name].as_json() for name in sorted(self.resources)},
        }
        return self.write(INDEX, document)

    def write_values(self, environment: Environment) -> bool:
        """Write an environment's values; return whether they have changed."""
        document = {
            "instance": environment.instance,
            "environments": {
                environment.name: {name: environment.values[name] for name in sorted(environment.values)}
            },
        }
        return self.write(f"{VALUES}/{environment.name}.json", document)

    def write(self, file: str, document: Mapping[str, Any]) -> bool:
        """Write a JSON file of the folder unless it says the same; return whether it was written."""
        path = self.folder / file
        try:
            if path.exists() and json.loads(path.read_text(encoding="utf-8")) == document:
                return False
        except ValueError:
            # Somebody's edit has broken the file: it is written anew.
            path.unlink()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as problem:
            raise InstanceError(f"{path} cannot be written: {problem.strerror}") from problem
        return True


def is_about_flows(path: Path) -> bool:
    """Return whether a JSON file is no flow, but import's or pull's about flows: values, or the index."""
    if path.name.endswith(".values.json"):
        return True
    if path.name == INDEX:
        return (path.parent / VALUES).is_dir()
    return path.parent.name == VALUES and (path.parent.parent / INDEX).is_file()


def check_environment_name(name: str) -> str:
    """Return the name of an environment; raise InstanceError for one that is no file's name."""
    if not _ENVIRONMENT.fullmatch(name):
        raise InstanceError(f"--environment {name!r}: use letters, digits, - and _, such as dev or prod")
    return name


def _environment(path: Path) -> Environment:
    document = _object(path)
    instance, environments = document.get("instance"), document.get("environments")
    values = environments.get(path.stem) if isinstance(environments, dict) else None
    if not isinstance(instance, str) or not _INSTANCE.fullmatch(instance):
        raise InstanceError(f"{path}: instance is {instance!r}, not the ARN of an Amazon Connect instance")
    if not isinstance(values, dict):
        raise InstanceError(f"{path}: environments has no object {path.stem!r} with the values")
    if wrong := [name for name, value in values.items() if value is not None and not isinstance(value, str)]:
        raise InstanceError(f"{path}: the value of {', '.join(wrong)} is neither text nor null")
    return Environment(path.stem, instance, dict(values))


def _entry(given: Mapping[str, Any]) -> Entry:
    return Entry(
        str(given["file"]),
        str(given["name"]),
        str(given["type"]),
        str(given.get("description", "")),
        str(given.get("status", "PUBLISHED")) == "PUBLISHED",
        str(given.get("settings", "")),
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InstanceError(f"{path} cannot be read: {problem.strerror}") from problem
    except ValueError as problem:
        raise InstanceError(f"{path} is not JSON: {problem}") from problem
    if not isinstance(document, dict):
        raise InstanceError(f"{path} is not a JSON object")
    return document
