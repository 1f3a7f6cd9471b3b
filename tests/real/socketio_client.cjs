// The client of socket.io: what an actor's server says to it, and what it says to that.
const { io } = require('socket.io-client');

const [, , address] = process.argv;
const options = { transports: ['websocket'], reconnection: false, forceNew: true };
const once = (socket, name) => new Promise((resolve) => { socket.once(name, (...told) => resolve(told)); });

(async () => {
  const told = {};
  const stranger = io(address, { ...options, auth: { token: 'wrong' } });
  const [error] = await once(stranger, 'connect_error');
  told.refused = [error.message, error.data];
  stranger.close();

  const socket = io(address, { ...options, auth: { token: 'sesame' } });
  socket.on('question', (question, file, done) => done(question.toUpperCase(), Buffer.from(file).reverse()));
  await once(socket, 'connect');
  told.login = await socket.emitWithAck('add user', 'alice');
  socket.emit('new message', 'hello', { at: 7 });
  told.message = await once(socket, 'new message');
  told.failed = await socket.emitWithAck('fail');
  told.binary = (await socket.emitWithAck('reverse', Buffer.from([1, 2, 3]))).toJSON().data;
  told.asked = await socket.emitWithAck('ask me');

  const nowhere = io(`${address}/nowhere`, { ...options, forceNew: false, multiplex: true });
  told.nowhere = (await once(nowhere, 'connect_error'))[0].message;
  const admin = socket.io.socket('/admin', { auth: { token: 'sesame' } });
  await once(admin, 'connect');
  told.admin = await admin.emitWithAck('whoami');
  admin.disconnect();

  socket.emit('throw me out');
  told.gone = (await once(socket, 'disconnect'))[0];

  const waiting = io(address, { ...options, auth: { token: 'sesame' } });
  await once(waiting, 'connect');
  let pings = 0;
  waiting.io.on('ping', () => { pings += 1; });
  while (pings < 3) await once(waiting.io, 'ping');
  waiting.disconnect();
  console.log(JSON.stringify(told));
})();
