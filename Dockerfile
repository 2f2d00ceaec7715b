# One image for every service; the command chooses the process. Each RUN is a make target that also runs without Docker:
# `make image-check` does them all, in a copy of what is copied here.
FROM python:3.11-bookworm AS build
WORKDIR /src
COPY Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY services services
COPY schemas schemas
RUN make image-wheel
RUN make image-venv IMAGE_VENV=/opt/sojae
RUN make image-folders

# The last stage has no compiler, no make, and no source but the wheel's.
FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="sojae" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH="/opt/sojae/bin:$PATH" PYTHONUNBUFFERED=1 SOJAE_HOME=/var/lib/sojae/state/home
COPY --from=build /opt/sojae /opt/sojae
# A new volume takes over who owns the folder that it is mounted on.
COPY --from=build --chown=10001:10001 /src/build/image/folders /var/lib/sojae
USER 10001:10001
EXPOSE 8600 9600
ENTRYPOINT ["/opt/sojae/bin/sojae"]
CMD ["--help"]
