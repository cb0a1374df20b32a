/** What a tab says of itself. */
export interface TabContext {
  /** The tab's option `url`. */
  url?: string | undefined;
  /** The tab's option `auth`. */
  auth?: any;
}

/** What a hub's `connect` is given: the options of the first tab. */
export interface ConnectContext extends TabContext {
  /** Whose data the hub holds. */
  identity: string;
}
