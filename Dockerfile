# Lectern in an image of its own: one static binary, the system's certificates,
# an empty data folder; no shell, no package manager, no root.
#
#   docker build -t lectern:local .
#
# BuildKit keeps the modules as a layer and compiled packages in a cache mount.

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src

# The image's Go builds, or nothing does: no other toolchain is downloaded.
ENV GOTOOLCHAIN=local

# Modules change rarely, so they are a layer before the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
# Without paths of the build machine and without symbols; the version comes from
# the commit that .git names.
RUN --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH GOFLAGS="-trimpath -ldflags=-s" make build
RUN mkdir /data

FROM scratch
LABEL org.opencontainers.image.title="Lectern" \
      org.opencontainers.image.description="Course discovery that a learning platform runs itself" \
      org.opencontainers.image.source="https://github.com/lectern-dev/lectern" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A named volume takes its owner from here.
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /src/bin/lectern /lectern

ENV LECTERN_DATA=/data \
    LECTERN_SERVER__ADDRESS=:8080 \
    LECTERN_LOG__FORMAT=json

# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 CMD ["/lectern", "health"]
ENTRYPOINT ["/lectern"]
CMD ["serve"]
