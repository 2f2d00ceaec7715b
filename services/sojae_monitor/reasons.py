"""Why the window engine leaves out or corrects what it reads: the words of `Emitted.counts`, and what is counted."""

from collections.abc import Mapping
from typing import Final

SET_ASIDE: Final[Mapping[str, str]] = {
    # messages
    "unexpected_offset": "messages that are not the one expected next",
    "empty_message": "messages without a value",
    "too_large": "messages larger than 1 MiB",
    "unframed": "messages in neither framing",
    "other_schema": "messages of another schema",
    "undecodable": "messages that end too soon or too late, or are no such record",
    "unknown_asset": "messages of an asset that the plant does not have",
    "too_many_assets": "messages of assets beyond the 256 that one partition may have",
    "historical": "messages of old samples, which have a topic of their own",
    "identifier": "messages with a negative epoch or number",
    "series_lengths": "messages whose series or times differ in length",
    "time_grid": "messages whose step is not above 0, or whose times do not rise",
    "time_range": "messages or marks of a time before 1980 or after 2200",
    "quality_run": "messages with a quality run outside its series, or of an unknown code",
    "clock_ahead": "messages further ahead of Kafka's timestamp than the plant's horizon",
    "too_long": "messages that span more than 86,400 panes",
    "repeated": "messages whose epoch and number were taken before",
    "zombie": "messages of an older epoch than the asset's last",
    # series
    "unknown_channel": "series of a channel that the plant does not have",
    "repeated_channel": "series of a channel that the same message tells twice",
    "unit": "series whose unit is unknown or measures something else",
    # samples
    "no_reading": "samples that are NaN, infinite or beyond 1e100",
    "bad_quality": "samples of quality 2, left out",
    "uncertain": "samples of quality 1, kept",
    "late": "good samples of panes that had closed",
    # marks
    "unknown_mark": "marks that are neither start nor end",
    "mark_without_batch": "marks without a readable batch of 1 to 128 characters",
    "mark_ahead": "marks further ahead of Kafka's timestamp than the plant's horizon",
    "late_mark": "marks of panes that had closed",
    "too_many_marks": "marks beyond the 1,000 of an asset that may wait",
    "repeated_start": "start marks of the batch that runs",
    "start_without_end": "start marks that ended the batch before",
    "end_without_start": "end marks while no batch runs",
    "end_of_another": "end marks of another batch than the one that runs",
}
"""What each word counts."""
