"""The devices that the shipped `gateway.toml` is written for, to try it without hardware.

A freezer's TEC 3000 and a refrigerator's logger listen on TCP ports as converters would; a tracker
in a dry shipper publishes to the broker. Nothing dramatic happens unless somebody makes it.
"""

from __future__ import annotations

from coldchain.clock import Clock
from coldchain_simulators.ascii_logger import AsciiLogger, Column
from coldchain_simulators.asked import AskedSimulator
from coldchain_simulators.mqtt_logger import MqttLogger, MqttLoggerSimulator, Publisher
from coldchain_simulators.rig import Rig
from coldchain_simulators.scenario import Box, Cupboard
from coldchain_simulators.speaking import SpeakingSimulator
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import TcpWire

#: As in config/gateway.toml.
TEC_PORT, LOGGER_PORT, TRACKER = 10001, 10002, "shipper-7"


class Bench(Rig):
    """`freezer`, `shipper` and `cupboard` are the vessels; change them to make something happen."""

    def __init__(
        self,
        seed: int,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        broker_port: int = 1883,
        tec_port: int = TEC_PORT,
        logger_port: int = LOGGER_PORT,
        interval_ms: int = 60_000,
    ) -> None:
        """The TCP ports are taken at once; 0 takes free ones (`tec.port`, `logger.port`)."""
        self.freezer, self.shipper, self.cupboard = Box(seed), Box(seed + 1), Cupboard(seed)
        super().__init__(clock, (self.freezer, self.shipper, self.cupboard))
        probes = {"TEMPA": self.freezer.vapour_a.sample, "TEMPB": self.freezer.vapour_b.sample}
        controller = Tec3000(probes, address=1, seed=seed)
        self.tec = AskedSimulator(controller, TcpWire(port=tec_port), self.stepper)
        line = AsciiLogger({"T": Column(self.cupboard.probe.sample)}, checksum="xor8")
        self.logger = SpeakingSimulator(line, TcpWire(port=logger_port), self.stepper, interval_ms)
        self.lines += [self.tec, self.logger]
        publisher = Publisher(host, broker_port, f"sim-{TRACKER}", f"coldchain/demo/{TRACKER}")
        tracker = MqttLogger(TRACKER, self.shipper.logged())
        self.loggers.append(MqttLoggerSimulator(tracker, publisher, self.stepper, interval_ms))
