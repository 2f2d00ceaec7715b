"""What can be wrong with a cell before its value is judged: the rule's name, and what to do."""

from collections.abc import Mapping

from sojae.domain.text import Text

READING: Mapping[str, Text] = {
    "number": Text(
        ko="1450, 1.45e3, 12.3 ± 0.4, <5, 25 °C처럼 쓰십시오", en="write one as 1450, 1.45e3, 12.3 ± 0.4, <5 or 25 °C"
    ),
    "comma": Text(
        ko="쉼표가 천 단위인지 소수점인지 알 수 없습니다. 쉼표 없이 쓰십시오",
        en="the comma may mark thousands or decimals; write the number without one",
    ),
    "unit": Text(ko="칸의 단위를 고치십시오", en="correct the unit in the cell"),
    "interval": Text(
        ko='한 수만 쓰거나, 매핑에 어느 쪽인지 쓰십시오: interval = "low", "middle", "high"',
        en='write one number, or say in the mapping which end is meant: interval = "low", "middle" or "high"',
    ),
    "date_for_number": Text(
        ko="엑셀이 날짜로 바꾼 칸입니다. 셀 서식을 텍스트로 하고 다시 쓰십시오",
        en="Excel has made a date of what was typed; format the cell as text and type it again",
    ),
    "whole_number": Text(ko="소수점 없이 쓰십시오", en="write it without decimals"),
    "yes_or_no": Text(ko="예나 아니오로 쓰십시오", en="write yes or no"),
    "date": Text(ko="날짜를 고치십시오", en="correct the date"),
    "doi": Text(ko="10.으로 시작하는 DOI를 쓰십시오", en="write the DOI, which begins with 10."),
    "formula": Text(
        ko="Al0.3CoFe처럼 원소 기호와 양으로 쓰십시오", en="write element symbols with amounts, as Al0.3CoFe"
    ),
    "pattern": Text(ko="칸이나 매핑의 pattern을 고치십시오", en="correct the cell, or the mapping's pattern"),
    "told_twice": Text(ko="한쪽을 비우십시오", en="clear one of them"),
    "row_key": Text(ko="행의 이름을 채우십시오", en="fill in what the row is called"),
    "sample_name": Text(ko="시편의 이름을 고치십시오", en="correct the sample's name"),
    "contradiction": Text(ko="두 행 가운데 틀린 쪽을 고치십시오", en="correct the row that is wrong"),
    "error_cell": Text(ko="수식을 고치거나 값을 쓰십시오", en="correct the formula, or type the value"),
    "not_calculated": Text(
        ko="엑셀에서 열어 저장하거나 값을 쓰십시오", en="open the file in Excel and save it, or type the value"
    ),
    "merged": Text(ko="병합을 풀고 칸마다 채우십시오", en="unmerge the cells, and fill in each"),
    "row_length": Text(
        ko="구분 문자가 든 칸은 따옴표로 묶고, 머리글 밖의 칸은 비우십시오",
        en="put cells that hold the separator in quotation marks, and clear what stands beside the table",
    ),
    "json": Text(ko="한 줄에 JSON 객체 하나를 쓰십시오", en="write one JSON object in each line"),
    "cell_length": Text(ko="줄이십시오", en="shorten it"),
    "nested": Text(ko="값을 펼쳐 쓰십시오", en="write the values flat"),
}
"""Rule → what to do; the record of such a cell is not sent, and the row's other records are."""
