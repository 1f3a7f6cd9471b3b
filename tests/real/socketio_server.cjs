// A server of socket.io: the chat of its documentation, a namespace for those with a token, acknowledgements, binary
// data, a question of its own, and connection state recovery.
const { createServer } = require('http');
const { Server } = require('socket.io');

const http = createServer();
const io = new Server(http, {
  pingInterval: 100,
  pingTimeout: 2000,
  connectionStateRecovery: process.argv[2] === 'recovering' ? { maxDisconnectionDuration: 60000 } : undefined,
});

let numUsers = 0;
io.on('connection', (socket) => {
  const others = (name, more) => socket.broadcast.emit(name, { username: socket.data.username, ...more });

  socket.on('add user', (username) => {
    if (socket.data.username) return;
    socket.data.username = username;
    numUsers += 1;
    socket.emit('login', { numUsers });
    others('user joined', { numUsers });
  });
  socket.on('new message', (message) => others('new message', { message }));
  socket.on('typing', () => others('typing'));
  socket.on('stop typing', () => others('stop typing'));
  socket.on('disconnect', () => {
    if (!socket.data.username) return;
    numUsers -= 1;
    others('user left', { numUsers });
  });

  socket.on('sum', (...numbers) => numbers.pop()(numbers.reduce((sum, each) => sum + each, 0)));
  socket.on('store', (name, file, done) => done({ name, size: file.length }, [Buffer.from(file).reverse(), file]));
  socket.on('ask me', (question, done) => socket.timeout(5000).emit('question', question, Buffer.from([1, 2]), (error, ...told) => {
    done(error ? String(error) : told);
  }));
  socket.on('join room', (room, done) => { socket.join(room); done(room); });
  socket.on('to room', (room, text) => socket.to(room).emit('room said', room, text));
  socket.on('burst', (count) => { for (let n = 0; n < count; n += 1) socket.emit('tick', n); });
  socket.on('lose me', (isBack) => {
    socket.conn.close(); // as a network does
    setTimeout(() => io.emit('missed', 'while you were away'), isBack ? 200 : 0);
  });
  socket.on('throw me out', () => socket.disconnect(true));
  socket.on('fall silent', () => { clearTimeout(socket.conn.pingIntervalTimer); });
});

const admin = io.of('/admin');
admin.use((socket, next) => {
  if (socket.handshake.auth.token === 'sesame') return next();
  return next(Object.assign(new Error('not authorized'), { data: { retryable: false } }));
});
admin.on('connection', (socket) => {
  socket.on('whoami', (done) => done(socket.handshake.auth.user));
  socket.on('kick me', () => socket.disconnect());
});

http.listen(0, '127.0.0.1', () => console.log(`ws://127.0.0.1:${http.address().port}`));
