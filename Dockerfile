# Two stages: the first has compilers' leftovers and pip's cache, the second only what runs.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY aggregator aggregator
COPY feeds feeds
COPY storage storage
COPY seeds seeds
RUN python -m venv /opt/newsfold \
    && /opt/newsfold/bin/pip install --no-cache-dir --constraint constraints.txt '.[postgres]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data newsfold \
    && install --directory --owner newsfold --group newsfold /data
COPY --from=build /opt/newsfold /opt/newsfold
ENV PATH=/opt/newsfold/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NEWSFOLD_CONFIG=/data/newsfold.toml \
    NEWSFOLD_SERVER_LISTEN=0.0.0.0:8080
USER newsfold
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["newsfold"]
CMD ["run"]
