"""Whether what was written with one Avro schema can be read with another, by the rules of schema resolution."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

Schema = str | Mapping[str, object] | Sequence[object]
Kind = Literal[
    "NAME_MISMATCH",
    "FIXED_SIZE_MISMATCH",
    "MISSING_ENUM_SYMBOLS",
    "READER_FIELD_MISSING_DEFAULT_VALUE",
    "TYPE_MISMATCH",
    "MISSING_UNION_BRANCH",
]
"""The six ways to disagree, under the names that Avro's own checker and schema registries give them."""

PROMOTIONS: Mapping[str, frozenset[str]] = {
    "long": frozenset({"int"}),
    "float": frozenset({"int", "long"}),
    "double": frozenset({"int", "long", "float"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""Reader's type → what a writer may have written instead."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "error", "enum", "fixed"})

MAX_STEPS = 20_000
"""Places compared; no template has a fifth of them, but a few hundred bytes of a hostile schema can ask for more."""


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One place at which the reader cannot take what the writer wrote; `path` is a JSON pointer into the reader's schema."""

    kind: Kind
    path: str
    got: str
    expected: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.path or '/'}: the writer has {self.got}, the reader expects {self.expected}"


def incompatibilities(reader: Schema, writer: Schema) -> list[Incompatibility]:
    """Return every place at which data of `writer` cannot be read with `reader`; an empty list says that all of it can.

    The rules are those of "Schema Resolution" in the Avro specification 1.12: names are compared without namespace or by
    the reader's aliases, numbers are promoted, absent fields need a default, an enum needs all symbols or a default, and
    every branch that a writer may take needs one that the reader has. Logical types and other attributes play no part.
    Both schemas must be valid; raises ValueError where one speaks of a type that it does not define, or where there is
    too much to compare.
    """
    return list(_Comparison(_Types(reader), _Types(writer)).compare(_At(reader, "", ""), _At(writer, "", "")))


def readable(reader: Schema, writer: Schema) -> bool:
    """Return whether all that was written with `writer` can be read with `reader`."""
    return not incompatibilities(reader, writer)


@dataclass(frozen=True, slots=True)
class _At:
    """A schema at a place: the namespace that holds there, and the path that leads there."""

    schema: object
    namespace: str
    path: str

    def inside(self, schema: object, step: str) -> "_At":
        """Return a schema that lies inside this one."""
        return _At(schema, _space(self.schema, self.namespace), f"{self.path}/{step}")

    def __getitem__(self, key: str) -> object:
        return cast("Mapping[str, object]", self.schema).get(key)


class _Types:
    """The named types of one schema, wherever in it they are defined."""

    def __init__(self, schema: Schema) -> None:
        self._by_name: dict[str, _At] = {}
        waiting = [_At(schema, "", "")]
        while waiting:
            at = waiting.pop()
            if isinstance(at.schema, Mapping) and at.schema.get("type") in NAMED:
                self._by_name[_full_name(at.schema, at.namespace)] = at
            waiting.extend(_parts(at))

    def kind(self, at: _At) -> tuple[str, _At]:
        """Return the type at a place, `union` for a list, and the place with the definition of a name in its stead."""
        schema = at.schema
        if isinstance(schema, Mapping) and not isinstance(schema.get("type"), str):
            return self.kind(_At(schema.get("type"), at.namespace, at.path))
        if not isinstance(schema, str | Mapping):
            return "union", at
        name = schema if isinstance(schema, str) else cast("str", schema["type"])
        if name in PRIMITIVES or (isinstance(schema, Mapping) and name in NAMED | {"array", "map"}):
            return name, at
        found = self._by_name.get(_qualified(name, at.namespace)) or self._by_name.get(name)
        if found is None:
            raise ValueError(f"the schema does not define {name} at {at.path or '/'}")
        definition = cast("Mapping[str, object]", found.schema)
        return cast("str", definition["type"]), _At(definition, found.namespace, at.path)


class _Comparison:
    """One reader against one writer; pairs of records that are being compared already hold, so recursion ends."""

    def __init__(self, reader: _Types, writer: _Types) -> None:
        self._reader = reader
        self._writer = writer
        self._open: set[tuple[str, str]] = set()
        self._steps = 0

    def compare(self, reader: _At, writer: _At) -> Iterator[Incompatibility]:
        """Yield what the reader at one place cannot take of the writer at another."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ValueError(f"more than {MAX_STEPS} places to compare")
        wanted, reader = self._reader.kind(reader)
        given, writer = self._writer.kind(writer)
        if given == "union":
            for branch in cast("Sequence[object]", writer.schema):
                yield from self.compare(reader, writer.inside(branch, "-"))
        elif wanted == "union":
            yield from self._union(reader, writer, given)
        elif wanted in NAMED and given == wanted:
            yield from self._named(wanted, reader, writer)
        elif wanted == given == "array":
            yield from self.compare(reader.inside(reader["items"], "items"), writer.inside(writer["items"], "items"))
        elif wanted == given == "map":
            yield from self.compare(
                reader.inside(reader["values"], "values"), writer.inside(writer["values"], "values")
            )
        elif wanted != given and given not in PROMOTIONS.get(wanted, ()):
            yield Incompatibility("TYPE_MISMATCH", f"{reader.path}/type", given, wanted)

    def _union(self, reader: _At, writer: _At, given: str) -> Iterator[Incompatibility]:
        branches = cast("Sequence[object]", reader.schema)
        if not any(self._fits(reader.inside(branch, str(n)), writer) for n, branch in enumerate(branches)):
            names = ", ".join(self._reader.kind(reader.inside(b, ""))[0] for b in branches)
            yield Incompatibility("MISSING_UNION_BRANCH", reader.path, given, f"one of {names}")

    def _fits(self, reader: _At, writer: _At) -> bool:
        return not list(self.compare(reader, writer))

    def _named(self, kind: str, reader: _At, writer: _At) -> Iterator[Incompatibility]:
        pair = (_full_name(reader.schema, reader.namespace), _full_name(writer.schema, writer.namespace))
        if not _same_name(reader, pair):
            yield Incompatibility("NAME_MISMATCH", f"{reader.path}/name", pair[1], pair[0])
        elif kind == "enum":
            yield from _enum(reader, writer)
        elif kind == "fixed":
            if reader["size"] != writer["size"]:
                path = f"{reader.path}/size"
                yield Incompatibility("FIXED_SIZE_MISMATCH", path, f"{writer['size']} bytes", f"{reader['size']} bytes")
        elif pair not in self._open:
            self._open.add(pair)
            try:
                yield from self._fields(reader, writer)
            finally:
                self._open.discard(pair)

    def _fields(self, reader: _At, writer: _At) -> Iterator[Incompatibility]:
        written = {str(f["name"]): f for f in _fields(writer)}
        for number, field in enumerate(_fields(reader)):
            names = [str(field["name"]), *cast("Sequence[str]", field.get("aliases") or ())]
            path = f"fields/{number}"
            match = next((written[name] for name in names if name in written), None)
            if match is not None:
                yield from self.compare(reader.inside(field["type"], path), writer.inside(match["type"], "-"))
            elif "default" not in field:
                yield Incompatibility(
                    "READER_FIELD_MISSING_DEFAULT_VALUE", f"{reader.path}/{path}", f"no field {names[0]}", "a default"
                )


def _enum(reader: _At, writer: _At) -> Iterator[Incompatibility]:
    strangers = [
        s for s in cast("Sequence[str]", writer["symbols"]) if s not in cast("Sequence[str]", reader["symbols"])
    ]
    if strangers and reader["default"] is None:
        path, known = f"{reader.path}/symbols", ", ".join(cast("Sequence[str]", reader["symbols"]))
        yield Incompatibility("MISSING_ENUM_SYMBOLS", path, ", ".join(strangers), known)


def _same_name(reader: _At, pair: tuple[str, str]) -> bool:
    """Return whether two named types are one: the same name without namespace, or one of the reader's aliases."""
    if pair[0].rpartition(".")[2] == pair[1].rpartition(".")[2]:
        return True
    space = _space(reader.schema, reader.namespace)
    return pair[1] in {_qualified(alias, space) for alias in cast("Sequence[str]", reader["aliases"] or ())}


def _parts(at: _At) -> Iterator[_At]:
    """Yield the schemas directly inside one."""
    if isinstance(at.schema, str):
        return
    if not isinstance(at.schema, Mapping):
        for branch in cast("Sequence[object]", at.schema):
            yield at.inside(branch, "")
        return
    for key in ("type", "items", "values"):
        inner = at.schema.get(key)
        if isinstance(inner, Mapping | list):
            yield at.inside(inner, "")
    for field in _fields(at):
        yield at.inside(field["type"], "")


def _fields(at: _At) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", at["fields"] or ())


def _full_name(schema: object, outer: str) -> str:
    """Return the name of a named type with its namespace; a name with dots needs none."""
    named = cast("Mapping[str, object]", schema)
    return _qualified(str(named["name"]), str(named.get("namespace", outer)))


def _space(schema: object, outer: str) -> str:
    """Return the namespace that holds inside a schema."""
    named = isinstance(schema, Mapping) and schema.get("type") in NAMED
    return _full_name(schema, outer).rpartition(".")[0] if named else outer


def _qualified(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"
