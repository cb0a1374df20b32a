import {defineHub} from 'tabmux/hub';
import {plain} from './plain.mjs';
import './types.mjs';

export default defineHub({connect: ({url}) => plain(url)});
