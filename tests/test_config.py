from pathlib import Path

import pytest
from fakes import fake_bundle

from edge_fer.config import NAME, RunConfig, device_name
from edge_fer.errors import BundleError, ConfigError


def test_the_defaults_are_valid() -> None:
    assert RunConfig().sinks == ("jsonl:-",)


def test_the_host_gives_a_valid_device_name() -> None:
    assert NAME.fullmatch(device_name())


@pytest.mark.parametrize("name", ["", "Hall", "hall/front", "+", "#", "a" * 33, "hall\n", "é"])
@pytest.mark.parametrize("setting", ["device", "camera_id"])
def test_an_id_that_would_break_a_topic_is_refused_by_its_name(setting: str, name: str) -> None:
    with pytest.raises(ConfigError, match=setting):
        RunConfig(**{setting: name})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("camera", ""),
        ("sinks", ()),
        ("threads", 0),
        ("events", 0),
        ("most_faces", 11),
        ("smoothing_s", -0.1),
        ("smoothing_s", float("nan")),
        ("abstain_below", 1.5),
        ("purpose", " "),
        ("purpose", "x" * 81),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(setting: str, value: object) -> None:
    with pytest.raises(ConfigError, match=setting):
        RunConfig(**{setting: value})


def test_a_sink_other_than_stdout_needs_a_stated_purpose() -> None:
    with pytest.raises(ConfigError, match="--purpose"):
        RunConfig(sinks=("jsonl:-", "jsonl:events.jsonl"))
    assert RunConfig(sinks=("jsonl:events.jsonl",), purpose="art").purpose == "art"


@pytest.mark.parametrize("purpose", ["workplace", "education", "my School", "staff mood"])
def test_work_and_education_are_refused_with_the_article_that_forbids_them(purpose: str) -> None:
    with pytest.raises(ConfigError, match=r"Art\. 5\(1\)\(f\)"):
        RunConfig(purpose=purpose)


@pytest.mark.parametrize("purpose", ["medical", "safety", "workplace safety", "art", "networking"])
def test_medical_and_safety_purposes_are_accepted(purpose: str) -> None:
    assert RunConfig(purpose=purpose).purpose == purpose


def test_without_a_bundle_the_newest_is_taken(tmp_path: Path) -> None:
    fake_bundle(tmp_path / "only")
    assert RunConfig(bundles_dir=tmp_path).bundle_path() == tmp_path / "only"


def test_without_any_bundle_the_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=str(tmp_path)):
        RunConfig(bundles_dir=tmp_path).bundle_path()


def test_the_hash_tells_settings_apart() -> None:
    assert RunConfig(device="a").sha256() == RunConfig(device="a").sha256()
    assert RunConfig(device="a").sha256() != RunConfig(device="b").sha256()
