# The service alone: it runs its TypeScript as it is, and the database is another container's (see docker-compose.yml),
# so neither the embedded Postgres nor the tools of development come along.
FROM node:26-slim

WORKDIR /app
ENV NODE_ENV=production

COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

COPY LICENSE ./
COPY migrations ./migrations
COPY sql ./sql
COPY src ./src
COPY scripts/interlock.mjs ./scripts/interlock.mjs

USER node
ENV INTERLOCK_HTTP_HOST=0.0.0.0
EXPOSE 7400
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "src/main.ts"]
CMD ["up"]
