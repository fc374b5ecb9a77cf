# The image of all steps. Build arguments: the base image (any with Python 3.11 or 3.12 and pip), the package index.
# Without BuildKit: DOCKER_BUILDKIT=0 docker build . ; for another platform: --platform, or BASE_IMAGE of that platform.
ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE}

ARG INDEX_URL=""
ARG CONTRACT_VERSION=1

WORKDIR /app
COPY requirements.txt steps/packages.txt /tmp/locked/
# The locked versions with their hashes, but only of the packages that a step can need. All of them come as wheels, but
# for lazy-import, which is published as source alone.
RUN awk 'NR == FNR { wanted[$1]; next } /^[^ ]/ { split($1, name, "=="); keep = name[1] in wanted } keep' \
        /tmp/locked/packages.txt /tmp/locked/requirements.txt > /tmp/locked/steps.txt \
    && python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        ${INDEX_URL:+--index-url "$INDEX_URL"} --only-binary :all: --no-binary lazy-import --require-hashes -r /tmp/locked/steps.txt \
    && rm -rf /tmp/locked

COPY steps/ /app/
# Compiled here, because the user below may not write into /app; and a contract of another version ends the build.
RUN python3 -m compileall -q /app \
    && python3 -c "import contract; assert contract.CONTRACT_VERSION == ${CONTRACT_VERSION}, contract.CONTRACT_VERSION"

LABEL io.fluidbench.step-contract="${CONTRACT_VERSION}"
ENV HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["python3", "preprocess_data.py"]
