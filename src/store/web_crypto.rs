use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, Crypto, CryptoKey, SubtleCrypto};

use super::{Cipher, thrown};

/// How many random bytes come before what is encrypted.
const IV: usize = 12;

/// AES-GCM by the browser's WebCrypto, with a key that never leaves it.
#[derive(Clone)]
pub struct AesGcm {
    key: CryptoKey,
}

impl AesGcm {
    /// Encrypts with this key, which must be for AES-GCM and allow to encrypt and decrypt. It need not
    /// be extractable.
    pub fn new(key: CryptoKey) -> Self {
        AesGcm { key }
    }
}

#[async_trait::async_trait(?Send)]
impl Cipher for AesGcm {
    async fn encrypt(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        let work = async {
            let iv = Uint8Array::new_with_length(IV as u32);
            crypto()?.get_random_values_with_js_u8_array(&iv)?;
            let (algorithm, plain) = (algorithm(&iv, context), Uint8Array::from(plain));
            let encrypting =
                subtle()?.encrypt_with_object_and_js_u8_array(&algorithm, &self.key, &plain)?;
            let mut encrypted = iv.to_vec();
            encrypted.extend(bytes(encrypting).await?);
            Ok(encrypted)
        };
        work.await.map_err(|thrown| thrown::describe(&thrown))
    }

    async fn decrypt(&self, encrypted: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        let (iv, encrypted) = encrypted.split_at_checked(IV).ok_or("it is too short")?;
        let work = async {
            let algorithm = algorithm(&Uint8Array::from(iv), context);
            let encrypted = Uint8Array::from(encrypted);
            bytes(subtle()?.decrypt_with_object_and_js_u8_array(&algorithm, &self.key, &encrypted)?)
                .await
        };
        work.await.map_err(|thrown| thrown::describe(&thrown))
    }
}

fn algorithm(iv: &Uint8Array, context: &[u8]) -> Object {
    let algorithm = AesGcmParams::new("AES-GCM", iv);
    algorithm.set_additional_data_u8_array(&Uint8Array::from(context));
    algorithm.unchecked_into()
}

async fn bytes(promise: Promise) -> Result<Vec<u8>, JsValue> {
    Ok(Uint8Array::new(&JsFuture::from(promise).await?).to_vec())
}

fn crypto() -> Result<Crypto, JsValue> {
    Ok(Reflect::get(&js_sys::global(), &"crypto".into())?.unchecked_into())
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    let subtle = crypto()?.subtle();
    if subtle.is_undefined() {
        return Err("there is no WebCrypto here: it needs a page served by https".into());
    }
    Ok(subtle)
}
