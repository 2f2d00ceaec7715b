"""What a check finds in an event: rule, field, severity, what was got and what was expected."""

from dataclasses import dataclass
from typing import Literal

from sojae.domain.template import Template
from sojae.domain.template_rule import Severity
from sojae.domain.text import Text

Status = Literal["accepted", "quarantined", "duplicate"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding; `severity` hard quarantines, warn flags, info explains a duplicate."""

    rule: str
    severity: Severity
    field: str | None = None
    got: str | None = None
    expected: str | None = None


RULES: dict[str, Text] = {
    # decoding
    "empty_message": Text(
        ko="메시지가 비어 있습니다. 템플릿 이벤트를 보내십시오", en="the message is empty; send a template event"
    ),
    "too_large": Text(ko="메시지가 너무 큽니다. 나누어 보내십시오", en="the message is too large; split it"),
    "unframed": Text(
        ko="알려진 Avro 프레이밍이 아닙니다. Confluent 또는 single-object 형식으로 보내십시오",
        en="no known Avro framing; send Confluent or single-object framing",
    ),
    "unknown_schema": Text(
        ko="등록되지 않은 스키마입니다. 템플릿을 먼저 등록하십시오",
        en="the schema is not known here; register the template first",
    ),
    "undecodable": Text(
        ko="스키마대로 해독할 수 없습니다. 직렬화기를 확인하십시오",
        en="the bytes do not decode with the schema; check the serializer",
    ),
    "trailing_bytes": Text(
        ko="레코드 뒤에 남는 바이트가 있습니다. 직렬화기를 확인하십시오",
        en="bytes follow the record; check the serializer",
    ),
    "repeated_key": Text(ko="맵에 같은 키가 두 번 있습니다. 하나만 남기십시오", en="a map holds a key twice; keep one"),
    "template_version": Text(
        ko="헤더의 템플릿 버전이 스키마와 다릅니다", en="header.template_version disagrees with the schema"
    ),
    # identity
    "institute_mismatch": Text(
        ko="토픽의 기관과 헤더의 기관이 다릅니다. 자기 기관의 토픽에 쓰십시오",
        en="header.institute is not the topic's; write to your own institute's topic",
    ),
    "producer_foreign": Text(
        ko="producer가 기관 이름으로 시작하지 않습니다", en="header.producer does not start with its institute"
    ),
    "key_mismatch": Text(
        ko="메시지 키가 producer와 다릅니다. producer를 키로 쓰십시오",
        en="the message key is not the producer; use the producer as key",
    ),
    "identifier": Text(ko="식별자의 형식이 잘못되었습니다", en="an identifier has the wrong form"),
    "template_institute": Text(ko="다른 기관의 템플릿입니다", en="the template belongs to another institute"),
    # values
    "non_finite": Text(
        ko="수가 아니거나 무한대입니다. 값을 비우거나 고치십시오",
        en="not a finite number; leave it empty or correct it",
    ),
    "required": Text(ko="필수 값이 없습니다. 값을 넣으십시오", en="a required value is missing; fill it in"),
    "hard_range": Text(
        ko="가능한 범위를 벗어났습니다. 단위와 자릿수를 확인하십시오",
        en="outside what is possible; check unit and digits",
    ),
    "warn_range": Text(ko="보통의 범위를 벗어났습니다. 확인하십시오", en="outside the usual range; have a look"),
    "category": Text(
        ko="허용된 값이 아닙니다. 목록에서 고르십시오", en="not one of the allowed values; choose from the list"
    ),
    "unknown_key": Text(
        ko="템플릿에 없는 필드를 가리킵니다. 필드 이름을 고치십시오",
        en="it speaks of a field that the template does not have; correct the field's name",
    ),
    "formula": Text(
        ko="화학식으로 읽을 수 없습니다. Al0.3CoFe처럼 원소 기호와 양으로 쓰십시오",
        en="cannot be read as a chemical formula; write element symbols with amounts, as Al0.3CoFe",
    ),
    "composition_symbol": Text(ko="원소 기호가 아닙니다", en="not an element symbol"),
    "composition_negative": Text(ko="성분의 양이 음수입니다", en="the amount of a component is negative"),
    "composition_sum": Text(
        ko="성분의 합이 맞지 않습니다. 양과 기준을 확인하십시오",
        en="the components do not add up; check amounts and basis",
    ),
    "check_failed": Text(
        ko="이 값을 검사할 수 없습니다. 값을 확인하십시오",
        en="the values cannot be checked; have a look at them",
    ),
    "more_findings": Text(
        ko="지적이 너무 많아 일부만 남겼습니다",
        en="there are more findings than are kept",
    ),
    "bad_headers": Text(
        ko="Kafka 헤더 이름이 UTF-8이 아니어서 헤더를 남기지 않았습니다",
        en="the names of the Kafka headers are not UTF-8, so the headers are not kept",
    ),
    "broker_time": Text(
        ko="Kafka 타임스탬프가 없거나 가능한 시각이 아닙니다. 보내는 프로그램을 확인하십시오",
        en="the Kafka timestamp is missing or no possible time; check the sender",
    ),
    "rule_error": Text(ko="규칙을 이 값에 적용할 수 없습니다", en="a rule could not be evaluated on these values"),
    "time_range": Text(ko="이벤트 시각이 가능한 범위를 벗어났습니다", en="the event time is out of any possible range"),
    "event_time_late": Text(
        ko="측정 후 24시간이 넘어 도착했습니다. 지난 자료이면 historical을 표시하십시오",
        en="arrived more than 24 h after it happened; set historical for old data",
    ),
    "event_time_future": Text(
        ko="이벤트 시각이 미래입니다. 기기의 시계를 확인하십시오",
        en="the event time is in the future; check the instrument's clock",
    ),
    # telemetry
    "series_lengths": Text(
        ko="채널마다 표본 수가 다릅니다. 모든 채널과 시각의 길이를 맞추십시오",
        en="channels have different numbers of samples; give all channels, and the times, one length",
    ),
    "time_grid": Text(
        ko="표본의 시각이 앞으로 나아가지 않습니다. dt는 0보다 크고 times는 커져야 합니다",
        en="the samples do not go on in time; dt must be more than 0, and times must rise",
    ),
    "quality_run": Text(
        ko="품질 구간이 표본 밖에 있거나 코드가 잘못되었습니다",
        en="a quality run lies outside the samples, or its code is not 1 or 2",
    ),
    "repeated_channel": Text(
        ko="한 메시지에 같은 채널이 두 번 있습니다. 한 번만 보내십시오",
        en="a channel comes twice in one message; send it once",
    ),
    "asset_key": Text(
        ko="메시지 키가 asset과 다릅니다. 순서가 지켜지도록 asset을 키로 쓰십시오",
        en="the message key is not the asset; use the asset as key, so that its messages stay in order",
    ),
    # sequence
    "repeated_message": Text(ko="같은 메시지가 이미 저장되어 있습니다", en="the same message is already stored"),
    "same_content": Text(ko="같은 내용이 이미 현재 값입니다", en="the same content is already current"),
    "same_event_id": Text(
        ko="같은 event_id의 이벤트가 이미 저장되어 있습니다", en="an event with this event_id is already stored"
    ),
    "sequence_conflict": Text(
        ko="같은 producer, epoch, seq로 다른 이벤트가 왔습니다. 기기가 두 번 실행 중인지 확인하십시오",
        en="another event with the same producer, epoch and seq is stored; is the instrument running twice?",
    ),
    "repairs_unknown": Text(
        ko="수리하려는 메시지가 이 기관의 격리된 메시지가 아니거나 이미 수리되었습니다. 격리 목록의 위치를 쓰십시오",
        en="what it repairs is no quarantined message of this institute, or has been repaired already; give the place that the "
        "quarantine shows",
    ),
    "supersedes_not_head": Text(
        ko="대체하려는 이벤트가 현재 값이 아닙니다. 현재 값을 확인하십시오",
        en="what it supersedes is not current; read the current value first",
    ),
}
"""The rules that are built in, each with what it says; templates add their own."""


def worst(issues: list[Issue]) -> Status:
    """Return quarantined when any finding is hard, else accepted."""
    return "quarantined" if any(i.severity == "hard" for i in issues) else "accepted"


def rule_text(rule: str, template: Template | None) -> Text:
    """Return what a rule says: the template's own words, else those of the built-in rule."""
    for own in template.rules if template is not None else ():
        if own.id == rule:
            return own.message
    return RULES.get(rule, Text(ko=rule, en=rule))
