// A page that loads the WebAssembly module by URL.
import {createConnection, init} from 'tabmux/url';

window.start = async (url) => {
  await init();
  window.connection = createConnection({
    url,
    hub: {worker: () => new SharedWorker('/tabmux/url-hub.js', {type: 'module'})},
  });
};
