use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

/// The default one is three times its size, which every page downloads.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
