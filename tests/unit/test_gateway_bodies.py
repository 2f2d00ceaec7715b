"""Request bodies: limits, forms, and the place of what is wrong."""

from collections.abc import Sequence

import msgspec
import pytest
from litestar.types import HTTPReceiveMessage

from sojae_gateway.bodies import decode_body, read_body
from sojae_gateway.predict import PredictRequest
from sojae_gateway.problems import problem_of
from sojae_gateway.refusal import Refused

DECODER = msgspec.json.Decoder(PredictRequest)


class Arriving:
    """A body that arrives in parts."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.parts = list(parts)

    async def __call__(self) -> HTTPReceiveMessage:
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}


async def test_a_body_is_read_whole() -> None:
    """Parts are joined, and a body of exactly the limit is taken."""
    assert await read_body(Arriving([b"ab", b"", b"cd"]), 4) == b"abcd"


async def test_a_body_above_the_limit_is_refused_before_it_is_read() -> None:
    """Reading stops at the part that goes over."""
    arriving = Arriving([b"abc", b"de", b"never"])
    with pytest.raises(Refused) as caught:
        await read_body(arriving, 4)
    assert caught.value.rule == "body_too_large"
    assert arriving.parts == [b"never"]


@pytest.mark.parametrize(
    ("body", "rule", "field"),
    [
        (b"", "not_json", None),
        (b"{", "not_json", None),
        (b"\xff\xfe", "not_json", None),
        (b'{"rows": NaN}', "not_json", None),
        (b"[]", "request_shape", None),
        (b"{}", "request_shape", None),
        (b'{"rows": [{"a": 1}], "row": 1}', "request_shape", None),
        (b'{"rows": [5]}', "request_shape", "rows[0]"),
        (b'{"rows": [{"a": 1}, {"b": 1, "cooling": ["air"]}]}', "request_shape", "rows[1].cooling"),
        (b'{"rows": [{"composition": {"Al": 1, "Ni": "much"}}]}', "request_shape", "rows[0].composition.Ni"),
        (b'{"rows": [{"a": 1, "b": {"x": true}}, {"c": [1]}]}', "request_shape", "rows[0].b.x"),
        (b'{"rows": [], "targets": [1]}', "request_shape", "targets[0]"),
    ],
)
def test_a_body_of_the_wrong_form_names_the_place(body: bytes, rule: str, field: str | None) -> None:
    """Also inside maps, whose keys the parser does not name."""
    with pytest.raises(Refused) as caught:
        decode_body(body, DECODER)
    assert (caught.value.rule, caught.value.field) == (rule, field)


@pytest.mark.parametrize("opening", [b'{"rows":[{"a":', b'{"rows":'])
def test_a_body_that_is_too_deep_is_a_problem_not_a_crash(opening: bytes) -> None:
    """Ten thousand levels end in the parser's own limit, which is told."""
    with pytest.raises((RecursionError, Refused)) as caught:
        decode_body(opening + b'{"a":' * 10_000, DECODER)
    assert problem_of(caught.value).status == 400
