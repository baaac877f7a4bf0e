"""Which node is which camera."""

from pathlib import Path

import pytest

from edge_fer.cameras.v4l2 import names

SERIAL = "usb-Acme_Webcam_1234-video-index0"


class Machine:
    """The parts of /dev and /sys that tell cameras apart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "dev/v4l/by-id").mkdir(parents=True)

    def plug(self, number: int, port: str, serial: str | None = None, index: int = 0) -> str:
        node = self.root / f"dev/video{number}"
        node.touch()
        place = self.root / "sys/devices" / port
        place.mkdir(parents=True, exist_ok=True)
        entry = self.root / f"sys/class/video4linux/video{number}"
        entry.mkdir(parents=True)
        (entry / "device").symlink_to(place)
        (entry / "index").write_text(f"{index}\n")
        (entry / "name").write_text("Acme Webcam\n")
        if serial:
            (self.root / "dev/v4l/by-id" / serial).symlink_to(f"../../video{number}")
        return str(node)

    def unplug(self, number: int) -> None:
        (self.root / f"dev/video{number}").unlink()
        entry = self.root / f"sys/class/video4linux/video{number}"
        for part in entry.iterdir():
            part.unlink()
        entry.rmdir()
        for link in (self.root / "dev/v4l/by-id").iterdir():
            if not link.exists():
                link.unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_number_and_a_bare_name_are_paths() -> None:
    assert names.path_of("") == "/dev/video0"
    assert names.path_of("3") == "/dev/video3"
    assert names.path_of("/dev/video3") == "/dev/video3"
    assert names.path_of(SERIAL) == f"/dev/v4l/by-id/{SERIAL}"


def test_nodes_are_sorted_by_number(machine: Machine) -> None:
    for number in (10, 9, 0):
        machine.plug(number, f"usb1/1-{number}")
    assert [Path(node).name for node in names.nodes(machine.root)] == ["video0", "video9", "video10"]


def test_c3_a_camera_that_comes_back_under_another_number_is_found_by_its_serial(
    machine: Machine,
) -> None:
    node = machine.plug(0, "usb1/1-1", SERIAL)
    known = names.identities(node, machine.root)[0]
    assert known == SERIAL
    machine.unplug(0)
    assert names.find(node, known, machine.root) is None
    again = machine.plug(4, "usb1/1-2", SERIAL)
    assert names.find(node, known, machine.root) == again


def test_c3_without_udev_the_port_tells_who_it_is(machine: Machine) -> None:
    node = machine.plug(0, "platform/vivid.0")
    (known,) = names.identities(node, machine.root)
    machine.unplug(0)
    again = machine.plug(7, "platform/vivid.0")
    assert names.find(node, known, machine.root) == again


def test_c3_another_camera_under_the_old_number_is_not_taken_for_ours(machine: Machine) -> None:
    node = machine.plug(0, "usb1/1-1", SERIAL)
    machine.unplug(0)
    machine.plug(0, "usb1/1-3", "usb-Other_5678-video-index0")
    assert names.find(node, SERIAL, machine.root) is None
    again = machine.plug(1, "usb1/1-1", SERIAL)
    assert names.find(node, SERIAL, machine.root) == again


def test_the_metadata_node_of_a_camera_is_not_the_camera(machine: Machine) -> None:
    node = machine.plug(0, "usb1/1-1")
    (known,) = names.identities(node, machine.root)
    machine.unplug(0)
    machine.plug(2, "usb1/1-1", index=1)
    assert names.find(node, known, machine.root) is None
    again = machine.plug(3, "usb1/1-1", index=0)
    assert names.find(node, known, machine.root) == again


def test_on_the_first_opening_a_path_is_taken_as_it_is(machine: Machine) -> None:
    node = machine.plug(0, "usb1/1-1", SERIAL)
    assert names.find(node, None, machine.root) == node
    link = str(machine.root / "dev/v4l/by-id" / SERIAL)
    assert names.find(link, None, machine.root) == node


def test_what_is_present_changes_with_every_plug(machine: Machine) -> None:
    before = names.present(machine.root)
    machine.plug(0, "usb1/1-1", SERIAL)
    assert len(set(names.present(machine.root)) - set(before)) == 2


def test_a_camera_has_the_name_that_its_driver_gave(machine: Machine) -> None:
    assert names.label(machine.plug(0, "usb1/1-1"), machine.root) == "Acme Webcam"
    assert names.label("/dev/video99", machine.root) == ""
