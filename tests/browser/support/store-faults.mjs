// Breaks the IndexedDB of a hub's worker; loaded before anything that may look at it.
const channel = new BroadcastChannel('disk');
const query = new URLSearchParams(location.search);

if (query.has('forbidden')) {
  Object.defineProperty(self, 'indexedDB', {
    get() {
      throw new DOMException('The operation is insecure', 'SecurityError');
    },
  });
}

if (query.has('usage')) {
  const room = {usage: Number(query.get('usage')), quota: Number(query.get('quota'))};
  Object.defineProperty(navigator, 'storage', {value: {estimate: async () => room}});
}

let isFull = false;
const {put} = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (...args) {
  if (isFull) throw new DOMException('The disk is full', 'QuotaExceededError');
  return put.apply(this, args);
};
channel.onmessage = ({data}) => {
  isFull = data;
  channel.postMessage('done');
};
