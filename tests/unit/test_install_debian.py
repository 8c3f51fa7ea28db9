"""The distribution's package, with scripts in the place of apt-get and dpkg-deb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.install import debian
from lab.install.catalog import SERVERS, Server
from lab.install.debian import Package
from lab.install.source import SourceError

BY_NAME: dict[str, Server] = {server.name: server for server in SERVERS}

APT_GET = """\
#!/bin/sh
PATH=/usr/bin:/bin
cd_to=$PWD
eval package=\\${{$#}}
echo "$package" >> {root}/asked
cp "$3" {root}/apt.conf
if [ "$package" = update ]; then
    [ ! -e {root}/offline ] || {{ echo 'W: nothing'; echo 'E: The repository is not signed.'; exit 100; }}
    touch {root}/updated
    exit 0
fi
if [ -d {root}/repository/$package ] && {{ [ ! -e {root}/stale ] || [ -e {root}/updated ]; }}; then
    echo {root}/repository/$package > "$cd_to/${{package}}_1.0_all.deb"
else
    echo "E: $(cat {root}/complaint 2>/dev/null || echo Unable to locate package $package)"
    exit 100
fi
"""
DPKG_DEB = """\
#!/bin/sh
PATH=/usr/bin:/bin
mkdir -p "$3" && cp -a "$(cat "$2")/." "$3"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution: `repository/<package>/` is what a package contains."""
    write(tmp_path / "bin/apt-get", APT_GET.format(root=tmp_path))
    write(tmp_path / "bin/dpkg-deb", DPKG_DEB)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "scratch/into").mkdir(parents=True)
    return tmp_path


def write(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body)
    path.chmod(0o755)
    return path


def ship(root: Path, package: str, *programs: str, body: str = "#!/bin/sh\n") -> None:
    for program in programs:
        write(root / "repository" / package / "usr/bin" / program, body)
    write(root / "repository" / package / f"usr/share/doc/{package}/copyright", "free")


def fetch(root: Path, server: str) -> list[str]:
    """Fetch and return the names of what arrived."""
    into = root / "scratch/into"
    Package(BY_NAME[server]).fetch(into, lambda line: None)
    return sorted(path.name for path in into.iterdir())


def asked(root: Path) -> list[str]:
    return (root / "asked").read_text().split()


def test_programs_arrive_under_the_labs_names(root: Path) -> None:
    ship(root, "prometheus-alertmanager", "prometheus-alertmanager", "amtool")
    arrived = fetch(root, "alertmanager")
    assert arrived == ["alertmanager", "amtool", "copyright.prometheus-alertmanager"]
    assert (root / "scratch/into/alertmanager").stat().st_mode & 0o777 == 0o755
    assert asked(root) == ["prometheus-alertmanager"]


def test_promtool_may_be_a_package_of_its_own(root: Path) -> None:
    ship(root, "prometheus", "prometheus")
    ship(root, "promtool", "promtool")
    assert fetch(root, "prometheus") == ["copyright.prometheus", "copyright.promtool", "prometheus", "promtool"]
    assert asked(root) == ["prometheus", "promtool"]


def test_an_extra_tool_that_is_nowhere_is_done_without_and_costs_no_update(root: Path) -> None:
    ship(root, "prometheus-alertmanager", "prometheus-alertmanager")
    assert "alertmanager" in fetch(root, "alertmanager")
    assert asked(root) == ["prometheus-alertmanager", "amtool"]


def test_a_needed_tool_that_is_nowhere_is_an_error(root: Path) -> None:
    ship(root, "prometheus", "prometheus")
    with pytest.raises(SourceError, match="apt-get download promtool: E: Unable to locate package promtool"):
        fetch(root, "prometheus")


def test_empty_lists_are_fetched_into_a_private_folder_once(root: Path) -> None:
    ship(root, "prometheus", "prometheus")
    ship(root, "promtool", "promtool")
    (root / "stale").touch()
    fetch(root, "prometheus")
    assert asked(root) == ["prometheus", "update", "prometheus", "promtool"]
    conf = (root / "apt.conf").read_text()
    assert f'Dir::State::lists "{root}/scratch/apt/lists";' in conf


def test_private_lists_are_not_fetched_again_for_what_they_lack(root: Path) -> None:
    ship(root, "prometheus", "prometheus")
    (root / "stale").touch()
    with pytest.raises(SourceError, match="download promtool"):
        fetch(root, "prometheus")
    assert asked(root) == ["prometheus", "update", "prometheus", "promtool"]


def test_the_systems_lists_are_used_as_they_are_and_signatures_are_insisted_on(root: Path) -> None:
    ship(root, "prometheus", "prometheus", "promtool")
    fetch(root, "prometheus")
    conf = (root / "apt.conf").read_text()
    assert "Dir::State::lists" not in conf
    assert f'Dir::Cache "{root}/scratch/apt/cache";' in conf
    assert 'APT::Get::AllowUnauthenticated "false";' in conf
    assert 'Acquire::AllowInsecureRepositories "false";' in conf
    assert "#clear APT::Update::Post-Invoke;" in conf


def test_an_unsigned_distribution_is_refused_in_apts_words(root: Path) -> None:
    (root / "offline").touch()
    with pytest.raises(SourceError, match=r"private folder\): E: The repository is not signed\."):
        fetch(root, "prometheus")


def test_a_network_failure_is_no_reason_to_update(root: Path) -> None:
    (root / "complaint").write_text("Failed to fetch http://mirror/x  Could not resolve 'mirror'")
    with pytest.raises(SourceError, match="Could not resolve 'mirror'"):
        fetch(root, "prometheus")
    assert asked(root) == ["prometheus"]


def test_lists_that_name_a_file_no_longer_there_are_old(root: Path) -> None:
    (root / "complaint").write_text("Failed to fetch http://mirror/x  404  Not Found [IP: ::1 80]")
    with pytest.raises(SourceError):
        fetch(root, "prometheus")
    assert asked(root) == ["prometheus", "update", "prometheus"]


def test_apt_that_hangs_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "DOWNLOAD_S", 0.3)
    write(root / "bin/apt-get", "#!/bin/sh\nkill -STOP $$\n")
    with pytest.raises(SourceError, match=r"not done within 0\.3 s"):
        fetch(root, "prometheus")


@pytest.mark.parametrize("tool", ["apt-get", "dpkg-deb"])
def test_a_machine_without_the_tools_says_so(root: Path, tool: str) -> None:
    (root / "bin" / tool).unlink()
    with pytest.raises(SourceError, match=f"there is no {tool} on this machine"):
        fetch(root, "prometheus")


def test_a_package_that_does_not_unpack_is_an_error(root: Path) -> None:
    ship(root, "prometheus", "prometheus", "promtool")
    write(root / "bin/dpkg-deb", "#!/bin/sh\necho 'dpkg-deb: error: not a Debian archive'\nexit 2\n")
    with pytest.raises(SourceError, match=r"prometheus_1\.0_all\.deb: dpkg-deb: error: not a Debian archive"):
        fetch(root, "prometheus")


def test_a_link_out_of_the_package_is_not_followed(root: Path, tmp_path: Path) -> None:
    ship(root, "prometheus", "promtool")
    outside = write(tmp_path / "outside", "#!/bin/sh\n")
    (root / "repository/prometheus/usr/bin/prometheus").symlink_to(outside)
    assert fetch(root, "prometheus") == ["copyright.prometheus", "promtool"]


REDIS = """\
#!/bin/sh
case "$LD_LIBRARY_PATH" in
    */lib*) echo "Redis server v=7.0.15 lib=$(/bin/ls "${LD_LIBRARY_PATH%%:*}") pid=$$ args=$*" ;;
    *) echo 'redis-server: error while loading shared libraries: liblzf.so.1: cannot open'; exit 127 ;;
