// Calls a contract: uploads it, makes an instance, and sends a call.
//
// Run it against a node started with `--dev`: node call.mjs ws://127.0.0.1:9944
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aToBn } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

const url = process.argv[2] ?? 'ws://127.0.0.1:9944';
const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const dave = new Keyring({ type: 'sr25519' }).addFromUri('//Dave');
// Picoseconds of computation, and bytes of a proof.
const limit = { refTime: 100_000_000_000n, proofSize: 1n << 20n };

// A program is stored and found under the BLAKE2b-256 hash of its bytes. Uploading it twice fails.
const program = readFileSync(new URL('../../guests/blobs/jam-v1/tally.polkavm', import.meta.url));
const codeHash = blake2AsHex(program);
if ((await api.query.virtualization.codeInfos(codeHash)).isNone) {
  await submit(api.tx.virtualization.uploadCode(`0x${program.toString('hex')}`));
}

// An instance is an account. Its constructor's input is the number to start at.
const start = Buffer.alloc(8);
start.writeBigUInt64LE(7n);
const made = await submit(
  api.tx.virtualization.instantiate(codeHash, 0, randomBytes(32), `0x${start.toString('hex')}`, limit, null),
);
const instance = made.find(({ method }) => method === 'Instantiated').data.instance;
console.log(`instance: ${instance}`);

// A call by an extrinsic.
const called = await submit(api.tx.virtualization.call(instance, 'increment', 0, '0x', limit, null));
for (const { section, method, data } of called) {
  console.log(`event: ${section}.${method} ${data}`);
}

// What it stored.
const stored = await api.call.virtualizationApi.readStorage(instance, 'count');
console.log(`count: ${u8aToBn(stored.asOk.unwrap().toU8a(true), { isLe: true })}`);
await api.disconnect();

// Sends a call from Dave's account, waits until it is final, and gives the pallet's events.
function submit(call) {
  return new Promise((resolve, reject) => {
    call
      .signAndSend(dave, ({ status, events, dispatchError }) => {
        if (dispatchError) {
          const { section, name } = dispatchError.isModule
            ? api.registry.findMetaError(dispatchError.asModule)
            : { section: 'runtime', name: dispatchError.toString() };
          reject(new Error(`${section}.${name}`));
        } else if (status.isFinalized) {
          resolve(events.map(({ event }) => event).filter(({ section }) => section === 'virtualization'));
        } else if (status.isInvalid || status.isDropped || status.isUsurped) {
          reject(new Error(`the extrinsic is ${status.type}`));
        }
      })
      .catch(reject);
  });
}
