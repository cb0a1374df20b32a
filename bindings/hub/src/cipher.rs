use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::CryptoKey;

use tabmux::store::{AesGcm, Cipher};
use tabmux_bindings::errors::from_js;

#[wasm_bindgen]
extern "C" {
    /// The application's own two functions, each of which returns a promise.
    pub type CipherFunctions;
    #[wasm_bindgen(method, catch)]
    async fn encrypt(
        this: &CipherFunctions,
        bytes: Uint8Array,
        context: Uint8Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn decrypt(
        this: &CipherFunctions,
        bytes: Uint8Array,
        context: Uint8Array,
    ) -> Result<JsValue, JsValue>;
}

/// What the application encrypts its records with.
pub enum ApplicationCipher {
    Key(AesGcm),
    Functions(CipherFunctions),
}

impl ApplicationCipher {
    /// `encryption` is a `CryptoKey`, or an object with the methods `encrypt` and `decrypt`.
    pub fn new(encryption: JsValue) -> Self {
        match encryption.dyn_into::<CryptoKey>() {
            Ok(key) => ApplicationCipher::Key(AesGcm::new(key)),
            Err(functions) => ApplicationCipher::Functions(functions.unchecked_into()),
        }
    }
}

#[async_trait::async_trait(?Send)]
impl Cipher for ApplicationCipher {
    async fn encrypt(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            ApplicationCipher::Key(key) => key.encrypt(plain, context).await,
            ApplicationCipher::Functions(functions) => {
                let encrypted = functions.encrypt(plain.into(), context.into()).await;
                to_bytes("encrypt", encrypted)
            }
        }
    }

    async fn decrypt(&self, encrypted: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            ApplicationCipher::Key(key) => key.decrypt(encrypted, context).await,
            ApplicationCipher::Functions(functions) => {
                let plain = functions.decrypt(encrypted.into(), context.into()).await;
                to_bytes("decrypt", plain)
            }
        }
    }
}

fn to_bytes(function: &str, returned: Result<JsValue, JsValue>) -> Result<Vec<u8>, String> {
    let returned = returned.map_err(|thrown| from_js(thrown).message)?;
    match returned.dyn_into::<Uint8Array>() {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => Err(format!("`{function}` must return a promise of a Uint8Array")),
    }
}
