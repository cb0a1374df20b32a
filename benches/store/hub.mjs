// The hub of the tab that is measured.
import {Connection} from 'sharedb/lib/client';
import {defineHub} from 'tabmux/hub';

export default defineHub({connect: ({url}) => new Connection(new WebSocket(url)), store: true});
