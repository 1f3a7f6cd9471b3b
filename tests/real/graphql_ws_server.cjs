// The server of graphql-ws, as its README has it: a query, a countdown, and a login.
const { buildSchema, GraphQLError } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');

const schema = buildSchema(`
  type Query { hello(name: String!): String, left: Int, fails: String }
  type Subscription { countdown(from: Int!): Int, forever: Int, breaks: Int }
`);
let left = 0;

async function* forever() {
  try {
    for (let number = 0; ; number += 1) {
      yield { forever: number };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    left += 1;
  }
}

async function* countdown({ from }) {
  for (let number = from; number >= 0; number -= 1) yield { countdown: number };
}

async function* breaks() {
  yield { breaks: 1 };
  throw new GraphQLError('the feed of ticks is gone');
}

const roots = {
  query: {
    hello: ({ name }) => `hello, ${name}`,
    left: () => left,
    fails: () => { throw new GraphQLError('it fails', { extensions: { code: 'BROKEN' } }); },
  },
  subscription: { countdown, forever, breaks },
};

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
useServer({
  schema,
  roots,
  connectionInitWaitTimeout: 500,
  onConnect: async ({ connectionParams, extra }) => {
    if (connectionParams?.authorization === 'Bearer nobody') extra.socket.close(4401, 'Unauthorized');
    return connectionParams?.authorization === 'Bearer sesame' ? { seat: 7 } : false;
  },
}, server);
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}`));
