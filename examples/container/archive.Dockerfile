# A program with palitra's archive in it: the image needs no library of palitra's. From the folder of the checkout:
#
#     docker build -f examples/container/archive.Dockerfile -t palitra-archive .

FROM rust:1-bookworm AS build
COPY . /palitra
RUN make -C /palitra install-library PREFIX=/opt/palitra
ENV PKG_CONFIG_PATH=/opt/palitra/lib/pkgconfig
COPY examples/container/hello.c /
RUN cc -O2 /hello.c -o /hello $(pkg-config --cflags --libs palitra-static)

FROM debian:bookworm-slim
# What https:// trusts.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /hello /usr/local/bin/
CMD ["hello"]
