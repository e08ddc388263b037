# Two images come out of this file:
#   service  (the last, so the default)  what `docker compose up` runs
#   import   the same program with Prometheus' own binaries beside it, to write history into Prometheus' volume
# It needs nothing of BuildKit: any builder will do.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# SQLite is Node's own here: no package needs to run anything of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --ignore-scripts --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim AS runtime
# Everything here belongs to root: the program, which runs as another user, can't change itself.
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY prometheus prometheus
COPY alertmanager alertmanager
COPY docs docs
ENV NODE_ENV=production
ENTRYPOINT ["node", "/app/dist/main.js"]

# Keep the version the same as in docker-compose.yml.
FROM prom/prometheus:v3.5.3 AS prometheus

FROM runtime AS import
COPY --from=prometheus /bin/prometheus /bin/promtool /usr/local/bin/
# The user of the Prometheus image, because what is written is Prometheus' own data.
RUN install -d -o 65534 -g 65534 /prometheus
USER 65534:65534
ENV TILLWATCH_DATA=/prometheus
CMD ["import", "--help"]

FROM runtime AS service
# A new volume takes its owner from this folder.
RUN install -d -o node -g node /data
USER node
# In a container nothing can reach 127.0.0.1 from outside. Without tokens the service refuses any other address, unless
# told --insecure: docker-compose.yml says when that is right.
ENV TILLWATCH_HOST=0.0.0.0 TILLWATCH_DATA=/data
EXPOSE 8080
CMD ["serve"]
