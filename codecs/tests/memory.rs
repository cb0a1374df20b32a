//! Decoding never takes more memory than the size of the frame justifies.
#![cfg(not(target_arch = "wasm32"))]

use peak_alloc::PeakAlloc;
use tabmux_codecs::{Cbor, Codec, Json, Limits};
use tabmux_transports::Frame;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most bytes held at once while the frame was decoded, over what was held before.
fn peak_of_decoding(codec: &dyn Codec, frame: Frame) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    _ = codec.decode(frame);
    MEMORY.peak_usage() - before
}

// One test: the allocator counts for the whole process.
#[test]
fn memory_is_proportional_to_the_frame() {
    const KIB: usize = 1024;

    let declared = [0x9b, 0xbb, 0x7b, 0x5b].map(|start| [start, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    for frame in declared {
        let peak = peak_of_decoding(&Cbor::default(), Frame::Bytes(frame.to_vec()));
        assert!(peak < 4 * KIB, "{frame:02x?} took {peak} bytes");
    }

    // A byte of input makes at most one value or six characters, and a vector at most trebles
    // while it grows; a value takes 32 bytes here, a member of a map about 70.
    let most = |size: usize| 256 * size + 16 * KIB;
    let size = 256 * KIB;
    let cbor: [(&str, &[u8], &[u8]); 6] = [
        ("an array of integers", &[0x9f], &[0]),
        ("an array of empty arrays", &[0x9f], &[0x80]),
        ("an array of floats", &[0x9f], &[0xf9, 0x00, 0x01]),
        ("a map with one key", &[0xbf], &[0x60, 0x00]),
        ("a string of control characters", &[0x7a, 0x00, 0x04, 0x00, 0x00], &[0x01]),
        ("a nesting bomb", &[], &[0x9f]),
    ];
    for (what, start, part) in cbor {
        let mut bytes = start.to_vec();
        bytes.extend(part.repeat(size / part.len()));
        let peak = peak_of_decoding(&Cbor::default(), Frame::Bytes(bytes));
        assert!(peak < most(size), "{what} took {peak} bytes");
    }
    for (what, part) in [
        ("integers", "0,"),
        ("arrays", "[],"),
        ("strings", "\"\","),
        ("a bomb", "["),
        ("keys", "{\"\":"),
    ] {
        let text = format!("[{}", part.repeat(size / part.len()));
        let peak = peak_of_decoding(&Json::default(), Frame::Text(text));
        assert!(peak < most(size), "{what} took {peak} bytes");
    }

    let cbor = Cbor::new(Limits { max_size: KIB, ..Limits::default() });
    let peak = peak_of_decoding(&cbor, Frame::Bytes(vec![0x9f; 1024 * KIB]));
    assert!(peak < 4 * KIB, "a frame over the limit took {peak} bytes");
}
