import {overMessagePort} from '../../wasm/hub/tabmux_hub.js';
import {directPair} from '../shared/direct-pair.js';
import type {CustomTransport} from '../shared/transport.js';
import type {Hub} from './hub.js';

/** How a tab gets to its hub: a port, the name of a broadcast channel, or one end of a direct pair. */
export type TabEndpoint = MessagePort | string | CustomTransport;

/**
 * Gives the hub its end of a transport within this thread.
 *
 * The hub's end is made first: Node looks at its ports and channels in the order they were made, so
 * what the hub answers at once arrives in the same round of the event loop, before what other hubs
 * of this thread have heard of it.
 */
export function endpointTo(hub: Hub, transport: string, tabId: string): TabEndpoint {
  if (transport === 'message-port') {
    const {port1, port2} = new MessageChannel();
    hub.acceptEnd(overMessagePort(port1));
    return port2;
  }
  if (transport === 'broadcast-channel') {
    const channel = `tabmux:${tabId}`;
    hub.listenOn(channel);
    return channel;
  }
  const [tabEnd, hubEnd] = directPair();
  hub.acceptDirect(hubEnd);
  return tabEnd;
}
