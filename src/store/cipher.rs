/// Encrypts what an [`Encrypted`](super::Encrypted) store keeps.
#[async_trait::async_trait(?Send)]
pub trait Cipher {
    /// Makes `plain` unreadable. What comes of it opens in the same context only.
    ///
    /// # Errors
    ///
    /// The reason, in words.
    async fn encrypt(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String>;

    /// What was encrypted in this context.
    ///
    /// # Errors
    ///
    /// The reason, in words: the key or the context is another, the bytes were changed, or the cipher
    /// does not work at present.
    async fn decrypt(&self, encrypted: &[u8], context: &[u8]) -> Result<Vec<u8>, String>;
}
