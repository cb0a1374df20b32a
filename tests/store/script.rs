//! The browser's own IndexedDB, by scripts.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Calls a JavaScript function, and waits if it returns a promise.
pub async fn run(function: &str, arguments: &[JsValue]) -> JsValue {
    let function: Function = eval(function).unchecked_into();
    let arguments: Array = arguments.iter().collect();
    let returned = function.apply(&JsValue::UNDEFINED, &arguments).unwrap();
    JsFuture::from(Promise::resolve(&returned)).await.unwrap()
}

/// The value of a JavaScript expression.
pub fn eval(expression: &str) -> JsValue {
    Function::new_no_args(&format!("return {expression}")).call0(&JsValue::UNDEFINED).unwrap()
}

pub fn json(value: &JsValue) -> String {
    js_sys::JSON::stringify(value).unwrap().into()
}

/// What a request answers, made by a function of an object store and an argument.
pub async fn request(
    database: &str,
    object_store: &str,
    function: &str,
    argument: &JsValue,
) -> JsValue {
    let script = format!(
        "(database, name, argument) => new Promise((resolve, reject) => {{
            const opening = indexedDB.open(database);
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {{
                const transaction = opening.result.transaction(name, 'readwrite');
                const request = ({function})(transaction.objectStore(name), argument);
                transaction.onabort = () => reject(transaction.error);
                transaction.oncomplete = () => {{
                    opening.result.close();
                    resolve(request.result);
                }};
            }};
        }})"
    );
    run(&script, &[database.into(), object_store.into(), argument.clone()]).await
}

pub async fn delete(database: &str) {
    const DELETE: &str = "(name) => new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
        request.onblocked = () => reject(new Error('blocked'));
    })";
    run(DELETE, &[database.into()]).await;
}

/// A member of a global object replaced, until this is dropped.
pub struct Replaced {
    object: JsValue,
    name: &'static str,
    descriptor: JsValue,
}

impl Replaced {
    /// Replaces a member by what a descriptor says, made by a function of the member's old value.
    pub fn new(object: &str, name: &'static str, descriptor: &str) -> Self {
        let object = eval(object);
        let set: Function = eval(&format!(
            "(object, name) => {{
                let owner = object;
                while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
                const descriptor = Object.getOwnPropertyDescriptor(owner, name);
                const replacement = ({descriptor})(descriptor.value);
                Object.defineProperty(object, name, {{configurable: true, ...replacement}});
                return owner === object ? descriptor : null;
            }}"
        ))
        .unchecked_into();
        let descriptor = set.call2(&JsValue::UNDEFINED, &object, &name.into()).unwrap();
        Replaced { object, name, descriptor }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let object: &js_sys::Object = self.object.unchecked_ref();
        let name = self.name.into();
        let restored = if self.descriptor.is_null() {
            Reflect::delete_property(object, &name)
        } else {
            Reflect::define_property(object, &name, self.descriptor.unchecked_ref())
        };
        assert_eq!(restored, Ok(true));
    }
}
