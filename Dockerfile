# The bot alone: docker build -t numlet .   With PostgreSQL and a proxy: compose.yaml.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
COPY requirements.lock ./
# Wheels only, each checked against the lock's hash: nothing is compiled, here or below.
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --require-hashes --only-binary :all: -r requirements.lock
COPY bot bot
COPY services services
COPY db db
COPY sandbox sandbox
# The file system may be read-only later, so Python's own files are made now.
RUN python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 numlet \
    && useradd --uid 10001 --gid numlet --home-dir /data --no-create-home --shell /usr/sbin/nologin numlet \
    && install -d -o numlet -g numlet -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/numlet.db \
    HTTP_HOST=0.0.0.0
WORKDIR /app
# By number, so that a cluster which demands "not root" can see that it is not.
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-m", "bot.healthcheck"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
