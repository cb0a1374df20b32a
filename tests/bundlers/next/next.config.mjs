import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
// There are other projects around this one.
export default {turbopack: {root}, outputFileTracingRoot: root};
