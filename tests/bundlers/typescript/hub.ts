import {Connection, types} from 'sharedb/lib/client/index.js';
import type {Socket} from 'sharedb/lib/sharedb.js';
import {defineHub} from 'tabmux/hub';
import {type} from './counter.js';

types.register(type);

export default defineHub({
  connect: ({url, auth}) =>
    new Connection(new WebSocket(`${url}?token=${auth}`) as unknown as Socket),
});
