# syntax=docker/dockerfile:1
# docker build --target gateway -t fhirtwin-gateway .      docker build --target engine -t fhirtwin-engine .

FROM node:22-bookworm-slim AS browser
WORKDIR /src/browser
COPY browser ./
RUN npm ci && node build.mjs /bundle

FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY build_support/seal-offline.cmake build_support/
RUN python -m venv /opt/fhirtwin \
 && CMAKE_TOOLCHAIN_FILE=/src/build_support/seal-offline.cmake \
    /opt/fhirtwin/bin/pip install --no-cache-dir pyfhel==3.5.0
COPY pyproject.toml README.md LICENSE ./
COPY build_support/browser.py build_support/hatch_build.py build_support/
COPY browser browser
COPY fhirtwin fhirtwin
COPY --from=browser /bundle fhirtwin/api/ui/built
COPY profiles profiles
COPY fixtures/patients fixtures/patients
RUN /opt/fhirtwin/bin/pip install --no-cache-dir .

FROM python:3.11-slim-bookworm AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /nonexistent fhirtwin \
 && install --directory --owner=fhirtwin --mode=0700 /data
COPY --from=build /opt/fhirtwin /opt/fhirtwin
ENV PATH=/opt/fhirtwin/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001

FROM base AS engine
EXPOSE 8444
ENTRYPOINT ["fhirtwin", "engine"]
CMD ["--listen", "0.0.0.0:8444", "--engine-key", "/run/secrets/engine-key", "--tls-cert", "/run/secrets/engine-cert", "--tls-key", "/run/secrets/engine-cert-key"]

FROM base AS gateway
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["fhirtwin", "serve"]
CMD ["--host", "0.0.0.0", "--port", "8000", "--data", "/data", "--behind-proxy"]
