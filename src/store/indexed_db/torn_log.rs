//! A way around a fault in how Chromium keeps IndexedDB.
//!
//! Chromium keeps all databases of an origin in one LevelDB, whose log it goes on with at a start
//! even if a kill left the last record of it torn. What it appends then can't be read at the start
//! after that one, and Chromium removes every database of the origin
//! (<https://github.com/google/leveldb/issues/1287>).

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use web_sys::IdbDatabase;

use super::connection::factory;
use super::requests::{Failure, Request};
use crate::store::thrown;

/// Makes Chromium begin a new log, before anything of value is written to the one it found.
///
/// Deleting a database does, as LevelDB is compacted then. If it fails, so will the opening of the
/// store, which tells why.
pub(super) async fn begin_new_log(store: &str) {
    let work = async {
        let factory = factory()?;
        let name = format!("{store} log");
        let opened = Request::new(factory.open_with_u32(&name, 1)?.into()).answer().await?;
        opened.unchecked_into::<IdbDatabase>().close();
        Request::new(factory.delete_database(&name)?.into()).answer().await?;
        Ok::<(), Failure>(())
    };
    if is_chromium() {
        let _ = work.await;
    }
}

fn is_chromium() -> bool {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into());
    let agent = navigator.ok().and_then(|it| thrown::text(&it, "userAgent"));
    agent.is_some_and(|it| it.contains("Chrome/"))
}
