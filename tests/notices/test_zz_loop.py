import sys

sys.path.insert(0, "/work/main/tests")
import pytest, signal
from test_worker import *


@pytest.mark.parametrize("n", range(150))
def test_loop(start, redis, n):
    worker = start()
    until(lambda: Worker.count(connection=redis) == 1)
    time.sleep((n % 30) * 0.001)
    code, s = worker.end(signal.SIGTERM)
    assert code == 0 and s < 5, (s, "".join(worker.lines))
    assert Worker.count(connection=redis) == 0
