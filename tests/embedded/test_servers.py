"""The private servers: they keep their data, keep to themselves, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from yoyo import get_backend

from gateway.embedded import Embedded, EmbeddedError, Endpoints, running, short_folder
from tests.embedded.folders import needs_proc, passable_folder, works_below

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="root gives its servers another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


@pytest.fixture
def data(folder: Path) -> Path:
    return folder / "data"


def embedded(data: Path) -> Embedded:
    return Embedded(data, lambda line: None)


def write(endpoints: Endpoints, word: str) -> None:
    with psycopg.connect(endpoints.owner_url) as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", [word])


def read(endpoints: Endpoints) -> list[str]:
    with psycopg.connect(endpoints.owner_url) as connection:
        return [word for (word,) in connection.execute("select word from words")]


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as connection:
        return bool(connection.ping())


# --- What must not happen


def test_a_second_one_with_the_same_folder_is_refused(data: Path) -> None:
    with embedded(data), pytest.raises(EmbeddedError, match="already runs with --data"):
        embedded(data).start()


@pytest.mark.parametrize("text", [None, "{}"])
def test_without_a_demo_running_says_how_to_start_one(data: Path, text: str | None) -> None:
    if text:  # as a killed demo leaves it
        data.mkdir()
        (data / "lock").touch()
        (data / "endpoints.json").write_text(text)
    with pytest.raises(EmbeddedError, match=f"start it with scripts/run --data {data}"):
        running(data)


def test_a_server_that_cannot_start_shows_its_log_and_stops_the_rest(data: Path) -> None:
    servers = embedded(data)
    with servers:
        postgres = servers.folder / "postgres"
    (postgres / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match=r"postgresql\.log") as refused:
        servers.start()
    assert "initialized by PostgreSQL version 9.6" in str(refused.value)
    assert servers.servers == ()


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "data").touch()
    with pytest.raises(EmbeddedError, match="give a folder of your own"):
        embedded(folder / "data").start()


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_servers_folder_that_others_may_enter_is_not_used(data: Path, mode: int) -> None:
    planted = data / "servers"
    planted.mkdir(parents=True)
    planted.chmod(mode)
    with pytest.raises(EmbeddedError, match="only you can write and read"):
        embedded(data).start()


@needs_root
def test_a_folder_planted_where_everybody_may_write_is_not_used(tmp_path: Path) -> None:
    data = tmp_path / "data"  # pytest's folders are shut, so root's servers go elsewhere
    data.mkdir()
    planted = short_folder(data)
    planted.mkdir(mode=0o700)
    os.chown(planted, 1234, 1234)
    try:
        with pytest.raises(EmbeddedError, match="only you can write and read"):
            embedded(data).start()
    finally:
        planted.rmdir()


# --- What must


def test_a_second_start_finds_what_the_first_one_kept(data: Path) -> None:
    with embedded(data) as endpoints:
        write(endpoints, "chaski")
        with psycopg.connect(endpoints.app_url) as application:
            assert application.info.user == "chaski_app"
        assert ping(endpoints.sessions_url)
        assert ping(endpoints.queue_url)
        assert running(data) == endpoints
    with embedded(data) as endpoints:
        assert read(endpoints) == ["chaski"]


def test_only_the_owner_may_read_the_endpoints_and_reach_the_sockets(data: Path) -> None:
    servers = embedded(data)
    with servers:
        assert stat.S_IMODE((data / "endpoints.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(servers.folder.stat().st_mode) & 0o067 == 0
        assert stat.S_IMODE((servers.folder / "s").stat().st_mode) == 0o700


@needs_proc
def test_a_stop_leaves_no_process_behind(data: Path) -> None:
    servers = embedded(data)
    with servers as endpoints, psycopg.connect(endpoints.owner_url):
        assert works_below(servers.folder)
    assert works_below(servers.folder) == {}


@needs_proc
def test_after_a_kill_the_servers_end_and_the_next_start_finds_the_data(data: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gateway.embedded import Embedded\n"
        "servers = Embedded(Path(sys.argv[1]), lambda line: None); servers.start()\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        write(running(data), "chaski")
        parent.send_signal(signal.SIGKILL)
    servers = embedded(data)
    with servers as endpoints:
        assert read(endpoints) == ["chaski"]
    assert works_below(servers.folder) == {}


def test_a_pid_file_from_before_a_reboot_does_not_matter(data: Path) -> None:
    servers = embedded(data)
    with servers as endpoints:
        write(endpoints, "chaski")
    (servers.folder / "postgres/postmaster.pid").write_text(f"{os.getpid()}\n")
    with servers as endpoints:
        assert read(endpoints) == ["chaski"]


def test_a_long_path_with_every_odd_letter_works(folder: Path) -> None:
    data = folder / "a, b 'c' %20+?#ñ" / ("long" * 25)
    with embedded(data) as endpoints:
        write(endpoints, "chaski")
        backend = get_backend(endpoints.owner_url.replace("postgresql:", "postgresql+psycopg:"))
        backend.connection.close()
        assert ping(endpoints.sessions_url)
        assert short_folder(data).exists()
    assert not short_folder(data).exists()


def test_the_imitation_of_redis_answers_where_no_redis_can_run(folder: Path) -> None:
    url = f"unix://{folder}/redis.sock"
    command = [sys.executable, "-m", "gateway.embedded.imitation", str(folder / "redis.sock")]
    with subprocess.Popen(command, cwd=folder) as imitation:
        try:
            with redis.Redis.from_url(url, retry=Retry(ConstantBackoff(0.05), 200)) as connection:
                assert connection.ping()
        finally:
            imitation.kill()


def modes_above(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in folder.parents}


@needs_root
def test_root_opens_no_private_folder_to_let_its_servers_in(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    data = tmp_path / "data"
    said: list[str] = []
    before = modes_above(data) | modes_above(Path(sys.executable))
    servers = Embedded(data, said.append)
    with servers as endpoints:
        write(endpoints, "chaski")
        assert servers.folder == short_folder(data)
    assert any(str(servers.folder) in line for line in said)
    with servers as endpoints:
        assert read(endpoints) == ["chaski"]
    assert modes_above(data) | modes_above(Path(sys.executable)) == before
    shutil.rmtree(data)
    with servers as endpoints:  # a deleted `data` takes what was elsewhere along
        write(endpoints, "new")
        assert read(endpoints) == ["new"]
    shutil.rmtree(servers.folder)
