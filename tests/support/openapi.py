"""The description of the page's API, and whether a value is what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from detector.web.api.description import DESCRIPTION

API: Mapping[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
METHODS = ("get", "put", "post", "delete")
_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "null": type(None),
}


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and what is said of it."""
    for path, item in API["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for."""
    while "$ref" in item:
        found: Any = API
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        item = found
    return item


def answer_schema(operation: Mapping[str, Any], status: int) -> Mapping[str, Any] | None:
    """The schema of an answer with JSON, None for one without; KeyError for a status it does not have."""
    answers = operation["responses"]
    answer = resolved(answers[str(status)] if str(status) in answers else answers["default"])
    found: Mapping[str, Any] | None = answer.get("content", {}).get("application/json", {}).get("schema")
    return found


def faults(schema: Mapping[str, Any], value: object, where: str = "$") -> list[str]:
    """Where a value is not what a schema says; a key that the schema does not name is a fault, too."""
    schema = _whole(schema)
    kinds = schema.get("type")
    if kinds is not None:
        wanted = [kinds] if isinstance(kinds, str) else kinds
        is_wanted = any(
            isinstance(value, _TYPES[kind])
            and not (isinstance(value, bool) and kind in ("integer", "number"))
            for kind in wanted
        )
        if not is_wanted:
            return [f"{where}: expected {wanted}, got {value!r:.60}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: expected one of {schema['enum']}, got {value!r:.60}"]
    found = []
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += faults(schema["items"], item, f"{where}[{number}]")
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        found += [f"{where}: lacks {key}" for key in schema.get("required", ()) if key not in value]
        for key, item in value.items():
            if key in properties:
                found += faults(properties[key], item, f"{where}.{key}")
            elif isinstance(others, dict):
                found += faults(others, item, f"{where}.{key}")
            elif others is not True and properties:
                found.append(f"{where}: {key} is not described")
    return found


def _whole(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with all that it refers to in it."""
    schema = resolved(schema)
    for base in map(_whole, schema.get("allOf", ())):
        schema = {
            **base,
            **schema,
            "required": [*base.get("required", ()), *schema.get("required", ())],
            "properties": {**base.get("properties", {}), **schema.get("properties", {})},
        }
    return schema
