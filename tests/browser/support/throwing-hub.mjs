// A hub's module that throws before it defines the hub.
import {defineHub} from 'tabmux/hub';

function options() {
  throw new Error('a mistake in the hub');
}

export default defineHub(options());
