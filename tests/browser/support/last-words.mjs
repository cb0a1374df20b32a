/** Where tabs of the origin have left their last words. */
export const left = (tab) =>
  tab.run(() => Object.keys(localStorage).filter((key) => key.startsWith('tabmux:last-words:')));
