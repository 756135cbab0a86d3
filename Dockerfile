# One image for both processes: the API (default command) and the worker.
# Debian, not Alpine: Temporal's native SDK core is linked against glibc.
FROM node:20.20.2-bookworm-slim AS build
# scripts/run.mjs looks for git before anything else.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# Dependencies first, so that an edit of a source file does not install them again.
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --ignore-scripts
COPY . .
# Compiles to dist/ and bundles the workflows; then only what runs is left in node_modules. `npm install`, not `npm ci`: the
# latter refuses a lockfile that lacks optional packages of platforms which nobody here has. Versions are the locked ones.
RUN node scripts/run.mjs build \
 && npm prune --omit=dev --no-save --ignore-scripts \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "*-linux-gnu" -exec rm -rf {} +

FROM node:20.20.2-bookworm-slim
# bubblewrap: builds run in it where the container may use user namespaces. tini: reaps what git and builds leave behind.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git openssh-client tini \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Without sources beside it, run.mjs neither installs nor compiles: `node scripts/run.mjs doctor` works in the image.
COPY --from=build /app/scripts/run.mjs ./scripts/
COPY --from=build /app/scripts/run ./scripts/run
COPY docker/worker-health.mjs ./docker/
ENV NODE_ENV=production \
    NODE_OPTIONS=--enable-source-maps \
    DATA_DIR=/data \
    FEED_SOURCES_PATH=/etc/patchmoi/feed-sources.json
USER node
VOLUME /data
EXPOSE 3000
# Of the API. The worker has no port: docker-compose.yml gives it docker/worker-health.mjs instead.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/api/main.js"]
