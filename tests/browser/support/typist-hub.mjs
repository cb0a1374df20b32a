// The hub of the typists' tabs.
import {defineHub} from 'tabmux/hub';
import {connect} from './connect.mjs';

export default defineHub({connect, store: true});
