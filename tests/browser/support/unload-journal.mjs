/** Where tabs of the origin have left their unload journals. */
export const left = (tab) =>
  tab.run(() => Object.keys(localStorage).filter((key) => key.startsWith('tabmux:unload:')));
