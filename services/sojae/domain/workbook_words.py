"""What a workbook tells whoever fills it in: the labels and notes that are no template's own, in Korean and English."""

from sojae.domain.text import Text

SAMPLE, ROW_KEY = "sample_id", "row_key"

KEYED = {
    SAMPLE: Text(ko="시편·로트 이름", en="Sample or lot"),
    ROW_KEY: Text(ko="행 구분", en="Row key"),
}
NOTES = {
    SAMPLE: Text(
        ko="필수. 원료는 로트, 나머지는 시편의 이름. 단계마다 같은 이름을 씁니다.",
        en="Required. The lot of a raw material, else the specimen; the same name in every stage.",
    ),
    ROW_KEY: Text(
        ko="한 시편을 여러 번 측정했을 때 행을 구별하는 값 (예: 1, 2). 고친 뒤에도 바꾸지 마십시오.",
        en="Tells several rows of one sample apart, as 1, 2; keep it when you correct a row.",
    ),
}
FORMULA_NOTE = Text(
    ko="화학식 하나로 쓰거나(예: Al0.3CoCrFeNi), 옆의 성분 열에 나누어 씁니다. 성분이 더 있으면 열을 만들고 키를 {key}.<성분>으로 쓰십시오.",
    en="One formula, as Al0.3CoCrFeNi, or its amounts in the columns beside it; for another component add a column with the key "
    "{key}.<component>.",
)
MAP_NOTE = Text(
    ko="성분이 더 있으면 열을 만들고 키를 {key}.<성분>으로 쓰십시오.",
    en="For another component add a column with the key {key}.<component>.",
)
LOT_NOTE = Text(
    ko="이 성분이 나온 원료 로트의 sample_id. 성분이 더 있으면 열을 만들고 키를 {key}.<성분>으로 쓰십시오.",
    en="The sample_id of the raw lot that this component came from; for another component add a column with the key "
    "{key}.<component>.",
)
SUM_NOTE = Text(ko="합계 {of}", en="they add up to {of}")
NOTED = {
    "usual": Text(ko="보통 {}", en="usual {}"),
    "possible": Text(ko="가능 {}", en="possible {}"),
    "standard": Text(ko="표준 {}", en="standard {}"),
    "example": Text(ko="예 {}", en="example {}"),
    "source": Text(ko="출처: {}", en="source: {}"),
}

HEADER_NOTES = {
    "event_time": Text(
        ko="만들거나 측정한 날짜와 시각(UTC). 비우면 가져온 시각이 됩니다.",
        en="When it was made or measured, UTC; the time of the import where it is empty.",
    ),
    "origin": Text(
        ko="값을 얻은 방법. 비우면 experiment(실험)로 봅니다.",
        en="How the values arose; an empty cell is an experiment.",
    ),
    "standard": Text(ko="따른 시험 표준, 예 ISO 6892-1.", en="Test standard that was followed, as ISO 6892-1."),
    "instrument": Text(ko="장비의 이름 또는 식별자.", en="Name or persistent identifier of the instrument."),
    "calibrated_on": Text(ko="장비를 마지막으로 교정한 날.", en="Day of the instrument's last calibration."),
    "operator": Text(ko="측정한 사람의 가명.", en="Pseudonym of the person who did it."),
    "references": Text(ko="문헌의 DOI. 여럿이면 ;로 나눕니다.", en="DOIs of the literature; several are parted by ;."),
    "licence": Text(
        ko="이용 허락(SPDX 식별자나 이름). 없으면 내보내지 않습니다.",
        en="SPDX identifier or name; without one the record is never exported.",
    ),
    "disclosure": Text(
        ko="공개 단계: L0 소유자, L1 컨소시엄, L2 참여 기관, L3 등록 국내 기업, L4 메타데이터 공개, L5 자료 공개. 없으면 소유자만.",
        en="L0 owner, L1 consortium, L2 participating institutes, L3 registered domestic firms, L4 public metadata, L5 public data; "
        "without one, its owner only.",
    ),
    "replicate_group": Text(
        ko="같은 측정을 되풀이한 행끼리 같은 이름을 씁니다.",
        en="Rows with the same name are repeats of one measurement.",
    ),
    "comment": Text(ko="자유롭게 적습니다.", en="Free text."),
}
"""Of the header fields that a workbook asks for, in order."""
