// A server of rpc-websockets, with methods that answer and refuse. Its events are no JSON-RPC, and left out.
const { Server } = require('rpc-websockets');

const server = new Server({ host: '127.0.0.1', port: 0 });
server.register('sum', ([a, b]) => a + b);
server.register('greet', ({ name }) => `hello ${name}`);
server.register('divide', () => { throw server.createError(-32050, 'by zero', { at: 2 }); });
server.on('listening', () => console.log(`ws://127.0.0.1:${server.wss.address().port}`));
