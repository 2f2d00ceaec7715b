"""A monitor process under test: the real one, or a control that trusts Kafka's committed offset.

Run as `python tests/faults/monitor_process.py {sound,trusting}`. The control proves that the test can see: it begins every
partition where Kafka says, with an engine that has seen nothing, and keeps no checkpoint.
"""

import asyncio
import sys
from typing import cast

from faust.transport.drivers import aiokafka as driver

from sojae.cli.running import run_process
from sojae.ports import Partition
from sojae.surroundings import Surroundings
from sojae_monitor.agent import MonitorAgent
from sojae_monitor.app import Parts, serve
from sojae_monitor.engine import Engine
from sojae_monitor.transport import PlacedConsumer, PlacedTransport


class TrustingConsumer(PlacedConsumer):
    """Control: reads on where the group has committed, without a replay."""

    async def perform_seek(self) -> None:
        await driver.Consumer.perform_seek(self)
        agent = cast("MonitorAgent", cast("PlacedTransport", self.transport).placing)
        tps = self.assignment()
        await agent.place([Partition(*tp) for tp in tps])
        for tp in tps:
            followed = agent._placement.followed[Partition(*tp)]
            engine = Engine(followed.plant, "trusting", tp.partition)
            engine.next_offset = self._committed_offset.get(tp) or 0
            followed.engine = engine


class TrustingTransport(PlacedTransport):
    Consumer = TrustingConsumer


VARIANTS = {"sound": Parts(), "trusting": Parts(transport=TrustingTransport)}

if __name__ == "__main__":
    run_process(lambda: asyncio.run(serve(Surroundings.read(), VARIANTS[sys.argv[1]])))
