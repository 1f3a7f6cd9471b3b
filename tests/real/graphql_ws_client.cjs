// The client of graphql-ws: a query, a subscription that is left, one that is not, an error, and a wrong password.
const { createClient } = require('graphql-ws');
const WebSocket = require('ws');

const [, , url] = process.argv;

const clientOf = (token) => createClient({
  url, webSocketImpl: WebSocket, retryAttempts: 0, keepAlive: 50, connectionParams: { token },
});

async function all(client, query, most = Infinity) {
  const seen = [];
  for await (const result of client.iterate({ query })) {
    seen.push(result);
    if (seen.length === most) break;
  }
  return seen;
}

const reason = (error) => (Array.isArray(error) ? error : `${error.code} ${error.reason}`);

(async () => {
  const client = clientOf('sesame');
  const told = {
    query: await all(client, '{ hello }'),
    left: await all(client, 'subscription { forever }', 2),
    all: await all(client, 'subscription { ticks }'),
    error: await all(client, '{ nothing }').catch(reason),
  };
  await client.dispose();
  told.refused = await all(clientOf('open'), '{ hello }').catch(reason);
  console.log(JSON.stringify(told));
})();
