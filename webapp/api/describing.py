"""How the API describes itself in OpenAPI, beyond what ninja finds by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ninja import NinjaAPI
from ninja.operation import Operation

from webapp.api.authentication import TokenAuth
from webapp.api.problems import MEDIA_TYPE

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))
"""What a lab answered, by name; long lists are cut."""


def answers(status: int, example: str) -> dict[str, Any]:
    """What a route gives, by an example."""
    content = {"application/json": {"example": EXAMPLES[example]}}
    return {"responses": {status: {"content": content}}}


def file_of(media_types: dict[str, str]) -> dict[str, Any]:
    """A route that gives a file: its media types, with what an example of each begins with."""
    content = {
        media_type: {"schema": {"type": "string", "format": "binary"}, "example": begins}
        for media_type, begins in media_types.items()
    }
    return {"responses": {200: {"description": "The file.", "content": content}}}


def scope_of(operation: Operation) -> str:
    """The scope that a token needs for `operation`."""
    return next(auth.scope for auth in operation.auth_callbacks if isinstance(auth, TokenAuth))


class DescribedAPI(NinjaAPI):
    """Names each operation by its function, says its scope, and that refusals are problems."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> dict[str, Any]:
        schema = super().get_openapi_schema(**options)
        for router in self._get_bound_routers():
            for view in router.path_operations.values():
                for operation in view.operations:
                    if operation.include_in_schema:
                        self._complete(schema, operation)
        return schema

    def _complete(self, schema: dict[str, Any], operation: Operation) -> None:
        name = self.get_openapi_operation_id(operation)
        for path in schema["paths"].values():
            for described in path.values():
                if described["operationId"] == name:
                    described["description"] += f"\n\nScope of the token: `{scope_of(operation)}`."
                    for parameter in described["parameters"]:
                        # The schema of a value has a list of examples, a parameter has one.
                        if "examples" in parameter:
                            (parameter["example"],) = parameter.pop("examples")
                    for status, answer in described["responses"].items():
                        if int(status) >= 400 and "content" in answer:
                            (content,) = answer["content"].values()
                            answer["content"] = {MEDIA_TYPE: content}
