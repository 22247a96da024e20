# One image for API and worker; docker-compose.yml says which it is.
FROM node:24-slim AS install
WORKDIR /app
COPY package.json package-lock.json ./
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY packages/core/package.json packages/core/
# Without the development dependencies: neither an own PostgreSQL nor another Node is needed here.
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=install /app ./
COPY package.json ./
COPY packages/core packages/core
COPY apps apps
# The image's own unprivileged user; the service writes nowhere but to its stores and /tmp.
USER node
CMD ["node", "apps/api/src/main.ts"]
