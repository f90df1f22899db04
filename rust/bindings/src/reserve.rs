//! Small pieces of memory are granted also when there is none left.
//!
//! What grows with the user's program asks for its memory beforehand and is refused as a whole
//! (`core/room.rs`). Whatever else is allocated, names, messages and short lists, cannot be refused:
//! Rust ends the process. So some memory is held back, and freed where a small piece would be refused;
//! the next large piece that is granted fills the reserve again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// The system's allocator, with a reserve.
pub struct Reserving;

/// What may be refused is as large as this, or larger.
const LARGE: usize = 1 << 14;
/// Small enough to come from the heap, where what is freed is at hand.
const BLOCK: Layout = match Layout::from_size_align(1 << 16, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is a power of two"),
};
const BLOCKS: usize = 16;

static HELD: [AtomicPtr<u8>; BLOCKS] = [const { AtomicPtr::new(null_mut()) }; BLOCKS];
static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Takes the blocks that are missing, as far as there is memory.
#[cold]
pub fn fill() {
    IS_FULL.store(true, Ordering::Relaxed);
    for place in &HELD {
        if !place.load(Ordering::Acquire).is_null() {
            continue;
        }
        // SAFETY: the layout is not of size 0.
        let block = unsafe { System.alloc(BLOCK) };
        if block.is_null() {
            IS_FULL.store(false, Ordering::Relaxed);
            return;
        }
        if place.compare_exchange(null_mut(), block, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            // SAFETY: the block was allocated above with this layout, and nobody else has it.
            unsafe { System.dealloc(block, BLOCK) };
        }
    }
}

/// Asks again, for a small piece, with one block of the reserve after the other freed.
#[cold]
fn again(size: usize, ask: impl Fn() -> *mut u8) -> *mut u8 {
    if size >= LARGE {
        return null_mut();
    }
    for place in &HELD {
        let block = place.swap(null_mut(), Ordering::AcqRel);
        if !block.is_null() {
            IS_FULL.store(false, Ordering::Relaxed);
            // SAFETY: blocks in the list were allocated with this layout, and a swap gives each to one thread.
            unsafe { System.dealloc(block, BLOCK) };
        }
        // Another thread may have freed a block in the meantime.
        let found = ask();
        if !found.is_null() {
            return found;
        }
    }
    null_mut()
}

/// Hands on what was granted, or asks again.
#[inline(always)]
fn granted(size: usize, ask: impl Fn() -> *mut u8) -> *mut u8 {
    let found = ask();
    if found.is_null() {
        return again(size, ask);
    }
    if size >= LARGE && !IS_FULL.load(Ordering::Relaxed) {
        fill();
    }
    found
}

// SAFETY: all pieces come from the system's allocator and go back to it, with the layouts of the caller.
// A refused `realloc` leaves its piece as it is, so that it may be asked again.
unsafe impl GlobalAlloc for Reserving {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is handed on.
        granted(layout.size(), || unsafe { System.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: likewise.
        granted(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: likewise; `place` is one of the system's.
        granted(size, || unsafe { System.realloc(place, layout, size) })
    }

    #[inline]
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `place` came from the system's allocator with this layout.
        unsafe { System.dealloc(place, layout) }
    }
}