esac
"""


def test_redis_without_its_libraries_gets_them_beside_it(root: Path) -> None:
    ship(root, "redis-tools", "redis-check-rdb", body=REDIS)
    (root / "repository/redis-server/usr/bin").mkdir(parents=True)
    (root / "repository/redis-server/usr/bin/redis-server").symlink_to("redis-check-rdb")
    for package, library in (("libjemalloc2", "libjemalloc.so.2"), ("liblzf1", "liblzf.so.1.5")):
        write(root / "repository" / package / "usr/lib" / library, "library")
    (root / "repository/liblzf1/usr/lib/liblzf.so.1").symlink_to("liblzf.so.1.5")
    (root / "repository/libatomic1").mkdir()
    assert "redis-server" in fetch(root, "redis")
    outcome = debian.run([root / "scratch/into/redis-server", "--version"], deadline_s=5)
    assert outcome.text.startswith("Redis server v=7.0.15 lib=libjemalloc.so.2")
    assert (root / "scratch/into/lib/liblzf.so.1").read_text() == "library"
    assert outcome.text.rstrip().endswith("args=--version")


def test_redis_with_its_libraries_needs_no_wrapper(root: Path) -> None:
    ship(root, "redis-tools", "redis-check-rdb", body="#!/bin/sh\necho 'Redis server v=7.0.15'\n")
    (root / "repository/redis-server/usr/bin").mkdir(parents=True)
    (root / "repository/redis-server/usr/bin/redis-server").symlink_to("redis-check-rdb")
    assert fetch(root, "redis") == ["copyright.redis-tools", "redis-server"]


def test_the_plan_names_the_packages() -> None:
    assert "package prometheus (apt-get download)" in Package(BY_NAME["prometheus"]).describe()
    both = replace(BY_NAME["prometheus"], packages=("a", "b"))
    assert "package a and b (apt-get" in Package(both).describe()
