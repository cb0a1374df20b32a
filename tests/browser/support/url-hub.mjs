// A hub that loads the WebAssembly module by URL; pages come while it still waits for that.
import {Connection} from 'sharedb/lib/client';
import {defineHub, init} from 'tabmux/hub/url';

await init();
export default defineHub({connect: ({url}) => new Connection(new WebSocket(url))});
