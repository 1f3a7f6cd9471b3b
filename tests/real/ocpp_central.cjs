// A central system of ocpp-rpc, as its README has it, which holds every message against the schemas of OCPP 1.6.
const { RPCServer, createRPCError } = require('ocpp-rpc');

const server = new RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true });
server.auth((accept, reject, handshake) => {
  if (handshake.identity === 'CP666') reject(401, 'who are you?');
  else accept();
});

server.on('client', (client) => {
  client.handle('BootNotification', () => (
    { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() }
  ));
  client.handle('Heartbeat', () => ({ currentTime: new Date().toISOString() }));
  client.handle('StartTransaction', () => ({ transactionId: 7, idTagInfo: { status: 'Accepted' } }));
  client.handle('StopTransaction', ({ params }) => {
    client.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
    return { idTagInfo: { status: params.meterStop > 0 ? 'Accepted' : 'Blocked' } };
  });
  client.handle('Authorize', async () => {
    // It asks before it answers, and tells what it was told.
    const answer = await client.call('GetLocalListVersion', {}).catch((error) => ({ listVersion: error.message.length }));
    return { idTagInfo: { status: 'Accepted', parentIdTag: String(answer.listVersion) } };
  });
  client.handle('StatusNotification', async () => {
    await client.call('RemoteStartTransaction', { idTag: '04A2' });
    return {};
  });
  client.handle(() => { throw createRPCError('NotSupported', 'not here', { since: 2016 }); });
});

server.listen(0, '127.0.0.1').then((http) => console.log(`ws://127.0.0.1:${http.address().port}`));
