import type {TabContext} from './context.js';

/** What the worker posts to a page: that the hub is there, or why it never will be. */
export type Answer = {tabmux: 'ready'; lock: string} | {tabmux: 'failed'; message: string};

/** What a page posts then: how the tab is going to speak to the hub. */
export interface Introduction {
  tabmux: 'port' | 'broadcast-channel';
  identity: string;
  context: TabContext;
  /** With `port`. */
  port?: MessagePort;
  /** With `broadcast-channel`. */
  channel?: string;
}
