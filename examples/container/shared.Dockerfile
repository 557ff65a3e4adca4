# A program beside the shared library, which other programs of the image, in any language, take too. From the folder of
# the checkout:
#
#     docker build -f examples/container/shared.Dockerfile -t palitra-shared .

FROM rust:1-bookworm AS build
COPY . /palitra
RUN make -C /palitra install-library && ldconfig
COPY examples/container/hello.c /
RUN cc -O2 /hello.c -o /hello $(pkg-config --cflags --libs palitra)

FROM debian:bookworm-slim
# What https:// trusts.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/lib/libpalitra.so.1 /usr/local/lib/
RUN ldconfig
COPY --from=build /hello /usr/local/bin/
CMD ["hello"]
