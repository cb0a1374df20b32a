// A hub's module that throws before it defines the hub.
import 'tabmux/hub';

throw new Error('a mistake in the hub');
