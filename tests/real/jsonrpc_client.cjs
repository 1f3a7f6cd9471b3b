// A client of rpc-websockets: it asks by position and by name, is refused, notifies, subscribes and hears.
const { Client } = require('rpc-websockets');

const [, , address] = process.argv;
const client = new Client(address, { reconnect: false });

client.on('open', async () => {
  const told = { sum: await client.call('sum', [5, 3]), greeting: await client.call('greet', { name: 'ann' }) };
  told.refused = await client.call('divide', [1, 0]).catch((error) => [error.code, error.message, error.data]);
  told.unknown = await client.call('nothing').catch((error) => error.code);
  told.many = await Promise.all([1, 2, 3].map((n) => client.call('sum', [n, n])));
  const heard = new Promise((done) => client.on('news', (...said) => done(said)));
  await client.subscribe('news');
  await client.notify('publish', { title: 'rain' });
  told.heard = await heard;
  client.on('close', () => console.log(JSON.stringify(told)));
  client.close();
});
