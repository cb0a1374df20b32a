import {Notes} from './notes.js';

// For each request anew.
export const dynamic = 'force-dynamic';

export default function Page() {
  return <Notes />;
}
