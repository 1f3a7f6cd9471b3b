// A station of ocpp-rpc: it boots, is asked something while it waits, and is refused something.
const { RPCClient, createRPCError } = require('ocpp-rpc');

const [, , endpoint, protocol] = process.argv;

(async () => {
  const station = new RPCClient({
    endpoint, identity: 'CP001', password: 'sesame-7', protocols: [protocol], strictMode: true, reconnect: false,
  });
  const bad = [];
  station.on('badMessage', ({ error }) => bad.push(String(error)));
  station.handle('TriggerMessage', ({ params }) => ({ status: params.requestedMessage === 'Heartbeat' ? 'Accepted' : 'Rejected' }));
  station.handle(() => { throw createRPCError('InternalError', 'broken', { since: 1 }); });
  await station.connect();
  const boot = protocol === 'ocpp1.6'
    ? { chargePointVendor: 'x', chargePointModel: 'y' }
    : { reason: 'PowerUp', chargingStation: { vendorName: 'x', model: 'y' } };
  const told = { boot: (await station.call('BootNotification', boot)).interval };
  told.refused = await station.call('DataTransfer', { vendorId: 'x' })
    .catch((error) => [error.rpcErrorCode, error.message, error.details]);
  told.beats = (await Promise.all([1, 2, 3].map(() => station.call('Heartbeat', {})))).length;
  await station.close();
  console.log(JSON.stringify({ ...told, bad }));
})();
