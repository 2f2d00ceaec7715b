"""Resolved schemas beside the data they describe, `schemas/<sha256>.json`: raw bytes can be read without their template."""

import json
import logging
from collections.abc import Sequence

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from sojae.adapters.shelf import open_store
from sojae.domain.errors import StoreError
from sojae.domain.template import Template, parse_template, schema_sha256

log = logging.getLogger(__name__)

FOLDER = "schemas"


class StoredSchemas:
    """Each schema is put once, create-only, and never changed."""

    def __init__(self, store_uri: str) -> None:
        self._uri = store_uri
        self._store = open_store(store_uri)
        self._known: dict[str, Template] = {}

    def keep(self, template: Template) -> None:
        """Put a template's schema where it is not there yet; raises StoreError."""
        if template.sha256 in self._known:
            return
        content = json.dumps(template.schema, ensure_ascii=False, indent=1).encode()
        try:
            obstore.put(self._store, _path(template.sha256), content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            log.debug("schema %s is kept already, by another process or an earlier run", template.sha256)
        except (BaseError, OSError) as error:
            raise self._error(error) from error
        self._known[template.sha256] = template

    def get(self, sha256: str) -> Template | None:
        """Return the template of a schema that was kept, or None; raises StoreError when its file is not what it was."""
        if sha256 not in self._known:
            try:
                schema = json.loads(bytes(obstore.get(self._store, _path(sha256)).bytes()))
            except FileNotFoundError:
                return None
            except (BaseError, OSError, ValueError) as error:
                raise self._error(error) from error
            if schema_sha256(schema) != sha256:
                raise self._error(ValueError(f"{_path(sha256)} is not the schema of its name"))
            self._known[sha256] = parse_template(schema, where=_path(sha256))
        return self._known[sha256]

    def all(self) -> Sequence[Template]:
        """Return every template that was kept; raises StoreError."""
        try:
            names = [str(item["path"]) for items in obstore.list(self._store, prefix=FOLDER) for item in items]
        except (BaseError, OSError) as error:
            raise self._error(error) from error
        found = (self.get(name.removeprefix(f"{FOLDER}/").removesuffix(".json")) for name in sorted(names))
        return [template for template in found if template is not None]

    def _error(self, error: Exception) -> StoreError:
        where = f"{self._uri.rstrip('/')}/{FOLDER}"
        return StoreError(
            en=f"the schemas at {where} cannot be used: {error}", ko=f"{where}의 스키마를 쓸 수 없습니다: {error}"
        )


def _path(sha256: str) -> str:
    return f"{FOLDER}/{sha256}.json"
