# One image, three roles:
#   docker run … chaski                          serves the webhooks
#   docker run --no-healthcheck … chaski worker  sends what is to be sent
#   docker run --no-healthcheck … chaski smpp    holds the operators' own lines
# Settings and secrets come from CHASKI_* variables, or from files named by CHASKI_*_FILE.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /opt/chaski
COPY requirements.lock pyproject.toml README.md ./
COPY scripts/locked scripts/
# From the one lock, what it takes to run and what it takes to install: no servers, no test tools.
RUN python -m venv venv \
    && python scripts/locked run >/tmp/run.lock \
    && python scripts/locked build >/tmp/build.lock \
    && venv/bin/pip install --require-hashes --no-deps --only-binary :all: -r /tmp/run.lock \
    && venv/bin/pip install --require-hashes --no-deps --only-binary :all: -r /tmp/build.lock \
        --target /tmp/build \
    && venv/bin/pip check
COPY gateway gateway
COPY menus menus
# Editable, because the menus stand beside the code as they do in a clone.
RUN PYTHONPATH=/tmp/build venv/bin/pip install --no-deps --no-index --no-build-isolation -e . \
    && venv/bin/python -m compileall -q gateway

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin chaski
COPY --from=build /opt/chaski /opt/chaski
WORKDIR /opt/chaski
ENV PATH=/opt/chaski/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CHASKI_HOST=0.0.0.0 \
    CHASKI_PORT=8080
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["python", "-c", "\
import os, sys, urllib.request as u; \
url = 'http://127.0.0.1:' + os.environ['CHASKI_PORT'] + '/health/live'; \
sys.exit(u.build_opener(u.ProxyHandler({})).open(url, timeout=2).status != 200)"]
ENTRYPOINT ["chaski"]
CMD ["serve"]
