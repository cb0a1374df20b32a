// Breaks the IndexedDB of a hub's worker; loaded before anything that may look at it.
const channel = new BroadcastChannel('disk');

if (new URLSearchParams(location.search).has('forbidden')) {
  Object.defineProperty(self, 'indexedDB', {
    get() {
      throw new DOMException('The operation is insecure', 'SecurityError');
    },
  });
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
