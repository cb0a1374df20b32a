import {codes, makeError} from './errors.js';

/** A core of Rust, as far as it matters here. */
interface Core {
  /** Whether no exception has left it in the middle of something. */
  isSound(): boolean;
}

/** Who has a core: a hub or a tab. */
interface Owner {
  /** @internal Its core has failed, and must not be called any more. */
  onCoreFailed(error: Error): void;
}

/** A core and who has it, for as long as somebody else holds them. */
interface Watch {
  core: WeakRef<Core>;
  owner: WeakRef<Owner>;
  isHub: boolean;
}

/** What a module's last panic said, if there was one since this was last asked. */
type TakePanic = () => string | undefined;

let watches: Watch[] = [];

/** From how many on those are dropped whose core is no more: to look at all each time takes long. */
let roomy = 100;

/** How the names of the functions begin that only manage memory. See `xtask/src/short_names.rs`. */
const MEMORY = '__';

/** How the names of the functions begin by which JavaScript calls a closure of Rust. */
const CLOSURE = '_';

/** What the generated code takes for a `Result` that is no error. */
const NO_ERROR = [0, 0];

/** How many calls into the core are under way, each from within the one before. */
let depth = 0;

/** What was thrown out of which core since that was last looked at. */
const thrown: {inTab: boolean; error: unknown; takePanic: TakePanic}[] = [];

/** Whether the core is running: what calls it now is called by it. */
export function isInCore(): boolean {
  return depth > 0;
}

/** Tells `owner`, from which `core` is reached, if the core has failed. */
export function watchCore(core: Core, owner: Owner, isHub: boolean): void {
  if (watches.length >= roomy) {
    watches = watches.filter((it) => it.core.deref() && it.owner.deref());
    roomy = Math.max(roomy, 2 * watches.length);
  }
  watches.push({core: new WeakRef(core), owner: new WeakRef(owner), isHub});
}

/**
 * The functions of a WebAssembly instance, which notice when an exception comes out of one: a panic, or
 * what JavaScript has thrown. Rust has not cleaned up after itself then.
 *
 * Errors that the core means to throw are thrown after the call has returned.
 */
export function guarded(
  exports: WebAssembly.Exports,
  takePanic: TakePanic,
  inTab: boolean,
): WebAssembly.Exports {
  const stack = exports.__stack_pointer as WebAssembly.Global;
  const guard =
    (call: string, it: (...values: unknown[]) => unknown) =>
    (...values: unknown[]) => {
      const top = stack.value;
      depth += 1;
      try {
        return it(...values);
      } catch (error) {
        // The room of the frames that were left.
        stack.value = top;
        if (thrown.length === 0) queueMicrotask(settle);
        thrown.push({inTab, error, takePanic});
        // Out of a timer, an event or a promise it would end a process of Node, with all that is sound.
        if (depth === 1 && call.startsWith(CLOSURE)) return NO_ERROR;
        throw error;
      } finally {
        depth -= 1;
      }
    };
  const entries = Object.entries(exports).map(([name, it]) => {
    const isCall = typeof it === 'function' && !name.startsWith(MEMORY);
    return [name, isCall ? guard(name, it as never) : it];
  });
  return Object.fromEntries(entries);
}

/** Finds the cores that have failed; nobody calls one now. */
function settle(): void {
  const all = thrown.splice(0);
  const error = describe(all);
  const failed = watches.filter(({core}) => !isSound(core.deref()));
  // What a timer or a promise of a hub did may not show. A tab's calls concern that tab alone.
  const mayBeHubs = failed.length === 0 && all.some(({inTab}) => !inTab);
  const lost = mayBeHubs ? watches.filter(({isHub}) => isHub) : failed;
  watches = watches.filter((it) => !lost.includes(it));
  if (lost.length > 0) console.error(error);
  for (const {owner} of lost) owner.deref()?.onCoreFailed(error);
}

function isSound(core: Core | undefined): boolean {
  try {
    return core?.isSound() !== false;
  } catch {
    return false;
  }
}

function describe([first]: typeof thrown): Error {
  const error = first?.error;
  const panic = first?.takePanic();
  const cause = panic ?? (error instanceof Error ? `${error.name}: ${error.message}` : error);
  return makeError(codes.CORE_FAILED, `tabmux has failed, please report it: ${cause}`);
}
