"""Panes that close: batches, alarms and windows of one asset, in the order of event time."""

from collections import Counter

import numpy as np

from sojae_monitor.assets import Advance, AssetState
from sojae_monitor.batches import Ended
from sojae_monitor.emitted import AlarmChange, BatchDone, Emitted, Window
from sojae_monitor.layout import PlantLayout
from sojae_monitor.panes import PaneRing, PaneRows
from sojae_monitor.windows import Channels, WindowFolder


class Closer:
    """Closes panes of one plant's assets, and adds what comes of it to what is emitted."""

    def __init__(self, layout: PlantLayout, ring: PaneRing) -> None:
        self._layout = layout
        self._ring = ring
        self._folder = WindowFolder(layout)

    def close(self, asset: AssetState, end: int, advance: Advance, emitted: Emitted, counts: Counter[str]) -> None:
        """Close all panes before `end`. What lies beyond the ring was never fed, and is passed over."""
        if end <= asset.closed:
            return
        begin, base = asset.closed, asset.base
        told = max(begin, min(end, base + self._ring.panes))
        rows = self._ring.rows(asset.slot, begin, told)
        windows = self._windows(asset, begin, end, told)
        names = [(begin, asset.batches.batch)]
        borders = asset.batches.borders(end)
        cursor = begin
        # Without a batch that has a name, windows need not interrupt the fold.
        for stop in sorted({*windows, *borders}) if borders or asset.batches.batch else windows:
            # Marks of panes before the asset's first take effect with its first.
            reached = min(max(stop, cursor), told)
            if borders or asset.batches.batch:
                asset.batches.fold(rows.part(cursor - begin, reached - begin), cursor)
                cursor = reached
            if stop in windows:
                self._window(asset, stop, windows[stop], advance, emitted)
            if stop in borders:
                ended = asset.batches.pass_border(stop, counts)
                _add_batches(asset, ended, advance.closer(max(stop, begin)), emitted)
                names.append((max(stop, begin), asset.batches.batch))
        asset.batches.fold(rows.part(cursor - begin, told - begin), cursor)
        self._alarms(asset, rows, names, advance, emitted)
        asset.closed, asset.base = end, self._layout.needed_from(end)
        self._ring.clear(asset.slot, base, asset.base)

    def _windows(self, asset: AssetState, begin: int, end: int, told: int) -> dict[int, Channels]:
        """Return the windows that are complete, by their end, without those in which the asset has told nothing."""
        size, every = self._layout.window_panes, self._layout.emit_panes
        first = (begin // every + 1) * every
        # Windows that begin behind the ring hold nothing.
        ends = range(first, min(end, asset.base + self._ring.panes + size - 1) + 1, every)
        if not ends:
            return {}
        rows = self._ring.rows(asset.slot, first - size, told)
        folded = zip(ends, self._folder.fold(rows, len(ends)), strict=True)
        return {stop: channels for stop, channels in folded if channels is not None}

    def _window(self, asset: AssetState, end: int, channels: Channels, advance: Advance, emitted: Emitted) -> None:
        batches, pane_us = asset.batches, self._layout.pane_us
        emitted.windows.append(
            Window(
                asset=asset.name,
                start_us=(end - self._layout.window_panes) * pane_us,
                end_us=end * pane_us,
                batch=batches.batch,
                channels=channels,
                offset=advance.closer(end - 1)[0],
                so_far=batches.features(),
            )
        )

    def _alarms(
        self,
        asset: AssetState,
        rows: PaneRows,
        names: list[tuple[int, str | None]],
        advance: Advance,
        emitted: Emitted,
    ) -> None:
        layout, first = self._layout, asset.closed
        borders = np.array([pane for pane, _ in names])
        for place, limit, state, began, mean in asset.alarms.step(rows, first):
            pane = first + place
            batch = names[int(np.searchsorted(borders, pane, side="right")) - 1][1]
            emitted.alarms.append(
                AlarmChange(
                    asset=asset.name,
                    channel=layout.channels[limit.channel],
                    rule=limit.rule,
                    state=state,
                    at_us=(pane + 1) * layout.pane_us,
                    began_us=(began + 1) * layout.pane_us,
                    batch=batch,
                    value=mean,
                    limit=limit.at if state == "raised" else limit.clear,
                    unit=layout.units[limit.channel],
                    offset=advance.closer(pane)[0],
                )
            )


def _add_batches(asset: AssetState, ended: list[Ended], closer: tuple[int, int], emitted: Emitted) -> None:
    offset, closed_ms = closer
    for batch, how, start_us, end_us, complete, features in ended:
        index = sum(done.offset == offset for done in emitted.batches)
        emitted.batches.append(
            BatchDone(
                asset=asset.name,
                batch=batch,
                how=how,
                start_us=start_us,
                end_us=end_us,
                offset=offset,
                index=index,
                closed_ms=closed_ms,
                complete=complete,
                features=features,
            )
        )
