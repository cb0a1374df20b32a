import {defineHub} from 'tabmux/hub';
import {connect} from './connect.mjs';

export default defineHub({connect});
