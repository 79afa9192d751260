# ruff: noqa: E501 - a message stands on one line, as it is printed
"""What is wrong in a gateway.toml is said with file, line, place, fault and mend, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config import ConfigError, load
from tests.unit.config.small_site import CONFIG, DRIVERS, changed, marked, problems, warnings, write


def test_the_site_itself_is_right(tmp_path: Path) -> None:
    """What follows is wrong only because of what it changes."""
    path = write(tmp_path)
    assert problems(path) == []
    assert warnings(path) == []


# Old text, new text, and every message that it must give. `:@:` is the line that ends in `#<`.
@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        pytest.param(
            'fresh_within = "2 min"',
            'fresh_within = "120" #<',
            ['gateway.toml:@: channels."dewar-2.vapour".fresh_within: "120" has no unit; write "120 s"'],
            id="a duration without a unit",
        ),
        pytest.param(
            'fresh_within = "2 min"',
            "fresh_within = 120 #<",
            ['gateway.toml:@: channels."dewar-2.vapour".fresh_within: 120 has no unit; write "120 s"'],
            id="a bare number",
        ),
        pytest.param(
            'valid_low = "-200 °C"\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            'valid_low = "-200" #<\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            ['gateway.toml:@: channels."dewar-2.vapour".valid_low: "-200" has no unit; write "-200 °C"'],
            id="a temperature without a unit",
        ),
        pytest.param(
            'valid_low = "-200 °C"\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            'valid_low = "2 kg" #<\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            [
                'gateway.toml:@: channels."dewar-2.vapour".valid_low: "2 kg" is a mass, not a temperature; write it in °C'
            ],
            id="a mass where a temperature belongs",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 seconds" #<',
            ['gateway.toml:@: sources.freezer.poll: "10 seconds": unknown unit "seconds"; write "10 s"'],
            id="a unit's long name",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 fortnights" #<',
            [
                'gateway.toml:@: sources.freezer.poll: "10 fortnights": unknown unit "fortnights"; write one of ms, s, min, h, d'
            ],
            id="a unit that does not exist",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "-10 s" #<',
            ['gateway.toml:@: sources.freezer.poll: "-10 s" is negative; write "10 s"'],
            id="a negative time",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "0 s" #<',
            [
                'gateway.toml:@: sources.freezer.poll: is no time at all; write a time above zero, such as "10 s"'
            ],
            id="no time at all",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "0.5 ms" #<',
            [
                'gateway.toml:@: sources.freezer.poll: "0.5 ms" is finer than 1 ms; round it to whole milliseconds'
            ],
            id="finer than a millisecond",
        ),
        pytest.param(
            'valid_low = "0 kg"',
            'valid_low = "−1 kg" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".valid_low: "−1 kg" has a typeset minus sign; write "-1 kg"'
            ],
            id="a typeset minus",
        ),
        pytest.param(
            'tare_mass = "5.3 kg"',
            'tare_mass = "5.30001 kg" #<',
            [
                'gateway.toml:@: assets.shipper-7.tare_mass: "5.30001 kg" is finer than 0.0001 kg, the quantum; write what shall hold in kg, rounded to the side that is safe'
            ],
            id="finer than the quantum",
        ),
        pytest.param(
            'tare_mass = "5.3 kg"',
            'tare_mass = "0 kg" #<',
            ['gateway.toml:@: assets.shipper-7.tare_mass: "0 kg" is no mass; write a mass above zero'],
            id="a mass of nothing",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "often" #<',
            [
                'gateway.toml:@: sources.freezer.poll: "often" is no duration; write a number and a unit, such as "10 min"'
            ],
            id="a word for a number",
        ),
        pytest.param(
            'poll = "10 s"',
            "poll = true #<",
            ['gateway.toml:@: sources.freezer.poll: true is no duration; write a text such as "10 min"'],
            id="true for a time",
        ),
        pytest.param(
            'poll = "10 s"',
            'pol = "10 s" #<\npoll = "10 s"',
            ["gateway.toml:@: sources.freezer.pol: unknown key; did you mean poll?"],
            id="an unknown key",
        ),
        pytest.param(
            'time_zone = "Asia/Shanghai"',
            'colour = "blue" #<',
            ["gateway.toml:@: site.colour: unknown key; known here: name, time_zone"],
            id="an unknown key like none",
        ),
        pytest.param(
            "[sinks.state]",
            "[sink.state] #<",
            ["gateway.toml:@: sink: unknown key; did you mean sinks?"],
            id="an unknown table",
        ),
        pytest.param(
            'topic = "shipper/7"',
            'topic = "shipper/7"\ntopics = "x" #<',
            ["gateway.toml:@: sources.shipper.settings.topics: unknown key; did you mean topic?"],
            id="a driver's unknown key",
        ),
        pytest.param(
            '[sources.shipper.settings]\ntopic = "shipper/7"',
            "[sources.shipper.settings] #<",
            ["gateway.toml:@: sources.shipper.settings.topic: is missing; write topic"],
            id="a driver's missing key",
        ),
        pytest.param(
            'client_id = "gateway-1"',
            "",
            [
                'gateway.toml:14: brokers.local.client_id: is missing; write it, such as client_id = "gateway-7"'
            ],
            id="a missing key",
        ),
        pytest.param(
            '[site]\nname = "Cell bank"\ntime_zone = "Asia/Shanghai"',
            "",
            ['gateway.toml:1: site: is missing; write [site] with name = "…"'],
            id="no site",
        ),
        pytest.param(
            '[journal]\npath = "journal.db"',
            'journal = "journal.db" #<',
            [
                'gateway.toml:1: journal: is missing; write [journal] with path = "…"',
                "gateway.toml:@: site.journal: unknown key; known here: name, time_zone",
            ],
            id="a text for a table",
        ),
        pytest.param(
            "[assets.dewar-2]",
            '[assets."dewar/2"] #<',
            [
                'gateway.toml:@: assets."dewar/2": "dewar/2" is no name; use 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first',
                'gateway.toml:46: channels."dewar-2.vapour".asset: assets.dewar-2 does not exist; did you mean "dewar/2"?',
            ],
            id="a name with a slash",
        ),
        pytest.param(
            'driver = "probe"',
            'driver = "probe"\nsimulated = "yes" #<',
            [
                'gateway.toml:@: sources.freezer.simulated: "yes" is neither true nor false; write true or false, without quotes'
            ],
            id="a text for true",
        ),
        pytest.param(
            'client_id = "gateway-1"',
            'client_id = "gateway-1"\nport = "1883" #<',
            [
                'gateway.toml:@: brokers.local.port: "1883" is no whole number; write a whole number, without quotes'
            ],
            id="a text for a number",
        ),
        pytest.param(
            'client_id = "gateway-1"',
            'client_id = "gateway-1"\nport = 70000 #<',
            ["gateway.toml:@: brokers.local.port: 70000 is too large; write at most 65535"],
            id="a port out of range",
        ),
        pytest.param(
            'kind = "dewar"',
            'kind = "dewer" #<',
            ['gateway.toml:@: assets.dewar-2.kind: "dewer" is not known here; write "dewar"'],
            id="an unknown kind of asset",
        ),
        pytest.param(
            'poll = "10 s"',
            "poll = 10 s",
            [
                "gateway.toml:21: expected newline or end of document after a statement; correct the line, or put the value in quotes"
            ],
            id="not TOML",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 s"\npoll = "20 s"',
            ["gateway.toml:22: cannot overwrite a value; write each key and each table once"],
            id="a key twice",
        ),
        pytest.param(
            'time_zone = "Asia/Shanghai"',
            'time_zone = "Beijing" #<',
            [
                'gateway.toml:@: site.time_zone: "Beijing" is no time zone; write one such as "Asia/Shanghai" or "UTC"'
            ],
            id="no time zone",
        ),
        pytest.param(
            'client_id = "gateway-1"',
            'client_id = "gateway-1"\nuser = "a"\npassword = "geheim" #<',
            [
                'gateway.toml:@: brokers.local.password: a secret stands in the file; put it into a file that only the service may read and write password_file = "/etc/coldchain/local-password" or "$CREDENTIALS_DIRECTORY/local-password"'
            ],
            id="a password in the file",
        ),
        pytest.param(
            '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"',
            '[sinks.series]\nkind = "influx"\nurl = "http://127.0.0.1:8086"\nbucket = "b"\ntoken = "geheim" #<',
            [
                'gateway.toml:@: sinks.series.token: a secret stands in the file; put it into a file that only the service may read and write token_file = "/etc/coldchain/series-token" or "$CREDENTIALS_DIRECTORY/series-token"'
            ],
            id="a token in the file",
        ),
        pytest.param(
            '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"',
            '[sinks.series]\nkind = "influx"\nurl = "http://u:geheim@127.0.0.1:8086" #<\nbucket = "b"',
            [
                "gateway.toml:@: sinks.series.url: the URL holds a user or password; take it out of the URL and use token_file"
            ],
            id="a password in a URL",
        ),
        pytest.param(
            '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"',
            '[sinks.series] #<\nkind = "influx"\nurl = "http://127.0.0.1:8086"\nbucket = "b"\nca_file = "ca.pem"',
            [
                "gateway.toml:@: sinks.series: names ca_file and uses no TLS; write an https URL, or take ca_file out"
            ],
            id="authorities without TLS",
        ),
        pytest.param(
            'client_id = "gateway-1"',
            'client_id = "gateway-1" \nuser = "a"\npassword_file = "p"\npassword_env = "P"',
            ["gateway.toml:14: brokers.local: has password_file and password_env; keep one of them"],
            id="a password twice",
        ),
        pytest.param(
            "[journal]",
            '[page] #<\nhost = "0.0.0.0"\n[journal]',
            ['gateway.toml:@: page: is open to others on "0.0.0.0" without users; write users_file'],
            id="a page open without users",
        ),
        pytest.param(
            "[journal]",
            '[page] #<\nhost = "0.0.0.0"\nusers_file = "users"\nnames = ["cc.example.org"]\n[journal]',
            [
                'gateway.toml:@: page: would send passwords in clear on "0.0.0.0"; write tls_certificate_file and tls_key_file, or behind_proxy = true if a proxy does TLS'
            ],
            id="a page in clear",
        ),
        pytest.param(
            "[journal]",
            '[page] #<\nusers_file = "users"\nbehind_proxy = true\n[journal]',
            [
                'gateway.toml:@: page: does not say under which names people come; write names = ["coldchain.example.org"]; a request for any other is refused'
            ],
            id="a proxy and no names",
        ),
        pytest.param(
            "[journal]",
            "[page] #<\nbehind_proxy = true\n[journal]",
            ["gateway.toml:@: page: is open to others through a proxy without users; write users_file"],
            id="a proxy and no users",
        ),
        pytest.param(
            'driver = "probe"',
            'driver = "prob" #<',
            ['gateway.toml:@: sources.freezer.driver: no driver "prob" is installed; did you mean "probe"?'],
            id="no such driver",
        ),
        pytest.param(
            'port = "/dev/ttyUSB0"\n',
            "",
            [
                'gateway.toml:18: sources.freezer.port: is missing; write port = "/dev/serial/by-id/…" or "socket://HOST:PORT"'
            ],
            id="no port",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 s"\n[sources.freezer.settings]\nbaud = "x" #<',
            [
                'gateway.toml:@: sources.freezer.settings.baud: "x" is no whole number; write a whole number, without quotes'
            ],
            id="no baud",
        ),
        pytest.param(
            'poll = "10 s"\n',
            "",
            ['gateway.toml:18: sources.freezer.poll: is missing: probe asks the device; write poll = "10 s"'],
            id="a polled device without poll",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 s" #<\nsettings = { speaks = true }',
            [
                "gateway.toml:@: sources.freezer.poll: the device speaks by itself; leave out poll",
                'gateway.toml:44: channels."dewar-2.vapour".interval: is missing: the device is not polled; write interval = "60 s"',
            ],
            id="a poll of what speaks by itself",
        ),
        pytest.param(
            'poll = "10 s"\n',
            'settings = { speaks = true }\npoll_outside = "2 s" #<\n',
            [
                "gateway.toml:@: sources.freezer.poll_outside: the device speaks by itself, and nobody can ask it to do so more often; leave out poll_outside; where the device has a faster interval of its own, set it there",
                'gateway.toml:44: channels."dewar-2.vapour".interval: is missing: the device is not polled; write interval = "60 s"',
            ],
            id="what speaks by itself cannot be asked faster",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 s"\npoll_outside = "10 s" #<',
            [
                "gateway.toml:@: sources.freezer.poll_outside: is 10 s, and poll is 10 s; write a shorter time, or leave it out"
            ],
            id="no oftener when outside",
        ),
        pytest.param(
            'driver = "tracker"',
            'driver = "tracker"\npoll_outside = "1 s" #<',
            [
                "gateway.toml:@: sources.shipper.poll_outside: tracker is read from a broker; leave out poll_outside"
            ],
            id="a faster poll for a broker",
        ),
        pytest.param(
            'port = "/dev/ttyUSB0"',
            'port = "/dev/ttyUSB0"\nbroker = "local" #<',
            ["gateway.toml:@: sources.freezer.broker: probe is read from a serial line; leave out broker"],
            id="a broker for a serial line",
        ),
        pytest.param(
            'driver = "tracker"',
            'driver = "tracker"\npoll = "1 min" #<',
            ["gateway.toml:@: sources.shipper.poll: tracker is read from a broker; leave out poll"],
            id="a poll for a broker",
        ),
        pytest.param(
            'driver = "tracker"\nbroker = "local"',
            'driver = "tracker"\nbroker = "locel" #<',
            ['gateway.toml:@: sources.shipper.broker: brokers.locel does not exist; did you mean "local"?'],
            id="no such broker",
        ),
        pytest.param(
            '[sources.shipper]\ndriver = "tracker"\nbroker = "local"\n\n[sources.shipper.settings]\ntopic = "shipper/7"',
            '[sources.shipper]\ndriver = "probe"\nport = "/dev/ttyUSB0" #<\npoll = "10 s"',
            [
                'gateway.toml:@: sources.shipper.port: "/dev/ttyUSB0" belongs to sources.freezer, and both ask "A?"; give each device an address of its own',
                'gateway.toml:54: channels."shipper-7.vapour".key: sources.shipper does not send "vapour"; it sends: temp_a, temp_b',
                'gateway.toml:66: channels."shipper-7.mass".key: sources.shipper does not send "mass"; it sends: temp_a, temp_b',
            ],
            id="two sources on one port",
        ),
        pytest.param(
            'topic = "shipper/7"',
            'topic = "shipper/7"\nsimulated = true',
            [
                "gateway.toml:23: sources.shipper.simulated: is false, and the driver is told to accept simulated messages; write simulated = true: what is simulated must never pass for evidence"
            ],
            id="simulated messages for evidence",
        ),
        pytest.param(
            "[journal]",
            '[health]\nlog = "8 MiB" #<\n\n[journal]',
            [
                'gateway.toml:@: health.log: is less than a journal\'s log needs now and then; write "16 MiB" or more'
            ],
            id="a log that would be an alarm while it is well",
        ),
        pytest.param(
            "[journal]\n",
            '[evidence]\nevery = "500 ms" #<\n\n[journal]\n',
            [
                'gateway.toml:@: evidence.every: signs more often than each second; write "1 s" or more, such as "15 min"'
            ],
            id="a head more often than each second",
        ),
        pytest.param(
            "[journal]",
            '[health]\nclock = "16 s" #<\n\n[journal]',
            [
                'gateway.toml:@: health.clock: is never crossed: at 16 s the kernel itself gives its clock up, which is another alarm; write less than "16 s"'
            ],
            id="a clock's error that no kernel reaches",
        ),
        pytest.param(
            'source = "freezer"',
            'source = "freezers" #<',
            [
                'gateway.toml:@: channels."dewar-2.vapour".source: sources.freezers does not exist; did you mean "freezer"?'
            ],
            id="no such source",
        ),
        pytest.param(
            'key = "temp_a"',
            'key = "temp_c" #<',
            [
                'gateway.toml:@: channels."dewar-2.vapour".key: sources.freezer does not send "temp_c"; did you mean "temp_b"?'
            ],
            id="no such key",
        ),
        pytest.param(
            'asset = "dewar-2"',
            'asset = "dewar-3" #<',
            [
                'gateway.toml:@: channels."dewar-2.vapour".asset: assets.dewar-3 does not exist; did you mean "dewar-2"?'
            ],
            id="no such asset",
        ),
        pytest.param(
            'role = "mass"',
            'role = "vapour" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".role: role "vapour" of assets.shipper-7 is already measured by channels."shipper-7.vapour"; give each probe of an asset a role of its own'
            ],
            id="one role twice",
        ),
        pytest.param(
            'key = "mass"',
            'key = "vapour" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".key: "vapour" of sources.shipper already is channels."shipper-7.vapour"; let each key be one channel',
                'gateway.toml:71: channels."shipper-7.mass".quantity: unit "degC" is no unit of mass; write quantity = "temperature"',
            ],
            id="one key twice",
        ),
        pytest.param(
            'key = "temp_a"',
            'key = "temp_a"\nunit = "K" #<',
            [
                'gateway.toml:@: channels."dewar-2.vapour".unit: unit "K" contradicts the device, which sends "degC"; leave out unit'
            ],
            id="a unit against the device's",
        ),
        pytest.param(
            'quantity = "mass"',
            'quantity = "level" #<',
            [
                'gateway.toml:75: channels."shipper-7.mass".valid_low: "0 kg" is a mass, not a level; write it in mm',
                'gateway.toml:76: channels."shipper-7.mass".valid_high: "60 kg" is a mass, not a level; write it in mm',
            ],
            id="a unit of another quantity",
        ),
        pytest.param(
            'poll = "10 s"',
            'poll = "10 s"\nsettings = { unit = "" }',
            [
                'gateway.toml:44: channels."dewar-2.vapour".unit: is missing: no unit is known for "temp_a"; write the unit that the device means, such as unit = "°C"'
            ],
            id="no unit is known",
        ),
        pytest.param(
            'fresh_within = "30 min"',
            'fresh_within = "5 min" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".fresh_within: 5 min is shorter than one round of 10 min: a device in order would count as silent; write at least "10 min"'
            ],
            id="silent before a round is over",
        ),
        pytest.param(
            'fresh_within = "30 min"',
            'fresh_within = "30 min"\nmax_gap = "30 s" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".max_gap: 30 s is shorter than the interval of 1 min: the product would count as unmonitored between any two readings; write at least "1 min"'
            ],
            id="a gap shorter than the interval",
        ),
        pytest.param(
            'key = "temp_a"',
            'key = "temp_a"\ninterval = "1 s" #<',
            [
                'gateway.toml:@: channels."dewar-2.vapour".interval: 1 s is shorter than the poll of 10 s; leave it out, or poll sources.freezer more often'
            ],
            id="an interval shorter than the poll",
        ),
        pytest.param(
            'interval = "1 min"\nupload = "10 min"\n',
            "",
            [
                'gateway.toml:66: channels."shipper-7.mass".interval: is missing: the device is not polled; write interval = "60 s"'
            ],
            id="no interval",
        ),
        pytest.param(
            'upload = "10 min"',
            'upload = "10 s" #<',
            [
                'gateway.toml:@: channels."shipper-7.mass".upload: is shorter than interval; leave it out, or write the longer of the two'
            ],
            id="uploads more often than readings",
        ),
        pytest.param(
            'valid_low = "0 kg"\nvalid_high = "60 kg"',
            'valid_low = "60 kg"\nvalid_high = "0 kg"',
            [
                'gateway.toml:66: channels."shipper-7.mass": valid_low 60 kg is not below valid_high 0 kg; correct one of them'
            ],
            id="a range upside down",
        ),
        pytest.param(
            'valid_low = "-200 °C"\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            'valid_low = "-80 °C" #<\nvalid_high = "60 °C"\n\n[channels."shipper-7.vapour"]',
            [
                'gateway.toml:@: channels."dewar-2.vapour".valid_low: a probe valid from -80 °C to 60 °C cannot see both sides of -150 °C, a limit of frozen (time-too-warm, too-warm); use a probe that can, or correct its range'
            ],
            id="a probe that cannot see the limit",
        ),
        pytest.param(
            'fresh_within = "2 min"\n',
            "",
            [
                'gateway.toml:43: channels."dewar-2.vapour".fresh_within: is missing; write it, such as fresh_within = "5 min"'
            ],
            id="no fresh_within",
        ),
        pytest.param(
            "[sinks.state]",
            '[channels."shipper-7.mass".calibration]\ncertificate = "c"\ndue = 2027-01-31\nuncertainty = "1 g"\npoints = [\n{ at = "5 kg", correction = "1 g" },\n{ at = "0 kg", correction = "0 g" }, #<\n]\n[sinks.state]',
            [
                'gateway.toml:@: channels."shipper-7.mass".calibration.points[1].at: is not above the point before it; sort the points, each value once'
            ],
            id="a calibration out of order",
        ),
        pytest.param(
            "[sinks.state]",
            '[channels."shipper-7.mass".calibration]\ncertificate = "c"\ndue = 2027-01-31\nuncertainty = "1 °C" #<\n[sinks.state]',
            [
                'gateway.toml:@: channels."shipper-7.mass".calibration.uncertainty: "1 °C" is a temperature, not a mass; write it in kg'
            ],
            id="a calibration in another quantity",
        ),
        pytest.param(
            "[sinks.state]",
            '[channels."shipper-7.mass".calibration]\ncertificate = "c"\ndue = "2027-01-31" #<\nuncertainty = "1 g"\n[sinks.state]',
            [
                'gateway.toml:@: channels."shipper-7.mass".calibration.due: "2027-01-31" is no date; write a date without quotes, such as 2027-01-31'
            ],
            id="a due date in quotes",
        ),
        pytest.param(
            'profile = "frozen"\nstage = "storage"',
            'profile = "frozzen" #<\nstage = "storage"',
            ['gateway.toml:@: assets.dewar-2.profile: there is no profile "frozzen"; did you mean "frozen"?'],
            id="no such profile",
        ),
        pytest.param(
            'stage = "storage"',
            'stage = "store" #<',
            [
                'gateway.toml:@: assets.dewar-2.stage: profile frozen has no stage "store"; did you mean "storage"?'
            ],
            id="no such stage",
        ),
        pytest.param(
            'stage = "storage"\n',
            "",
            ["gateway.toml:30: assets.dewar-2.stage: is missing; write stage, one of storage, transport"],
            id="which stage",
        ),
        pytest.param(
            'profile = "frozen"\nstage = "storage"',
            'stage = "storage"',
            ["gateway.toml:30: assets.dewar-2: has a stage and no profile; write profile"],
            id="a stage without a profile",
        ),
        pytest.param(
            'role = "vapour"\nquantity = "temperature"\nprobe = "vapour"\nfresh_within = "2 min"',
            'role = "air"\nquantity = "temperature"\nprobe = "vapour"\nfresh_within = "2 min"',
            [
                'gateway.toml:32: assets.dewar-2.profile: frozen judges vapour in stage storage, and no channel of this asset has that role; roles here: air; add a channel, choose another profile, or write logged = ["vapour"] if loggers\' files tell it after a trip'
            ],
            id="a role nobody measures",
        ),
        pytest.param(
            'key = "temp_a"\nasset = "dewar-2"\nrole = "vapour"\nquantity = "temperature"\nprobe = "vapour"\nfresh_within = "2 min"\nvalid_low = "-200 °C"\nvalid_high = "60 °C"',
            'key = "temp_a"\nasset = "dewar-2"\nrole = "vapour"\nquantity = "mass" #<\nfresh_within = "2 min"\nvalid_low = "0 kg"\nvalid_high = "60 kg"',
            [
                'gateway.toml:@: channels."dewar-2.vapour".quantity: frozen judges a temperature as "vapour", not a mass; correct the channel\'s role or its quantity',
                'gateway.toml:@: channels."dewar-2.vapour".quantity: unit "degC" is no unit of mass; write quantity = "temperature"',
            ],
            id="the wrong quantity in a role",
        ),
        pytest.param(
            'full_mass = "8.6 kg"',
            'full_mass = "4 kg"',
            ["gateway.toml:35: assets.shipper-7: tare_mass is not below full_mass; correct one of them"],
            id="lighter full than empty",
        ),
        pytest.param(
            'directories = ["limits"]',
            'directories = [\n"limits",\n"more", #<\n]',
            ['gateway.toml:@: profiles.directories[1]: "more" is no folder; create it, or correct the path'],
            id="no such folder",
        ),
        pytest.param(
            'directories = ["limits"]',
            'directories = ["limits"]\nuse = ["dry-shipper-15"] #<',
            [
                'gateway.toml:@: profiles.use[0]: there is no profile "dry-shipper-15"; did you mean "dry-shipper-150"?'
            ],
            id="no such profile in use",
        ),
        pytest.param(
            'directories = ["limits"]',
            'directories = ["limits"]\n[profiles.figures.frozen.alowance] #<\nvalue = "5 min"\nsource = "s"\napproved_by = "a"',
            [
                "gateway.toml:@: profiles.figures.frozen.alowance: profile frozen asks for no such figure; did you mean allowance?"
            ],
            id="a figure nobody asked for",
        ),
        pytest.param(
            'directories = ["limits"]',
            'directories = ["limits"]\n[profiles.figures.frozen.allowance] #<\nvalue = "5 min"\nsource = "s"',
            [
                'gateway.toml:@: profiles.figures.frozen.allowance.approved_by: is missing; write it, such as approved_by = "A. Meier, QA"'
            ],
            id="a figure without approval",
        ),
        pytest.param(
            'directories = ["limits"]',
            'directories = ["limits"]\n[profiles.figures.froze.allowance] #<\nvalue = "5 min"\nsource = "s"\napproved_by = "a"',
            ["gateway.toml:@: profiles.figures.froze: no such profile is in use; did you mean frozen?"],
            id="figures for no profile",
        ),
        pytest.param(
            'kind = "mqtt_state"',
            'kind = "mqtt-state" #<',
            ['gateway.toml:@: sinks.state.kind: there is no sink "mqtt-state"; did you mean "mqtt_state"?'],
            id="no such sink",
        ),
        pytest.param(
            'kind = "mqtt_state"\nbroker = "local"',
            'kind = "mqtt_state"\nbroker = "remote" #<',
            ["gateway.toml:@: sinks.state.broker: brokers.remote does not exist; there are: local"],
            id="a sink's unknown broker",
        ),
        pytest.param(
            "[sinks.state]",
            '[brokers.other]\nhost = "127.0.0.1"\nclient_id = "gateway-1" #<\n[sinks.state]',
            [
                'gateway.toml:@: brokers.other.client_id: "gateway-1" is also used by brokers.local: the broker would close one for the other; give each connection a client_id of its own'
            ],
            id="one client id twice",
        ),
        pytest.param(
            'kind = "mqtt_state"',
            'topic_prefix = "a/#" \nkind = "mqtt_state"',
            [
                'gateway.toml:78: sinks.state: "a/#" is no topic to publish under; write one such as "coldchain/site-1"'
            ],
            id="a wildcard in a prefix",
        ),
        pytest.param(
            '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"',
            '[sinks.hook]\nkind = "webhook"\nurl = "example.org" #<',
            [
                'gateway.toml:@: sinks.hook.url: "example.org" is no URL; write one such as "https://example.org/hook"'
            ],
            id="no URL",
        ),
        pytest.param(
            '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"',
            '[sinks.hook]\nkind = "webhook"\nurl = "https://example.org"\npriorities = ["critical", "hight"] #<',
            ['gateway.toml:@: sinks.hook.priorities[1]: "hight" is not known here; write "high"'],
            id="an unknown priority",
        ),
        pytest.param(
            'critical = "15 min"',
            'urgent = "15 min" #<',
            [
                'gateway.toml:@: alarms.re_alarm.urgent: "urgent" is not known here; write one of "critical", "high", "low", "to_know"'
            ],
            id="an unknown priority as a key",
        ),
        pytest.param(
            "[alarms.re_alarm]\n",
            "[alarms.shelve_max]\nhigh = 8 #<\n[alarms.re_alarm]\n",
            ['gateway.toml:@: alarms.shelve_max.high: 8 has no unit; write "8 s"'],
            id="a longest shelf without a unit",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, messages: list[str]) -> None:
    """One mistake gives its message, at its line, and no other that only follows from it."""
    text = changed(CONFIG, old, new)
    assert problems(write(tmp_path, text)) == [marked(text, message) for message in messages]


def test_everything_is_said_at_once(tmp_path: Path) -> None:
    """Mistakes in many tables, in a driver's settings and in a profile come together, sorted by file and line."""
    text = CONFIG
    for old, new in [
        ('name = "Cell bank"', "name = 7"),
        ('poll = "10 s"', 'poll = "10"'),
        ('topic = "shipper/7"', "topic = 7"),
        ('kind = "dewar"', 'kind = "dewer"'),
        ('upload = "10 min"', 'uplaod = "10 min"'),
        ('kind = "mqtt_state"', 'kind = "state"'),
    ]:
        text = changed(text, old, new)
    path = write(tmp_path, text, "id = 7\n")
    with pytest.raises(ConfigError) as caught:
        load(path, drivers=DRIVERS)
    places = [(problem.file, problem.place) for problem in caught.value.problems]
    assert places == [
        ("gateway.toml", "site.name"),
        ("gateway.toml", "sources.freezer.poll"),
        ("gateway.toml", "sources.shipper.settings.topic"),
        ("gateway.toml", "assets.dewar-2.kind"),
        ("gateway.toml", 'channels."shipper-7.mass".uplaod'),
        ("gateway.toml", "sinks.state.kind"),
        ("limits/frozen.toml", "id"),
        ("limits/frozen.toml", "product_state"),
        ("limits/frozen.toml", "stages"),
        ("limits/frozen.toml", "status"),
        ("limits/frozen.toml", "title"),
        ("limits/frozen.toml", "version"),
    ]
    lines = [problem.line for problem in caught.value.problems if problem.file == "gateway.toml"]
    assert lines == sorted(lines)
    assert str(caught.value).count("\n") == len(places) - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\xff\xfe", "gateway.toml:1: is not UTF-8; save it as UTF-8", id="not UTF-8"),
        pytest.param(
            b"[site]\nname = '\xe9'", "gateway.toml:2: is not UTF-8; save it as UTF-8", id="Latin-1 on line 2"
        ),
        pytest.param(
            b"#" * 5_000_000,
            "gateway.toml:1: is larger than 4 MiB; give a configuration file",
            id="a log file",
        ),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    """Any file may be given by mistake; it is refused with a reason."""
    path = tmp_path / "gateway.toml"
    path.write_bytes(content)
    assert problems(path) == [message]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is said like any other mistake."""
    path = tmp_path / "gateway.toml"
    assert problems(path) == [
        f"gateway.toml:1: cannot be read: No such file or directory; check that {path} exists and may be read"
    ]


def test_no_secret_is_repeated(tmp_path: Path) -> None:
    """Whatever is wrong with a table, what may be a secret in it is in no message."""
    for key in ("password", "Password", "token", "secret", "api_key"):
        text = changed(
            CONFIG, 'client_id = "gateway-1"', f'client_id = "gateway-1"\nuser = "a"\n{key} = "geheim"'
        )
        said = problems(write(tmp_path, text))
        assert said
        assert "geheim" not in "\n".join(said), key
